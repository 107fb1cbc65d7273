"""Closeness: how similar a heard word and a meant word are, by spelling and by sound.

Recognisers err by sound: "lamb" for "lamp", "hole" for "whole". So words are compared twice, as they are written and by
a rough key of how they sound in languages of Latin script; RapidFuzz measures both.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from irene_wyoming.language.spoken import folded

SOUND = 0.6
"""Weight of the sound; the rest is the spelling's."""
SHORT = 4
"""Letters up to which one letter makes another word, so that the sound has to be equal."""

_KEYS = (
    # Spellings of one sound; a capital letter is a sound without a letter of its own.
    *(("tsch", "S"), ("sch", "S"), ("tch", "S"), ("sh", "S"), ("ch", "S"), ("ck", "k"), ("ph", "f"), ("th", "T")),
    *(("who", "ho"), ("wh", "w"), ("wr", "r"), ("kn", "n"), ("ght", "t"), ("gh", ""), ("qu", "kw"), ("x", "ks")),
    *(("ce", "se"), ("ci", "si"), ("cy", "si"), ("c", "k"), ("dge", "S"), ("j", "S"), ("z", "s"), ("v", "f")),
    # Voiced and voiceless consonants, which noise and distance make equal.
    *(("b", "p"), ("d", "t"), ("g", "k")),
)
_SOFT = re.compile(r"(?<=[^aeiou])e\b|(?<!^)h|[^a-zA-Z0-9]")
_VOWELS = re.compile(r"[aeiouyw]*[aeiou][aeiouyw]*|(?<!^)y")
_DOUBLE = re.compile(r"(.)\1+")


@lru_cache(maxsize=16_384)
def sound(word: str) -> str:
    """A rough key of a word's sound: words with the same key are easily confused.

    Consonants that differ in voice only are equal, and so are all vowels. Made for English, and good enough for other
    languages of Latin script; other letters stay as they are.
    """
    key = folded(word.casefold())
    for spelling, letter in _KEYS:
        key = key.replace(spelling, letter)
    key = _VOWELS.sub("a", _SOFT.sub("", key))
    return _DOUBLE.sub(r"\1", key)


@lru_cache(maxsize=65_536)
def alike(heard: str, meant: str) -> float:
    """The similarity of two words in lower case, from 0 (none) to 1 (equal).

    Short words must sound the same and differ in one letter at most: "lamb" is like "lamp", "bad" is not like "bed
    room". Longer ones must begin with the same sound.
    """
    if heard == meant:
        return 1.0
    one, other = sound(heard), sound(meant)
    spelled = Levenshtein.normalized_similarity(heard, meant)
    if max(len(heard), len(meant)) <= SHORT:
        same = one == other and Levenshtein.distance(heard, meant) <= 1
        return SOUND + (1 - SOUND) * spelled if same else 0.0
    if one[:1] != other[:1]:
        return 0.0
    return SOUND * Levenshtein.normalized_similarity(one, other) + (1 - SOUND) * spelled


class Forms:
    """Texts for comparison with whole lists of others; blanks and apostrophes do not count.

    :param texts: texts in lower case.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = [_together(text) for text in texts]
        self._sounds = [sounds(text) for text in texts]
        self._first = np.array([key[:1] for key in self._sounds])
        self.sizes: NDArray[np.float32] = np.array([len(text) for text in self._texts], np.float32)
        """Number of letters of each text."""

    def apart(self, heard: Sequence[str]) -> NDArray[np.float32]:
        """The letters in which each of ``heard`` differs from each of the texts, by spelling and by sound.

        :return: float32, shape (heard, texts). Another first sound counts as one more letter.
        """
        keys = [sounds(text) for text in heard]
        by_text = cdist([_together(text) for text in heard], self._texts, scorer=Levenshtein.distance)
        by_sound = cdist(keys, self._sounds, scorer=Levenshtein.distance)
        begin = np.array([[key[:1]] for key in keys]) != self._first
        apart: NDArray[np.float32] = ((1 - SOUND) * by_text + SOUND * (by_sound + begin)).astype(np.float32)
        return apart


def sounds(text: str) -> str:
    """The sound keys of several words, joined."""
    return "".join(map(sound, text.split()))


def _together(text: str) -> str:
    return text.replace(" ", "").replace("'", "")
