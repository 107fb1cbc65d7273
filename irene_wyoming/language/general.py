"""General words: words with a meaning of their own in a home, which are no misheard names."""

import re
from collections.abc import Container, Iterator, Mapping
from functools import cache
from typing import Any

from home_assistant_intents import get_intents

from irene_wyoming.language.grammar import plain
from irene_wyoming.language.numbers import word_numbers
from irene_wyoming.language.spoken import family
from irene_wyoming.language.vocabulary import DEFAULT_AREAS, DEFAULT_DEVICES, DEFAULT_FLOORS
from irene_wyoming.language.wordings import BEFORE, BEHIND, GROCERIES, TIMERS

_REFERENCE = re.compile(r"{[^}]*}|<[^>]*>")
_INSIDE = re.compile(r"([\w']*)(?:\(([^()\[\]]*)\)|\[([^()\[\]]*)\])([\w']*)")
"""Matches an innermost choice or option with the letters around it: ``accend(i|ere)``, ``light[s]``."""

DEEPEST = 8
"""Most levels of nested choices."""
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")

_ENGLISH = """
balcony bar barn basin bath bay bed bell bench blind boiler bookcase bookshelf bottom box boys bulb cabin cabinet camera
candle car carport ceiling cellar center central chair chamber charger chimney clock closet computer conservatory
console cooker corner corridor cot couch counter cupboard dad den desk dining dishwasher dog door downstairs drawer
dressing drive driveway dryer east electric entry exercise fence fireplace floor flood foot fountain foyer freezer
fridge front furnace games garden gas girls glass grandma grandpa guest gym hall hallway headboard hedge hob home house
indoor inside island kettle kids lamp landing lantern laundry lawn left level library light loft lounge lower main
mantel master middle microwave mirror mom monitor mower mum music nightstand north nursery outdoor outlet outside oven
pantry panel parlor path patio pendant piano picture plant play player plug pole pond pool porch printer projector pump
rack radiator rail range rear reading rear right roof room rope sauna screen shed shelf shelter shower side sink siren
skylight small socket sofa south spa speaker spot stable stair staircase stairs standing step stereo storage store stove
strip studio study sun sunroom switch table tall tank tap television terrace theater toaster toilet top tower toy track
tree tub tv under upper upstairs utility valve vanity vent wall wardrobe washer washroom water west window wine
winter wood work workshop yard zone
"""
"""Words that make up common names. A person who says one that this home lacks means a thing that it lacks."""


@cache
def hub_words(language: str) -> frozenset[str]:
    """Words in lower case from the hub's templates and lists, and pieces of such words; no numbers."""
    known = get_intents(language) or get_intents(family(language)) or {}
    return frozenset(word for text in _texts(known) for word in template_words(text)) - _numbers(language)


@cache
def general_words(language: str) -> frozenset[str]:
    """All general words in lower case: the hub's, numbers, and in English those of common names."""
    words = hub_words(language) | _numbers(language)
    if family(language) == "en":
        usual = (*DEFAULT_AREAS, *DEFAULT_DEVICES, *DEFAULT_FLOORS, *GROCERIES, *TIMERS, *BEFORE, *BEHIND)
        words |= {part for name in (*usual, _ENGLISH) for part in name.split()}
    return frozenset(words)


def _numbers(language: str) -> frozenset[str]:
    return frozenset(part for number in word_numbers(family(language)) for part in number.split())


def in_pieces(word: str, pieces: Container[str]) -> bool:
    """Whether a word consists of one or more of ``pieces``, since templates have options within words."""
    ends = [True] + [False] * len(word)
    for end in range(1, len(word) + 1):
        ends[end] = any(ends[start] and word[start:end] in pieces for start in range(end))
    return ends[-1]


def template_words(template: str) -> list[str]:
    """The words that a template spells, and their pieces: ``light[s]`` has light, lights and s."""
    text = _REFERENCE.sub(" ", template)
    words = _WORD.findall(plain(text))
    for _ in range(DEEPEST):
        text, groups = _INSIDE.subn(_spelled, text)
        if not groups:
            break
    return [*words, *_WORD.findall(plain(text.replace("|", " ")))]


def _spelled(group: "re.Match[str]") -> str:
    """Write a choice or an option with the letters around it as a choice of words."""
    before, choice, option, behind = group.groups()
    ways = choice.split("|") if option is None else [*option.split("|"), ""]
    return "|".join(f"{before}{way}{behind}" for way in ways)


def _texts(known: Mapping[str, Any]) -> Iterator[str]:
    """All texts with words in the intents."""
    yield from known.get("skip_words", ())
    yield from known.get("expansion_rules", {}).values()
    for values in known.get("lists", {}).values():
        for value in values.get("values", ()):
            yield str(value["in"]) if isinstance(value, dict) else str(value)
    for intent in known.get("intents", {}).values():
        for data in intent["data"]:
            yield from data["sentences"]
