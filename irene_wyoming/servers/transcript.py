"""TranscriptWriter: one transcript on its way to a client, word by word where the client asked for that."""

from typing import Any

from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop

from irene_wyoming.engines.base import Transcription
from irene_wyoming.servers.captions import Captions
from irene_wyoming.servers.role import Peer


class TranscriptWriter:
    """Sends ``transcript``; to a client that asked for a stream ``transcript-start``, ``transcript-chunk`` and
    ``transcript-stop`` besides.

    :param streams: the client has asked for a stream.
    """

    def __init__(self, peer: Peer, language: str, *, streams: bool) -> None:
        self._peer = peer
        self._language = language
        self._streams = streams
        self._captions = Captions()
        self._begun = False

    async def partial(self, text: str) -> None:
        """What has been understood so far."""
        if self._streams:
            await self._chunk(self._captions.push(text))

    async def final(self, result: Transcription) -> None:
        if self._streams:
            await self._chunk(self._captions.finish(result.text))
        await self._peer.send(Transcript(text=result.text, language=result.language, context=context(result)))
        if self._begun:
            await self._peer.send(TranscriptStop())

    async def _chunk(self, text: str) -> None:
        if not text:
            return
        if not self._begun:
            self._begun = True
            await self._peer.send(TranscriptStart(language=self._language))
        await self._peer.send(TranscriptChunk(text=text))


def context(result: Transcription) -> dict[str, Any] | None:
    """What a client may want to know besides the text: kind, confidence, and the engine's details. None: nothing."""
    told: dict[str, Any] = {} if result.kind is None else {"kind": result.kind}
    if result.confidence is not None:
        told["confidence"] = round(result.confidence, 3)
    told.update(result.details)
    return told or None
