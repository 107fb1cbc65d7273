"""Cascade: when the answer of a fast provider is good enough, and how often a strong one would have said the same."""

import logging

from irene_wyoming import metrics
from irene_wyoming.engines.base import Transcription

log = logging.getLogger(__name__)

WORDS = {"same": "the same", "other": "something else", "unheard": "what the first one did not understand"}


class Cascade:
    """Judges the first answer, and counts how the second compares.

    :param confidence: least confidence, 0 to 1, of an answer that needs no second one.
    """

    def __init__(self, confidence: float) -> None:
        self._confidence = confidence

    def sure(self, fast: Transcription) -> bool:
        """Whether the fast provider's answer is good enough."""
        good = bool(fast.text) and fast.confidence is not None and fast.confidence >= self._confidence
        good = good and fast.kind != "open"  # what is no command of a small model is what the strong one is for
        if good:
            metrics.CASCADE.labels("fast", "unchecked").inc()
        return good

    def strong_answered(self, fast: Transcription, strong: Transcription) -> None:
        """Both have answered, since the fast one was not sure."""
        agreed = agreement(fast.text, strong.text)
        metrics.CASCADE.labels("strong", agreed).inc()
        log.info("asr: %s said %s: %r, %r", strong.provider, WORDS[agreed], fast.text, strong.text)


def agreement(fast: str, strong: str) -> str:
    """``same``, ``other``, or ``unheard`` where the fast one understood nothing."""
    if not fast:
        return "unheard"
    return "same" if plain(fast) == plain(strong) else "other"


def plain(text: str) -> str:
    """The text without capitals and punctuation, which only some providers write."""
    return " ".join("".join(c for c in text.casefold() if c.isalnum() or c.isspace() or c == "'").split())
