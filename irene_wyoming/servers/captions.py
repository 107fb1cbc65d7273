"""Captions: text that only grows, made of partial transcripts that may still change."""


class Captions:
    """Words are given out once two partial transcripts in a row agree on them; what was given out is never taken back.

    (The method is known as local agreement, Liu et al. 2020, "Low-latency sequence-to-sequence speech recognition".)
    """

    def __init__(self) -> None:
        self._before: list[str] = []
        self._given: list[str] = []

    def push(self, partial: str) -> str:
        """The words that are certain enough now, beyond those given out before; with a blank before them, or empty."""
        words = partial.split()
        agreed = common(self._before, words)
        self._before = words
        return self._give(words[:agreed])

    def finish(self, text: str) -> str:
        """What the final text has beyond what was given out; empty where it reads differently."""
        return self._give(text.split())

    def _give(self, words: list[str]) -> str:
        count = len(self._given)
        if len(words) <= count or words[:count] != self._given:
            return ""
        more = words[count:]
        self._given = words
        return (" " if count else "") + " ".join(more)


def common(one: list[str], other: list[str]) -> int:
    """How many words both begin with."""
    count = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        count += 1
    return count
