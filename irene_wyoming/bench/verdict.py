"""Judges whether a transcript is right, and how it differs from the spoken text. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from irene_wyoming.routing.cascade import plain

PAIRS = "on off", "open close", "lock unlock", "up down", "start stop", "pause resume"
OPPOSITES = tuple((pair.split()[0], pair.split()[1]) for pair in PAIRS)
IS_SHORT = "what|where|when|who|how|that|it|there"
ARTICLES = {"a", "an", "the", "my"}
NUMBERS = range(101)


def compared(text: str) -> str:
    """Normalise a text: small letters, no punctuation, numbers as words, ``percent`` and ``what is`` in full.

    Some recognisers write "50 %" where a person has written down "fifty percent".
    """
    spelled = text.replace("%", " percent ").replace("per cent", "percent").replace("-", " ")
    figures = re.sub(r"\b\d+\b", lambda found: number_words().get(found[0], found[0]), plain(spelled))
    return re.sub(rf"\b({IS_SHORT})'s\b", r"\1 is", figures)


def same_command(said: str, heard: str) -> bool:
    """Whether two texts are the same command: all words are equal except articles, and ``my`` for ``the``.

    :param said, heard: texts from ``compared``.
    """
    return [word for word in said.split() if word not in ARTICLES] == [w for w in heard.split() if w not in ARTICLES]


@cache
def number_words() -> Mapping[str, str]:
    """Numbers from 0 to 100 in figures, as words without hyphens."""
    from unicode_rbnf import RbnfEngine

    engine = RbnfEngine.for_language("en")
    return {str(number): engine.format_number(number).text.replace("-", " ") for number in NUMBERS}


def distance(said: Sequence[str], heard: Sequence[str]) -> int:
    """The number of words to replace, remove or insert (Levenshtein's distance)."""
    row = list(range(len(heard) + 1))
    for count, word in enumerate(said, start=1):
        diagonal, row[0] = row[0], count
        for index, other in enumerate(heard, start=1):
            diagonal, row[index] = row[index], min(row[index] + 1, row[index - 1] + 1, diagonal + (word != other))
    return row[-1]


def difference(said: str, heard: str) -> str:
    """The kind of mistake in a wrong command: ``on/off`` and other opposites, ``number``, or ``words``.

    :param said, heard: texts from ``compared``.
    """
    missing, added = set(said.split()) - set(heard.split()), set(heard.split()) - set(said.split())
    for one, other in OPPOSITES:
        if (one in missing and other in added) or (other in missing and one in added):
            return f"{one}/{other}"
    figures = {word for words in number_words().values() for word in words.split()}
    if (missing | added) and missing | added <= figures:
        return "number"
    return "words"


def slots_in(text: str, values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Find the slots whose values are in a text: longest values first, each word is used once.

    :param text: a text from ``compared``.
    :param values: all values of each slot.
    """
    words: list[str | None] = list(text.split())
    known = sorted(((len(value.split()), slot, value) for slot, some in values.items() for value in some), reverse=True)
    found: dict[str, str] = {}
    for size, slot, value in known:
        at = next(
            (start for start in range(len(words) - size + 1) if words[start : start + size] == value.split()), None
        )
        if at is not None and slot not in found:
            found[slot] = value
            words[at : at + size] = [None] * size
    return found


def slots_that_differ(said: Mapping[str, str], heard: Mapping[str, str]) -> Iterator[str]:
    """Names of slots whose values differ, sorted."""
    return (slot for slot in sorted({*said, *heard}) if said.get(slot) != heard.get(slot))
