"""Alignment: counts the sounds in which two pieces of speech differ. Similar sounds count less.

The method is the weighted edit distance (Wagner and Fischer, 1974) over ``phones``. Its weights come from where and how
a sound is made: voice, place and manner of consonants, height and backness of vowels.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Costs = NDArray[np.float32]


class _Consonant(NamedTuple):
    place: float
    """Place of articulation, from 0 (lips) to 1 (throat)."""
    manner: str
    voiced: bool


# fmt: off
_CONSONANTS = {
    "p": (0.0, "stop", False), "b": (0.0, "stop", True), "m": (0.0, "nasal", True), "w": (0.1, "glide", True),
    "f": (0.1, "hiss", False), "v": (0.1, "hiss", True), "T": (0.3, "hiss", False), "D": (0.3, "hiss", True),
    "t": (0.4, "stop", False), "d": (0.4, "stop", True), "n": (0.4, "nasal", True), "l": (0.4, "liquid", True),
    "s": (0.45, "hiss", False), "z": (0.45, "hiss", True), "r": (0.5, "liquid", True), "y": (0.7, "glide", True),
    "S": (0.6, "hiss", False), "Z": (0.6, "hiss", True), "C": (0.6, "burst", False), "J": (0.6, "burst", True),
    "k": (0.9, "stop", False), "g": (0.9, "stop", True), "N": (0.9, "nasal", True), "x": (0.9, "hiss", False),
    "h": (1.0, "hiss", False),
}
_VOWELS = {
    # (height: 0 closed, 1 open; backness: 0 front, 1 back)
    "i": (0.0, 0.0), "I": (0.3, 0.2), "e": (0.4, 0.1), "E": (0.6, 0.2), "a": (0.9, 0.3), "U": (0.6, 0.5),
    "A": (1.0, 0.8), "O": (0.7, 1.0), "o": (0.4, 1.0), "u": (0.0, 1.0),
}
# fmt: on
_MANNERS = {
    frozenset(["stop", "burst"]): 0.25,
    frozenset(["burst", "hiss"]): 0.2,
    frozenset(["stop", "hiss"]): 0.35,
    frozenset(["nasal", "stop"]): 0.45,
    frozenset(["liquid", "glide"]): 0.25,
    frozenset(["nasal", "liquid"]): 0.35,
}
_NEARLY_VOWELS = {frozenset("yi"): 0.4, frozenset("wu"): 0.4, frozenset("rU"): 0.4, frozenset("lU"): 0.6}
_LOST = {"U": 0.4, "h": 0.4, "r": 0.5, "y": 0.5, "w": 0.5, "t": 0.6, "d": 0.6, "n": 0.7, "l": 0.7}
"""Cost of a sound that one side lacks. Other vowels cost 0.6, other consonants 0.8."""

_LETTERS = "".join([*_CONSONANTS, *_VOWELS])
_KNOWN = len(_LETTERS)
_OTHERS = 64
"""Numbers shared by the letters of other scripts; each letter equals only itself."""
_NUMBERS = _KNOWN + np.arange(256) % _OTHERS
_NUMBERS[[ord(letter) for letter in _LETTERS]] = range(_KNOWN)


def apart(heard: str, meant: Sequence[str]) -> Costs:
    """The number of sounds in which ``heard`` differs from each of ``meant``.

    :param heard: sounds from ``phones``.
    :param meant: texts of sounds from ``phones``.
    :return: one cost each, shape (meant,).
    """
    rows = [numbered(text) for text in meant]
    longest = max((len(row) for row in rows), default=0)
    grid = np.zeros((len(rows), longest), np.intp)
    for row, numbers in zip(grid, rows, strict=True):
        row[: len(numbers)] = numbers
    added = np.zeros((len(rows), longest + 1), np.float32)
    np.cumsum(LOST[grid], axis=1, out=added[:, 1:])
    costs = added.copy()
    for sound in numbered(heard):
        stay = costs + LOST[sound]  # the sound matches nothing
        stay[:, 1:] = np.minimum(stay[:, 1:], costs[:, :-1] + CHANGED[sound][grid])
        # Sounds that were not heard: the cheapest way from any place further left.
        costs = added + np.minimum.accumulate(stay - added, axis=1)
    return np.asarray(costs[np.arange(len(rows)), [len(row) for row in rows]], np.float32)


@lru_cache(maxsize=16_384)
def numbered(text: str) -> NDArray[np.intp]:
    """The number of each sound, cached and not to be written to."""
    return np.asarray(_NUMBERS[np.frombuffer(text.encode("utf-32-le"), np.uint32) % len(_NUMBERS)], np.intp)


def _changed(one: str, other: str) -> float:
    """The cost of taking one sound for another."""
    if one == other:
        return 0.0
    if (pair := frozenset([one, other])) in _NEARLY_VOWELS:
        return _NEARLY_VOWELS[pair]
    if one in _VOWELS and other in _VOWELS:
        (high, back), (height, backness) = _VOWELS[one], _VOWELS[other]
        return min(1.0, 0.15 + 0.6 * float(np.hypot(high - height, back - backness)))
    if one in _VOWELS or other in _VOWELS:
        return 1.0
    first, second = _Consonant(*_CONSONANTS[one]), _Consonant(*_CONSONANTS[other])
    manner = 0.0 if first.manner == second.manner else _MANNERS.get(frozenset([first.manner, second.manner]), 0.55)
    voice = 0.25 * (first.voiced != second.voiced)
    return min(1.0, 0.1 + voice + manner + 0.5 * abs(first.place - second.place))


def _table() -> Costs:
    table = 1 - np.eye(_KNOWN + _OTHERS, dtype=np.float32)
    table[:_KNOWN, :_KNOWN] = [[_changed(one, other) for other in _LETTERS] for one in _LETTERS]
    return table


CHANGED = _table()
LOST: Costs = np.ones(_KNOWN + _OTHERS, np.float32)
LOST[:_KNOWN] = [_LOST.get(each, 0.6 if each in _VOWELS else 0.8) for each in _LETTERS]
