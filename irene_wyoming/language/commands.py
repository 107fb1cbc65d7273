"""The command grammar: all that may be said to a home with these names and own sentences."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import cache, lru_cache, partial
from itertools import permutations
from typing import Any

from hassil.errors import HassilError
from hassil.expression import Alternative, Expression, ListReference, Permutation, RuleReference, TextChunk
from hassil.expression import Sequence as TemplateSequence
from hassil.parser import ParseError

from irene_wyoming.language.durations import durations, long_durations, whole_durations
from irene_wyoming.language.grammar import Grammar
from irene_wyoming.language.network import HUB_SPELLINGS, MOST_SPELLINGS, Network, Piece
from irene_wyoming.language.numbers import number_forms, number_words
from irene_wyoming.language.signs import sign_forms
from irene_wyoming.language.spoken import distinct_forms, family, spoken_forms, why_unsayable
from irene_wyoming.language.templates import DEEPEST, hub_templates, intents, parsed
from irene_wyoming.language.vocabulary import Vocabulary
from irene_wyoming.language.wordings import BEFORE, BEHIND, COMMANDS, GROCERIES, LISTS, RULES, TIMERS

MOST_PERMUTED = 5
"""Most parts of a permutation: five already stand in 120 orders."""
MOST_NUMBERS = 1_000
"""Most numbers of a range in an own sentence. Each is one more way for a search."""
HALVES = range(5, 31)
"""Temperatures that may have a half."""

PERCENT = ("percent", "per cent", "%")


def command_grammar(
    vocabulary: Vocabulary, sentences: Sequence[str], language: str = "en", decoys: Sequence[str] = ()
) -> Grammar:
    """Build the grammar of the hub's commands with the home's names, own sentences, and fillers around them.

    :param vocabulary: where it holds no area, no floor or no entity, usual names stand in for them (English only).
    :param sentences: further templates in hassil's notation, beside those of ``vocabulary.sentences``.
    :param language: English has wordings of our own, other languages use the hub's.
    :param decoys: templates that sound like commands and are none; real commands among them stay commands.
    :raises ValueError: a sentence of ``sentences`` cannot be parsed, may be empty, or names an unknown rule or list.
    """
    english = family(language) == "en"
    layout = _Layout(*((vocabulary.with_defaults(), language) if english else (vocabulary, language, HUB_SPELLINGS)))
    for template, domains in [(template, ()) for template in COMMANDS] if english else hub_templates(language):
        # the hub's templates may contain what cannot be laid out
        with nullcontext() if english else suppress(ValueError):
            layout.add(template, domains)
    for template in sentences:
        layout.add(template)
    for template in vocabulary.sentences:
        if not unsayable([template], language):
            layout.add(template)
    for template in decoys:
        layout.add(template, decoy=True)
    try:
        return layout.grammar()
    except ValueError:
        for sentence, why in unsayable(sentences, language):
            raise ValueError(f"sentence {sentence!r} cannot be used: {why}") from None
        raise


def unsayable(sentences: Iterable[str], language: str = "en") -> list[tuple[str, str]]:
    """List the sentences that cannot be said, or only in part, each with a reason for its author."""
    found = list[tuple[str, str]]()
    for sentence in sentences:
        layout = _Layout(Vocabulary.of(["kitchen"], ["lamp"], ["first floor"]), language)
        try:
            layout.add(sentence)
            layout.grammar()
        except ValueError as error:
            found.append((sentence, str(error)))
            continue
        found += [(sentence, f"{word!r} {why_unsayable(word, language)}") for word in layout.unsayable]
    return found


def _fillers(skip_words: Sequence[str], language: str) -> tuple[Sequence[str], Sequence[str]]:
    """Words that may be said before a command and behind it."""
    if family(language) != "en":
        return skip_words, skip_words
    before = [word for word in skip_words if word != "for me"]
    behind = [word for word in skip_words if not word.startswith("i")]
    return [*before, *BEFORE], [*behind, *BEHIND]


class _Layout:
    """Lays out templates in a Network."""

    def __init__(self, vocabulary: Vocabulary, language: str, most: int = MOST_SPELLINGS) -> None:
        self.unsayable = list[str]()
        self._language = language
        self._vocabulary = vocabulary
        known = intents(language)
        self._rules: dict[str, str] = {**known.get("expansion_rules", {})}
        self._lists: Mapping[str, Any] = known.get("lists", {})
        if family(language) == "en":
            self._rules |= RULES
        self._network = Network(partial(_forms, language, self.unsayable), most)
        self._choices: dict[tuple[str, tuple[str, ...]], tuple[Piece, ...]] = {}
        before, behind = _fillers(known.get("skip_words", ()), language)
        self._body = self._fillers(Network.START, before)
        self._behind, self._behind_decoy = self._network.node(), self._network.node()
        self._network.finish(self._fillers(self._behind, behind))
        self._network.finish(self._fillers(self._behind_decoy, behind), Network.DECOY)
        self._depth = 0
        self._ruled: dict[tuple[int, str, tuple[str, ...]], int] = {}
        self._domains: tuple[str, ...] = ()

    def add(self, template: str, domains: tuple[str, ...] = (), *, decoy: bool = False) -> None:
        """Lay out a template; raises ValueError with its text where it cannot be used.

        :param domains: domains of entities that may stand for ``{name}``; empty: any.
        """
        self._domains = domains
        try:
            expression = parsed(template)
            if self._may_be_empty(expression):
                raise ValueError("it may be empty; put a word outside of the brackets")
            end = self._expression(self._body, expression)
        except (HassilError, ParseError, ValueError, AssertionError, RecursionError) as error:
            why = str(error) or type(error).__name__
            raise ValueError(f"sentence {template!r} cannot be used: {why}") from error
        self._network.skip(self._network.text(end, " "), self._behind_decoy if decoy else self._behind)

    def grammar(self) -> Grammar:
        return self._network.grammar()

    def _fillers(self, source: int, words: Iterable[str]) -> int:
        """Allow up to two fillers from ``source`` on; returns the node behind them."""
        pieces = [Piece(spoken_forms(word, self._language), "") for word in dict.fromkeys(words)]
        pieces = [piece for piece in pieces if piece.said]
        for _ in range(2):
            source = self._network.optional(source, pieces)
        return source

    def _may_be_empty(self, item: Expression) -> bool:
        match item:
            case TextChunk():
                return not _without_lone_signs(item.original_text).strip()
            case Alternative():
                return any(self._may_be_empty(way) for way in item.items)
            case Permutation() | TemplateSequence():
                return all(self._may_be_empty(part) for part in item.items)
        return False

    def _expression(self, source: int, item: Expression) -> int:
        match item:
            case TextChunk():
                return self._network.text(source, _without_lone_signs(item.original_text))
            case Alternative():
                return self._network.join(self._expression(source, way) for way in item.items)
            case Permutation():
                if len(item.items) > MOST_PERMUTED:
                    raise ValueError(f"it permutes {len(item.items)} parts; {MOST_PERMUTED} are the most")
                return self._network.join(self._chain(source, order) for order in permutations(item.items))
            case TemplateSequence():
                return self._chain(source, item.items)
            case RuleReference():
                return self._rule(source, item.rule_name)
            case ListReference():
                return self._list(source, item)
        raise ValueError(f"it holds {type(item).__name__}, which is not supported")

    def _chain(self, source: int, items: Iterable[Expression]) -> int:
        for item in items:
            source = self._expression(source, item)
        return source

    def _rule(self, source: int, name: str) -> int:
        if name not in self._rules:
            raise ValueError(f"it names the rule <{name}>; known are {', '.join(sorted(self._rules))}")
        key = (source, name, self._domains)
        if key in self._ruled:
            return self._ruled[key]
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError(f"the rule <{name}> leads back to itself")
        try:
            self._ruled[key] = self._expression(source, parsed(self._rules[name]))
        finally:
            self._depth -= 1
        return self._ruled[key]

    def _list(self, source: int, item: ListReference) -> int:
        name = item.list_name
        if item.is_inline_range or ".." in name:
            return self._network.pieces(source, self._numbers(_inline_range(name)))
        pieces = self._pieces(name)
        if pieces is not None:
            return self._network.pieces(source, pieces)
        found = self._lists.get(name, {})
        if "range" in found:
            return self._network.pieces(source, self._ranged(name, found["range"]))
        if not found.get("values"):
            raise ValueError(f"it names the list {{{name}}}; known are {', '.join(self._known())}")
        texts = (value["in"] if isinstance(value, dict) else value for value in found["values"])
        return self._network.join(self._expression(source, parsed(text)) for text in texts)

    def _known(self) -> list[str]:
        lists = (name for name, found in self._lists.items() if not found.get("wildcard"))
        return sorted({"area", "floor", "name", "name.light", *_ENGLISH, *lists})

    def _pieces(self, name: str) -> tuple[Piece, ...] | None:
        """The choices of a list of our own; None: there is no such list."""
        key = (name, self._domains if name == "name" else ())
        if key not in self._choices:
            found = self._made(name)
            if found is None:
                return None
            self._choices[key] = found
        return self._choices[key]

    def _made(self, name: str) -> tuple[Piece, ...] | None:
        if name in ("area", "floor", "name") or name.startswith("name."):
            return tuple(self._names(name))
        if family(self._language) == "en" and name in _ENGLISH:
            return _ENGLISH[name]()
        return None

    def _names(self, name: str) -> Iterable[Piece]:
        listed, _, domain = name.partition(".")
        names = self._vocabulary
        known = {"area": names.areas, "floor": names.floors}.get(listed, names.devices)
        written: Iterable[str] = known
        if listed == "name" and (domain or self._domains):
            wanted = LISTS.get(domain, (domain,)) if domain else self._domains
            written = (each for one in wanted for each in names.entities(one))
        forms = distinct_forms(known, self._language)
        yield from (Piece(forms[each], each) for each in dict.fromkeys(written) if forms[each])

    def _ranged(self, name: str, bounds: Mapping[str, Any]) -> tuple[Piece, ...]:
        """A range of numbers, written in digits, since the hub knows number words only in some places."""
        key = (name, ())
        if key not in self._choices:
            numbers = (Piece(number_forms(n, self._language), str(n)) for n in _range(bounds))
            halves = tuple(HALVES) if bounds.get("fractions") == "halves" else ()
            self._choices[key] = (*numbers, *(half_piece(n, self._language) for n in halves))
        return self._choices[key]

    def _numbers(self, numbers: Iterable[int]) -> tuple[Piece, ...]:
        return tuple(Piece(number_forms(n, self._language), number_words(n, self._language)) for n in numbers)


def _forms(language: str, unsayable: list[str], word: str) -> tuple[str, ...]:
    """Ways to say a template's word; one that cannot be said is added to ``unsayable``."""
    if not any(letter.isalnum() for letter in word):
        return tuple(way for way in sign_forms(word, family(language)) if way)
    forms = PERCENT if word == "percent" else spoken_forms(word, language)
    if not forms:
        unsayable.append(word)
    return forms


@lru_cache(4096)
def _without_lone_signs(text: str) -> str:
    """Remove signs between blanks, such as a dash or an emoji, which nobody says. Signs within words stay."""
    if text in ("-", "'"):
        return text
    words = (
        word if any(letter.isalnum() or letter in "&+%#°@=" for letter in word) else "" for word in text.split(" ")
    )
    return " ".join(words)


def _inline_range(name: str) -> range:
    first, _, rest = name.partition("..")
    last, _, step = rest.partition(",")
    try:
        found = range(int(first), int(last) + 1, int(step or 1))
    except ValueError as error:
        raise ValueError(f"{{{name}}} is no range of numbers such as {{1..10:slot}}") from error
    if len(found) > MOST_NUMBERS:
        raise ValueError(f"{{{name}}} holds {len(found)} numbers; {MOST_NUMBERS} are the most")
    return found


def _range(bounds: Mapping[str, Any]) -> range:
    return range(int(bounds["from"]), int(bounds["to"]) + 1, int(bounds.get("step", 1)))


def half_piece(number: int, language: str) -> Piece:
    """A number with a half, such as ``einundzwanzig komma fünf``, also in the ways that recognisers write it."""
    words = number_words(number + 0.5, language).casefold()
    return Piece((words, f"{number},5", f"{number}.5"), f"{number}.5")


@cache
def _percentages() -> tuple[Piece, ...]:
    """Percentages such as ``fifty percent``, and the bare number, which people say as often."""
    pieces = list[Piece]()
    for number in range(101):
        words, forms = number_words(number), number_forms(number)
        said = [f"{words} percent", f"{number}%", f"{number} percent", f"{number} per cent", f"{number} %"]
        said += [f"{form} {unit}" for form in forms[:-1] for unit in ("per cent", "percent")]
        pieces += [Piece(tuple(dict.fromkeys(said)), f"{words} percent"), Piece(forms, words)]
    return tuple(pieces)


@cache
def _temperatures() -> tuple[Piece, ...]:
    """Degrees Celsius with halves and Fahrenheit, with or without the word "degrees"."""
    pieces = list[Piece]()
    for number in (*range(5, 31), *range(50, 91)):
        words = number_words(number)
        pieces += _degrees(words, number_forms(number), (str(number),))
        if number <= 30:
            half = number_words(number + 0.5)
            said = (f"{words} and a half", half, f"{number} and a half")
            pieces += _degrees(half, said, (f"{number}.5", f"{number} 1/2"))
    return tuple(pieces)


def _degrees(written: str, words: Sequence[str], digits: Sequence[str]) -> list[Piece]:
    ways = tuple(dict.fromkeys((*words, *digits)))
    with_unit = (*(f"{way} degrees" for way in ways), *(f"{way}{sign}" for way in digits for sign in ("°", " °")))
    return [Piece(with_unit, f"{written} degrees"), Piece(ways, written)]


@cache
def _kelvin() -> tuple[Piece, ...]:
    return tuple(
        Piece(tuple(f"{form} kelvin" for form in number_forms(number)), f"{number_words(number)} kelvin")
        for number in range(2000, 6600, 500)
    )


@cache
def _words(words: tuple[str, ...], said: str = "{}", written: str = "{}") -> tuple[Piece, ...]:
    return tuple(Piece((said.format(word),), written.format(word)) for word in words)


_ENGLISH: Mapping[str, Callable[[], tuple[Piece, ...]]] = {
    **dict.fromkeys(("brightness", "fan_speed", "position", "volume"), _percentages),
    "temperature": _temperatures,
    "kelvin": _kelvin,
    "duration": durations,
    "long": long_durations,
    "whole": whole_durations,
    "groceries": lambda: _words(GROCERIES),
    "lights": lambda: (Piece(("lights",), ""), Piece(("light",), "")),
    "the": lambda: (Piece(("the",), ""), Piece(("my",), "")),
    "timer_name": lambda: _words(TIMERS),
    "timer_called": lambda: _words(TIMERS, "{} timer", "timer called {}"),
    "timer_for": lambda: _words(TIMERS, "{} timer", "timer for {}"),
}
