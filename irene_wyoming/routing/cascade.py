"""Cascade: judges whether a fast provider's answer is good enough, and counts how often a strong one agrees."""

import logging

from irene_wyoming import metrics
from irene_wyoming.engines.base import Transcription

log = logging.getLogger(__name__)

WORDS = {"same": "the same", "other": "something else", "unheard": "what the first one did not understand"}


class Cascade:
    """Judges the first answer, and counts how it compares with the second.

    :param confidence: least confidence, 0 to 1, of an answer that needs no second one.
    """

    def __init__(self, confidence: float) -> None:
        self._confidence = confidence

    def sure(self, fast: Transcription) -> bool:
        """Whether the fast provider's answer is good enough."""
        good = bool(fast.text) and fast.confidence is not None and fast.confidence >= self._confidence
        good = good and fast.kind != "open"  # what a small model takes for no command is the strong one's job
        if good:
            metrics.CASCADE.labels("fast", "unchecked").inc()
        return good

    def strong_answered(self, fast: Transcription, strong: Transcription) -> None:
        """Count whether both answers agree, given that the fast provider was not sure."""
        agreed = agreement(fast.text, strong.text)
        metrics.CASCADE.labels("strong", agreed).inc()
        log.info("asr: %s said %s: %r, %r", strong.provider, WORDS[agreed], fast.text, strong.text)


def agreement(fast: str, strong: str) -> str:
    """Compare two transcripts: ``same``, ``other``, or ``unheard`` where the fast provider understood nothing."""
    if not fast:
        return "unheard"
    return "same" if plain(fast) == plain(strong) else "other"


def plain(text: str) -> str:
    """The text without capitals and punctuation, which only some providers write."""
    return " ".join("".join(c for c in text.casefold() if c.isalnum() or c.isspace() or c == "'").split())
