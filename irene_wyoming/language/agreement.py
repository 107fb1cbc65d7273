"""Agreement: decides whether the nearest sentence is what was meant.

The worst that a mended transcript can be is another command. So the whole and each changed word have to be near. A word
with a meaning of its own has to be nearer still, and every other sentence farther away.
"""

from collections.abc import Callable, Container, Sequence
from functools import lru_cache

import numpy as np
from rapidfuzz.distance import LCSseq

from irene_wyoming.language import signs
from irene_wyoming.language.alignment import apart
from irene_wyoming.language.closeness import sound
from irene_wyoming.language.nearest import LOST, Change, Near
from irene_wyoming.language.phones import all_phones

SMALL = LOST | frozenset(["and", "at", "for", "i", "in", "it", "my", "of", "on", "some", "that", "this", "with"])
"""Words that mean little by themselves: "in my economy" was heard for "americano"."""
TURNING = frozenset(["to", "from", "not", "don't", "without", "is", "are", "was", "were"])
"""Words that turn a text into another command or a statement, so that none may be ignored."""

# All four were fitted on 400 transcripts of 80 coffee orders with even numbers, alone and beside a kitchen: as many
# right ones as possible, of which none becomes another order.
FAR = 0.15
"""Share of its sounds in which the whole sentence may differ."""
MARGIN = 0.45
"""Sounds by which the next best sentence has to be farther away; a vowel is 0.6."""
LEAD = 0.5
"""Sounds by which other readings of one word have to be farther away."""
WORD = 0.45
"""Share of its sounds in which a changed word may differ."""
SHORT, SHORT_WORD = 3, 0.3
"""Sounds up to which a word is short, and the share of them that may differ: "deal" is no "door"."""
WORD_ABROAD = 0.25
"""Share of a word's sounds that may differ in other languages, which have no list of things that homes may lack."""
KNOWN = 0.2
"""Share of sounds that may differ in words with a meaning of their own: "all the milk" is no "whole milk"."""


ARTICLES = frozenset(["a", "an", "the", *(each for listed in signs.ARTICLES.values() for each in listed)])
"""Articles of all languages: sentences that differ only in one of them mean the same."""

Rivals = Callable[[Change], Sequence[str]]
"""Gives other words that might have been meant at a place."""
Same = Callable[[str, str], bool]
"""Tells whether two sentences mean the same, or the second one is no sentence."""
MOST_COMPARED = 5
"""Rivals that the hub is asked about; each takes some milliseconds."""


def agreed(near: Sequence[Near], known: Container[str], rivals: Rivals, same: Same, language: str) -> Near | None:
    """Choose the sentence that was meant; None: it is not certain.

    :param near: sentences similar to what was heard, best first.
    :param known: words with a meaning of their own.
    :param language: two letters.
    """
    if not near or near[0].distance > FAR or near[0].left_out:
        return None
    best = near[0]
    if not all(_stands_for(change.heard, change.meant, known, language) for change in best.changed):
        return None
    others = [
        best.said.replace(change.meant, rival, 1)
        for change in best.changed
        for rival in _close(change, rivals(change), language)
    ]
    others += [
        rival.written
        for rival in near[1:]
        if rival.sounds - best.sounds < MARGIN and not rival.left_out and gist(rival.said) != gist(best.said)
    ]
    others = list({other.casefold(): other for other in others}.values())
    if len(others) > MOST_COMPARED or not all(same(best.written, other) for other in others):
        return None
    return best


def _close(change: Change, rivals: Sequence[str], language: str) -> list[str]:
    """Rivals of a changed word that are hardly farther away than the word itself."""
    meant = [all_phones(each, language) for each in (change.meant, *rivals)]
    heard = all_phones(change.heard, language)
    costs = apart(heard, meant)
    sizes = np.array([max(len(heard), len(each)) for each in meant])
    close = (costs <= WORD * sizes) & (costs < costs[0] + LEAD)
    return [rival for rival, is_close in zip(rivals, close[1:], strict=True) if is_close]


def _stands_for(heard: str, meant: str, known: Container[str], language: str) -> bool:
    words = [word for word in heard.split() if word not in SMALL]
    before, after = heard.split(), meant.split()
    if meant in before and any(word != meant and word not in LOST for word in before):
        return False  # the word was said, and something else beside it
    if not TURNING.isdisjoint(set(before) - set(after)):
        return False
    unlike = unlikeness(heard, meant, language)
    clear = any(word in known for word in words) or all(word in known for word in before)
    if language == "en" and not _shared_consonants(heard, meant):
        return False  # "pipe" is no "light", though both have few sounds and the same vowel
    short = max(len(all_phones(heard, language)), len(all_phones(meant, language))) <= SHORT
    if clear:
        return unlike <= KNOWN
    return unlike <= (WORD_ABROAD if language != "en" else SHORT_WORD if short else WORD)


def may_name(heard: str, name: str, language: str) -> bool:
    """Whether the words that differ may be misheard: "living room pipe" is no living room lamp, though most is equal.

    :param heard: spoken words.
    :param name: the spoken words of the name.
    """
    before, after = heard.split(), name.split()
    changed = " ".join(word for word in before if word not in after)
    meant = " ".join(word for word in after if word not in before)
    return not changed or not meant or unlikeness(changed, meant, language) <= WORD


def _shared_consonants(heard: str, meant: str) -> int:
    """Consonants that two words have in the same order; voiced and voiceless ones are equal."""
    one, other = (sound(word).replace("a", "") for word in (heard.replace(" ", ""), meant.replace(" ", "")))
    return LCSseq.similarity(one, other)


def _cost(heard: str, meant: str, language: str) -> float:
    return float(apart(all_phones(heard, language), [all_phones(meant, language)])[0])


def gist(said: str) -> list[str]:
    """The words of a sentence without articles."""
    return [word for word in said.split() if word not in ARTICLES]


@lru_cache(maxsize=8192)
def unlikeness(heard: str, meant: str, language: str) -> float:
    """The share of sounds in which two words differ."""
    longest = max(len(all_phones(heard, language)), len(all_phones(meant, language)), 1)
    return _cost(heard, meant, language) / longest
