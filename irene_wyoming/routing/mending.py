"""Mending: corrects a provider's transcripts by the names and sentences of the home."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from irene_wyoming.engines.base import Transcription
from irene_wyoming.heap import lasting
from irene_wyoming.language.snap import Snap
from irene_wyoming.language.vocabulary import Vocabulary

if TYPE_CHECKING:
    from irene_wyoming.language.snapping import Snapper

log = logging.getLogger(__name__)

LANGUAGES = 2
"""Most languages whose templates are kept ready; each takes some ten megabytes."""


class Mending:
    """Mends the transcripts of one provider, on that provider's thread.

    :param snap: what to match: ``names`` or ``sentences``.
    :param vocabulary: the configured names.
    :param sentences: the user's own sentences, in hassil's notation.
    :param language: language of transcripts that do not tell theirs.
    """

    def __init__(self, snap: Snap, vocabulary: Vocabulary, sentences: Sequence[str], language: str) -> None:
        self._snap = snap
        self._vocabulary = vocabulary
        self._sentences = tuple(sentences)
        self._language = language
        self._snapper = lru_cache(LANGUAGES)(self._made)
        self._prepared = lru_cache(LANGUAGES)(self._prepare)

    def prepare(self) -> None:
        """Do slow preparations, which take seconds, so that the first utterance need not wait for them."""
        self._prepared(self._language, None)

    def expect(self, names: Vocabulary | None, language: str | None = None) -> None:
        """Prepare for new utterances while they are spoken, or before: new names need slow preparations.

        :param names: names that the home has now, besides the configured ones.
        :param language: language of the utterances; None: the usual one.
        """
        try:
            self._prepared(language or self._language, names)
        except Exception:  # an unexpected failure here must not cost a transcript
            log.exception("asr: the names of the home cannot be made ready for matching")

    def mended(self, heard: Transcription, names: Vocabulary | None) -> Transcription:
        """Match a transcript to the names and sentences of the home.

        :param names: names that the home has now, besides the configured ones.
        """
        if heard.kind == "command" or not heard.text:
            return heard
        try:
            snapped = self._snapper(heard.language or self._language).snapped(heard.text, names)
        except Exception:  # an unexpected failure here must not cost a transcript
            log.exception("asr: %s: a transcript cannot be matched to the home and stays as it is", heard.provider)
            return heard
        if snapped.how == "left":
            return heard
        sure = heard.confidence if snapped.how == "right" else snapped.confidence
        details = {**heard.details, "snapped": snapped.how, "heard": heard.text}
        return replace(heard, text=snapped.text, confidence=sure, kind="command", details=details)

    def _prepare(self, language: str, names: Vocabulary | None) -> None:
        with lasting():
            self._snapper(language).prepare(names)

    def _made(self, language: str) -> "Snapper":
        from irene_wyoming.language.snapping import Snapper  # hassil is slow to load and only needed here

        return Snapper(self._snap, self._vocabulary, self._sentences, language)
