"""TranscriptWriter: sends one transcript to a client, word by word where the engine can."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop

from irene_wyoming.engines.base import Transcription
from irene_wyoming.news import NEWS
from irene_wyoming.servers.captions import Captions
from irene_wyoming.servers.heard import loudness
from irene_wyoming.servers.role import Peer

log = logging.getLogger(__name__)

SHOWN_DETAILS = ("level_dbfs", "snr_db", "reason", "nearest", "nearest_confidence")
"""Details of a transcript that the page shows."""


class TranscriptWriter:
    """Sends ``transcript``. By the protocol's convention it starts with ``transcript-start``, has a
    ``transcript-chunk`` for each piece of text, and ends with ``transcript-stop``. Clients that do not know streams
    ignore these. An engine that understands nothing before the end gives one piece.

    :param waited_s: gives the seconds that the person has been waiting; None: they still speak.
    :param caller: the client's name in the log.
    """

    def __init__(self, peer: Peer, language: str, waited_s: Callable[[], float | None], caller: str) -> None:
        self._peer = peer
        self._language = language
        self._waited_s = waited_s
        self._caller = caller
        self._captions = Captions()
        self._begun = False

    async def partial(self, text: str) -> None:
        """Take a partial transcript and send its new certain text."""
        await self._chunk(self._captions.push(text))

    async def final(self, result: Transcription) -> None:
        await self._begin()
        await self._chunk(self._captions.finish(result.text))
        await self._peer.send(Transcript(text=result.text, language=result.language, context=context(result)))
        if result.provider:
            waited_s = self._waited_s()
            log.info("asr: %s", said(self._caller, result, waited_s))
            NEWS.tell("command", caller=self._caller, **shown(result, waited_s))
        await self._peer.send(TranscriptStop())

    async def _chunk(self, text: str) -> None:
        if text:
            await self._begin()
            await self._peer.send(TranscriptChunk(text=text))

    async def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            await self._peer.send(TranscriptStart(language=self._language))


def context(result: Transcription) -> dict[str, Any] | None:
    """Facts for the client besides the text: kind, confidence, and the engine's details; None: there are none."""
    told: dict[str, Any] = {} if result.kind is None else {"kind": result.kind}
    if result.confidence is not None:
        told["confidence"] = round(result.confidence, 3)
    told.update(result.details)
    return told or None


def said(caller: str, result: Transcription, delay_s: float | None) -> str:
    """Describe a transcript for the log.

    :param caller: the client's name in the log.
    :param delay_s: seconds since the end of the audio.
    """
    details: Mapping[str, Any] = result.details
    when = "" if delay_s is None else f" {delay_s:.2f} s after the end"
    sound = loudness(details.get("level_dbfs"), details.get("snr_db"))
    nearest = details.get("nearest")
    near = f", nearest was {nearest!r}" if nearest and nearest != result.text else ""
    if not result.text:
        why = details.get("reason") or "no words"
        return f"{caller}: nothing understood: {why} ({result.provider}{when}{near}{sound})"
    kind = {"command": "a command", "open": "no command"}.get(result.kind or "", "")
    sure = None if result.confidence is None else f"confidence {result.confidence:.2f}"
    by = ", ".join(filter(None, (kind, sure, f"by {result.provider}{when}")))
    return f"{caller} said {result.text!r} ({by}{near}{sound})"


def shown(result: Transcription, delay_s: float | None) -> dict[str, Any]:
    """Describe a transcript for the page.

    :param delay_s: seconds since the end of the audio.
    """
    details = {name: result.details.get(name) for name in SHOWN_DETAILS}
    return {
        "text": result.text,
        "kind": result.kind,
        "confidence": None if result.confidence is None else round(result.confidence, 3),
        "provider": result.provider,
        "delay_s": None if delay_s is None else round(delay_s, 3),
        **details,
    }
