"""MicRole: one listener of the microphone server."""

import asyncio
from collections import deque
from dataclasses import dataclass

from wyoming.event import Event

from irene_wyoming import metrics
from irene_wyoming.audio.adaptive import AdaptivePolicy
from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.servers.role import Peer, Role
from irene_wyoming.servers.shown import ShownStream
from irene_wyoming.stream.feed import Feed
from irene_wyoming.tasks import ended
from irene_wyoming.wire.audio import chunk_event, start_event
from irene_wyoming.wire.framing import encode

GRACE_S = 0.05
"""Seconds before the device is opened for a new listener. Hubs that ask for Info every 30 s have left by then."""


RECENT = 16
"""Chunks whose encoded bytes are kept, 0.6 s by default: as far as one healthy listener lags behind another."""


class Encoder:
    """Encodes each chunk of a view once, however many listeners get it."""

    def __init__(self, form: AudioFormat) -> None:
        self._form = form
        self._recent: deque[tuple[AudioChunk, bytes]] = deque(maxlen=RECENT)  # newest first

    def encoded(self, chunk: AudioChunk) -> bytes:
        """Encode a chunk as an ``audio-chunk`` event."""
        for known, encoded in self._recent:
            if known is chunk:
                return encoded
        encoded = encode(chunk_event(self._form, chunk.pcm, chunk.timestamp))
        self._recent.appendleft((chunk, encoded))
        return encoded


@dataclass(frozen=True, slots=True)
class MicService:
    """What all listeners of one microphone server share."""

    feed: Feed
    format: AudioFormat
    quality: str | AdaptivePolicy
    chunk_frames: int
    encoder: Encoder


class MicRole(Role):
    """Streams to one listener from the moment of its connection; a microphone client sends no request."""

    idle_ok = True  # listeners have nothing to say

    def __init__(self, service: MicService, peer: Peer) -> None:
        self._service = service
        self._peer = peer
        self._listener: asyncio.Task[None] | None = None
        self._dropped = 0  # lost chunks that are in the metrics

    async def opened(self) -> None:
        self._listener = self._peer.spawn(self._send_audio(), "microphone listener")

    async def on_event(self, _event: Event) -> bool:
        """Ignore the event: nothing that a listener sends changes what it hears."""
        return True

    async def close(self) -> None:
        listener, self._listener = self._listener, None
        await ended(listener)

    async def _send_audio(self) -> None:
        service, form = self._service, self._service.format
        await self._peer.send(start_event(form))
        await asyncio.sleep(GRACE_S)
        async with service.feed.listen(form, service.quality, service.chunk_frames) as chunks:
            shown = ShownStream("listener", "", form.rate) if (form.width, form.channels) == (2, 1) else None
            try:
                async for chunk in chunks:
                    if shown is not None:
                        shown.heard(chunk.pcm)
                    await self._peer.send_encoded(service.encoder.encoded(chunk))
                    self._count(chunks.dropped)
            finally:
                self._count(chunks.dropped)
                if shown is not None:
                    shown.hide()

    def _count(self, dropped: int) -> None:
        """Add newly lost chunks to the metrics. ``dropped``: all chunks that this listener has lost."""
        if dropped > self._dropped:
            metrics.DROPPED_FRAMES.labels("mic").inc((dropped - self._dropped) * self._service.chunk_frames)
            self._dropped = dropped
