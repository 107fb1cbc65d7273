"""Captions: text that only grows, made from partial transcripts that may still change."""

from irene_wyoming.engines.base import Steady


class Captions:
    """Gives out words once two partial transcripts in a row agree on them, and never takes one back.

    The method is local agreement (Liu et al. 2020, "Low-latency sequence-to-sequence speech recognition"). Text of an
    engine that takes nothing back is given out at once.
    """

    def __init__(self) -> None:
        self._before: list[str] = []
        self._given = ""

    def push(self, partial: str) -> str:
        """Take a partial transcript; returns the new part of the certain text, maybe empty."""
        words = partial.split()
        if isinstance(partial, Steady):
            return self._give(words)
        agreed = common(self._before, words)
        self._before = words
        return self._give(words[:agreed])

    def finish(self, text: str) -> str:
        """Take the final text; returns the part that was not given out yet, or nothing where it reads differently."""
        return self._give(text.split())

    def _give(self, words: list[str]) -> str:
        text = " ".join(words)
        if not text.startswith(self._given):
            return ""
        more = text[len(self._given) :]
        self._given = text
        return more


def common(one: list[str], other: list[str]) -> int:
    """The number of words with which both texts begin."""
    count = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        count += 1
    return count
