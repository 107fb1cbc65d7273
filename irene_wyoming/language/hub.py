"""Hub: Home Assistant's own sentence matcher, with the names of a home and its own sentences."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

from hassil import Intents, recognize
from hassil.errors import HassilError
from hassil.intents import SlotList, TextSlotList
from hassil.parse_expression import parse_sentence
from hassil.parser import ParseError
from hassil.util import remove_punctuation
from home_assistant_intents import get_intents

from irene_wyoming.language.general import general_words, in_pieces, template_words
from irene_wyoming.language.grammar import plain
from irene_wyoming.language.narrowing import Narrowing
from irene_wyoming.language.spoken import family
from irene_wyoming.language.templates import INTENTS, open_marks
from irene_wyoming.language.vocabulary import Vocabulary

_RANGE = re.compile(r"-?\d+\.\.-?\d+(,\d+)?:\w+")
"""A range of numbers with its slot, which needs no list: ``{1..5:mood}``."""
_LIST, _RULE = re.compile("{([^}]*)}"), re.compile("<([^>]*)>")

Meaning = tuple[str, frozenset[tuple[str, str]]]
"""The name of an intent, and the values of its slots."""


class Hub:
    """Tells whether the hub would understand a text.

    :param vocabulary: names, and the home's own sentences.
    :param sentences: further own sentences in hassil's notation; unreadable ones are left out.
    :param language: a language of home-assistant-intents; in others only own sentences are understood.
    """

    def __init__(self, vocabulary: Vocabulary, sentences: Sequence[str] = (), language: str = "en") -> None:
        self._language = language
        self._own = _own((*sentences, *vocabulary.sentences), language)
        self._pieces = {word for name in vocabulary.names for each in name.all_written for word in plain(each).split()}
        self._home = frozenset(self._pieces)
        self._pieces |= {word for each in (*sentences, *vocabulary.sentences) for word in template_words(each)}
        self._pieces |= general_words(language)
        self._may_stand = lru_cache(4096)(lambda word: not word.isalpha() or in_pieces(word, self._pieces))
        self.meaning = lru_cache(256)(self._meant)
        """What the hub does on a text: two that do the same are no rivals. None: its templates do not know it.

        Own sentences have no meaning that is known here. Takes some milliseconds.
        """
        areas = vocabulary.areas
        # The person stands in some room; the hub knows which, where that matters.
        self._context: dict[str, Any] = {"area": areas[0] if areas else "home"}
        self._lists: dict[str, SlotList] = {
            "area": TextSlotList.from_strings(areas, allow_template=False),
            "floor": TextSlotList.from_strings(vocabulary.floors, allow_template=False),
            "name": TextSlotList.from_tuples(_named(vocabulary), allow_template=False),
        }

    def prepare(self) -> None:
        """Do the slow preparations now, so that the first text need not wait for them."""
        prepare(self._language)
        _index(self._lists)
        if self._own is not None:
            _prepare(self._own)

    def understands(self, text: str) -> bool:
        """Whether the text is a sentence of the hub or an own one. Takes some milliseconds."""
        # A word that is in no template and no name needs a template with free text: "play ...".
        strange = not all(map(self._may_stand, plain(text).split()))
        known = [self._own, _open_templates(self._language) if strange else self._possible(text)]
        return any(
            recognize(text, intents, slot_lists=self._lists, intent_context=self._context) is not None
            for intents in known
            if intents is not None
        )

    def _meant(self, text: str) -> Meaning | None:
        known = self._possible(text)
        return None if known is None or self._is_own(text) else self._found(text, known)

    def _found(self, text: str, intents: Intents) -> Meaning | None:
        found = recognize(text, intents, slot_lists=self._lists, intent_context=self._context)
        if found is None:
            return None
        values = ((name, str(entity.value)) for name, entity in found.entities.items())
        return found.intent.name, frozenset(values)

    def same(self, one: str, other: str) -> bool:
        """Whether the hub does the same on both texts. The second one costs a fraction of a whole search."""
        meaning, known = self.meaning(one), self._possible(other)
        if meaning is None or known is None or meaning[0] not in known.intents or self._is_own(other):
            return False
        intent = replace(known, intents={meaning[0]: known.intents[meaning[0]]})
        return self._found(other, intent) == meaning

    def _possible(self, text: str) -> Intents | None:
        """The hub's templates that may match a text."""
        narrowing = _narrowing(self._language)
        return None if narrowing is None else narrowing.narrowed(text, self._home)

    def _is_own(self, text: str) -> bool:
        own = self._own
        return (
            own is not None and recognize(text, own, slot_lists=self._lists, intent_context=self._context) is not None
        )


def why_unfound(written: str) -> str:
    """The reason why Home Assistant cannot find a name in any form; empty: it can.

    Its matcher removes marks from the text, but not from its list of names.
    """
    without = remove_punctuation(f"x {written} x")[2:-2]
    if without == written:
        return ""
    return f"is not found by Home Assistant for its marks; give it the alias {' '.join(without.split())!r} there"


@cache
def prepare(language: str) -> None:
    """Load and parse the templates of a language, which takes a second or more."""
    _narrowing(language)
    for known in (_templates(language), _open_templates(language)):
        if known is not None:
            _prepare(known)


def _prepare(known: Intents) -> None:
    """Let hassil do the work now that it does, and keeps, at the first use of a template or list."""
    for intent in known.intents.values():
        for data in intent.data:
            rules = {**known.expansion_rules, **data.expansion_rules}
            for sentence in data.sentences:
                sentence.get_required_clauses(rules)
    _index(known.slot_lists)


def _index(lists: Mapping[str, SlotList]) -> None:
    for each in lists.values():
        if isinstance(each, TextSlotList):
            each.get_candidates("")


@cache
def _open_templates(language: str) -> Intents | None:
    """The templates in which some words may be any."""
    known = get_intents(language) or get_intents(family(language))
    if known is None:
        return None
    marks = open_marks(known)
    intents: dict[str, Any] = {}
    for name, intent in known["intents"].items():
        for data in intent["data"]:
            if kept := [sentence for sentence in data["sentences"] if any(mark in sentence for mark in marks)]:
                intents.setdefault(name, {"data": []})["data"].append({**data, "sentences": kept})
    return Intents.from_dict({**known, "intents": intents}) if intents else None


@cache
def _templates(language: str) -> Intents | None:
    """Compile the hub's templates, which takes a second, and cache them. None: the hub has none in that language."""
    known = get_intents(language) or get_intents(family(language))
    if known is None:
        return None
    # The first match is taken, so the most frequent sentences come first.
    usual = {name: known["intents"][name] for name in INTENTS if name in known["intents"]}
    return Intents.from_dict({**known, "intents": {**usual, **known["intents"]}})


@cache
def _narrowing(language: str) -> Narrowing | None:
    known = _templates(language)
    return None if known is None else Narrowing(known)


def _own(sentences: Sequence[str], language: str) -> Intents | None:
    known = get_intents(language) or get_intents(family(language)) or {}
    kept = [sentence for sentence in sentences if _readable(sentence, known)]
    if not kept:
        return None
    made: dict[str, Any] = {name: known[name] for name in ("lists", "expansion_rules", "skip_words") if name in known}
    return Intents.from_dict({**made, "language": language, "intents": {"Own": {"data": [{"sentences": kept}]}}})


def _readable(sentence: str, known: Mapping[str, Any]) -> bool:
    """Whether hassil can read a sentence with the hub's lists and rules; it does not know ours (``{name.light}``)."""
    lists = {"area", "floor", "name", *known.get("lists", ())}
    named = {name.partition(":")[0] for name in _LIST.findall(sentence) if not _RANGE.fullmatch(name)}
    if not named <= lists:
        return False
    if not set(_RULE.findall(sentence)) <= set(known.get("expansion_rules", ())):
        return False
    try:
        parse_sentence(sentence)
    except (HassilError, ParseError, AssertionError):
        return False
    return True


def _named(vocabulary: Vocabulary) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name in vocabulary.names:
        for domain in name.domains:
            yield from ((written, written, {"domain": domain}) for written in name.all_written)
