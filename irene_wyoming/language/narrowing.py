"""Narrowing: leaves out the hub's templates that cannot match a text, since hassil tries every one of its hundreds.

A word of a text has to consist of pieces that a template spells, or of words of the home. A block of templates that
lacks one of the words cannot match, and is not tried. Blocks with free words are always tried.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache, reduce
from operator import and_

from hassil import Intents
from hassil.expression import Expression, Group, ListReference, RuleReference, Sentence, TextChunk
from hassil.intents import IntentData, RangeSlotList, SlotList, TextSlotList

from irene_wyoming.language.general import in_pieces
from irene_wyoming.language.grammar import plain
from irene_wyoming.language.numbers import number_forms, number_words
from irene_wyoming.language.spoken import family

_LETTERS = re.compile(r"[^\W\d_]+")
SMALL, HUNDREDS = 100, range(1_000, 10_001, 100)
"""Numbers whose words are known here: percentages, minutes and degrees, and colour temperatures."""
HOME = frozenset(["name", "area", "floor"])
"""Lists whose values are the home's names."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Templates of one intent that share their lists and rules."""

    intent: str
    data: IntentData
    pieces: frozenset[str] | None
    """Letters in a row that its templates spell; None: any word may stand there."""


class Narrowing:
    """The blocks of some compiled intents.

    :param known: the intents, as hassil compiled them.
    """

    def __init__(self, known: Intents) -> None:
        self._known = known
        skipped = frozenset(piece for words in known.skip_words for piece in _letters(words))
        numbers = _number_pieces(family(known.language))
        self._blocks = [
            _Block(intent.name, data, _pieces(known, data, skipped | numbers))
            for intent in known.intents.values()
            for data in intent.data
        ]
        self._holding = lru_cache(8_192)(self._blocks_with)

    def narrowed(self, text: str, home: frozenset[str]) -> Intents:
        """The intents that may match a text.

        :param home: all words of the home's names.
        """
        if self._known.settings.ignore_whitespace:
            return self._known
        words = (word for word in plain(text).split() if word.isalpha())
        possible = reduce(and_, (self._holding(word, home) for word in words), -1)
        kept: dict[str, list[IntentData]] = {}
        for number, block in enumerate(self._blocks):
            if possible >> number & 1:
                kept.setdefault(block.intent, []).append(block.data)
        intents = {name: replace(self._known.intents[name], data=data) for name, data in kept.items()}
        return replace(self._known, intents=intents)

    def _blocks_with(self, word: str, home: frozenset[str]) -> int:
        """The blocks in which a word may stand, a bit each. A word may be made of pieces, as ``light[s]`` is."""
        if word in home:
            return -1
        parts = frozenset(word[at:end] for at in range(len(word)) for end in range(at + 1, len(word) + 1))
        made = cache(lambda pieces: in_pieces(word, pieces))
        ours, found = parts & home, 0
        for number, block in enumerate(self._blocks):
            if block.pieces is None or word in block.pieces or made((parts & block.pieces) | ours):
                found |= 1 << number
        return found


def _pieces(known: Intents, data: IntentData, always: frozenset[str]) -> frozenset[str] | None:
    rules = {**known.expansion_rules, **data.expansion_rules}
    lists = {**known.slot_lists, **data.slot_lists}
    found, seen = set[str](), set[str]()
    for sentence in data.sentences:
        for piece in _spelling(sentence, rules, lists, seen):
            if piece is None:
                return None
            found.add(piece)
    return always | found


def _spelling(
    item: Expression | Sentence, rules: Mapping[str, Sentence], lists: Mapping[str, SlotList], seen: set[str]
) -> Iterator[str | None]:
    """Give the pieces of a template; None: it has free words, or a kind of part that is unknown here."""
    match item:
        case Sentence():
            yield from _spelling(item.expression, rules, lists, seen)
        case TextChunk():
            yield from _letters(item.original_text)
        case Group():
            for part in item.items:
                yield from _spelling(part, rules, lists, seen)
        case RuleReference():
            if f"<{item.rule_name}>" not in seen:
                seen.add(f"<{item.rule_name}>")
                yield from _spelling(rules[item.rule_name], rules, lists, seen) if item.rule_name in rules else (None,)
        case ListReference():
            yield from _letters(f"{item.prefix or ''} {item.suffix or ''}")
            if item.list_name not in seen:
                seen.add(item.list_name)
                yield from _listed(item.list_name, rules, lists, seen)
        case _:
            yield None


def _listed(
    name: str, rules: Mapping[str, Sentence], lists: Mapping[str, SlotList], seen: set[str]
) -> Iterator[str | None]:
    match lists.get(name):
        case TextSlotList() as found:
            for value in found.values:
                yield from _spelling(value.text_in, rules, lists, seen)
        case RangeSlotList() as numbers:
            yield from () if numbers.stop <= SMALL or numbers.step == HUNDREDS.step else (None,)
        case _:
            yield from () if name in HOME else (None,)


@cache
def _number_pieces(language: str) -> frozenset[str]:
    """Pieces of the words of the numbers that the hub's lists have."""
    forms = [form for number in (*range(SMALL + 1), *HUNDREDS) for form in number_forms(number, language)]
    try:
        forms += [number_words(number + 0.5, language) for number in range(SMALL + 1)]
    except ValueError:  # the numbers of this language are unknown, so hassil knows digits only
        return frozenset()
    return frozenset(piece for form in forms for piece in _letters(form))


def _letters(text: str) -> list[str]:
    return _LETTERS.findall(plain(text))
