"""Captions: text that only grows, made of partial transcripts that may still change."""

from irene_wyoming.engines.base import Steady


class Captions:
    """Words are given out once two partial transcripts in a row agree on them; what was given out is never taken back.

    (The method is known as local agreement, Liu et al. 2020, "Low-latency sequence-to-sequence speech recognition".)
    Of an engine that takes nothing back, each letter is given out at once.
    """

    def __init__(self) -> None:
        self._before: list[str] = []
        self._given = ""

    def push(self, partial: str) -> str:
        """The text that is certain enough now, beyond what was given out before; may be empty."""
        words = partial.split()
        if isinstance(partial, Steady):
            return self._give(words)
        agreed = common(self._before, words)
        self._before = words
        return self._give(words[:agreed])

    def finish(self, text: str) -> str:
        """What the final text has beyond what was given out; empty where it reads differently."""
        return self._give(text.split())

    def _give(self, words: list[str]) -> str:
        text = " ".join(words)
        if not text.startswith(self._given):
            return ""
        more = text[len(self._given) :]
        self._given = text
        return more


def common(one: list[str], other: list[str]) -> int:
    """How many words both begin with."""
    count = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        count += 1
    return count
