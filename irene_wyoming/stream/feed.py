"""Feed: keeps one source open for as long as somebody listens."""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from irene_wyoming import metrics
from irene_wyoming.audio.adaptive import AdaptivePolicy
from irene_wyoming.audio.cache import CacheStats
from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import MEAN, AudioFormat, Mix
from irene_wyoming.errors import IreneError
from irene_wyoming.stream.fanout import Subscription
from irene_wyoming.stream.shared import SharedStream

log = logging.getLogger(__name__)

RETRY_S = 0.25
"""Before the first attempt to reopen: what only hiccuped is back at once."""

RETRY_MAX_S = 2.0
"""Between attempts at most, so that a microphone that is plugged in again is heard within 3 s."""


class LiveAudio(Protocol):
    """An open source."""

    @property
    def format(self) -> AudioFormat: ...

    def __aiter__(self) -> AsyncIterator[AudioChunk]: ...


class LiveSource(Protocol):
    """What a feed can keep open: see capture.base.Source, which this layer may not import."""

    @property
    def name(self) -> str: ...

    def open(self) -> AbstractAsyncContextManager[LiveAudio]: ...


class FeedState(StrEnum):
    IDLE = "idle"
    """Closed, because nobody listens."""
    OPENING = "opening"
    RUNNING = "running"
    """Audio arrives."""
    FAILED = "failed"
    """Could not be opened or broke; tried again for as long as somebody listens."""


@dataclass(frozen=True, slots=True)
class FeedStatus:
    state: FeedState
    reason: str = ""
    """Why it failed and what to do."""
    format: AudioFormat | None = None
    """The source's own; None unless running."""


class Feed:
    """Opens one source for many listeners: at the first of them, and until ``linger_s`` after the last.

    A source that cannot be opened, breaks or ends is opened again, ever less often (``retry_s`` to ``retry_max_s``).
    Listeners just wait for audio meanwhile; it goes on in their format whatever format the source comes back with. A
    failure is logged once, not once per attempt. Close the feed to end the listeners and the source.
    """

    def __init__(
        self,
        source: LiveSource,
        *,
        linger_s: float,
        buffer_ms: int,
        retry_s: float = RETRY_S,
        retry_max_s: float = RETRY_MAX_S,
        mix: Mix = MEAN,
    ) -> None:
        """``buffer_ms``: audio kept for a slow listener; beyond it its oldest is dropped. ``mix``: how the source's
        channels become one for listeners that get one."""
        self._source = source
        self._linger_s = linger_s
        self._buffer_ms = buffer_ms
        self._retry_s = retry_s
        self._retry_max_s = retry_max_s
        self._mix = mix
        self._stream = SharedStream(self._mix)
        self._status = FeedStatus(FeedState.IDLE)
        self._said = ""  # the failure that is in the log and still lasts
        self._listeners = 0
        self._closed = False
        self._settled = asyncio.Event()  # since the task started, the source has run or failed
        self._task: asyncio.Task[None] | None = None  # None: the source is closed
        self._stopping = False  # the task has been told to close the source
        self._linger: asyncio.TimerHandle | None = None  # None: somebody listens, or the source is closed

    @property
    def status(self) -> FeedStatus:
        return self._status

    @property
    def listeners(self) -> int:
        return self._listeners

    def stats(self) -> CacheStats:
        """How often a listener joined a conversion that was in use (see ``SharedStream.stats``)."""
        return self._stream.stats()

    @asynccontextmanager
    async def listen(
        self, audio_format: AudioFormat, quality: str | AdaptivePolicy, chunk_frames: int
    ) -> AsyncIterator[Subscription[AudioChunk]]:
        """Hear the source in this format, from now on, in chunks of ``chunk_frames`` frames.

        Once the feed is closed the subscription is at its end.
        """
        chunks = math.ceil(self._buffer_ms * audio_format.rate / 1000 / chunk_frames)
        subscription = self._stream.view(audio_format, quality, chunk_frames=chunk_frames, capacity=max(1, chunks))
        with subscription, self.kept_open():
            yield subscription

    async def probe(self) -> FeedStatus:
        """Open the source as for a listener, and say whether it is running or has failed. Both are logged."""
        with self.kept_open():
            await self._settled.wait()
            return self._status

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Keep the source open, whether somebody listens or not."""
        self._listeners += 1
        self._start()
        try:
            yield
        finally:
            self._listeners -= 1
            if not self._listeners and self._task is not None and not self._stopping:
                self._linger = asyncio.get_running_loop().call_later(self._linger_s, self._stop)

    async def close(self) -> None:
        """End every listener after what it has queued, then close the source."""
        self._closed = True
        self._stream.close()
        self._settled.set()
        if self._task is not None:
            self._stop()
            await asyncio.wait({self._task})

    def _start(self) -> None:
        self._keep_open()
        if self._task is None and not self._closed:
            self._settled.clear()
            self._task = asyncio.create_task(self._run(), name=f"feed {self._source.name}")
            self._task.add_done_callback(self._stopped)

    def _stop(self) -> None:
        self._keep_open()
        if self._task is not None and not self._stopping:  # once: a second time would disturb the source's closing
            self._stopping = True
            self._task.cancel()

    def _keep_open(self) -> None:
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None

    def _stopped(self, task: asyncio.Task[None]) -> None:
        asked, self._stopping, self._task = self._stopping, False, None
        self._keep_open()
        self._stream.interrupt()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broke(error)
        elif not asked:
            self._closed = True  # cancelled from outside: the program is ending
            self._settled.set()
            self._stream.close()
        elif self._listeners:
            self._start()  # somebody came while it was being closed
        if self._task is None and self._status.state is not FeedState.FAILED:
            self._status = FeedStatus(FeedState.IDLE)

    def _broke(self, error: BaseException) -> None:
        """A bug: end the listeners rather than let them wait for ever; the next one opens the source anew."""
        log.error("%s: unexpected error", self._source.name, exc_info=error)
        self._status = FeedStatus(FeedState.FAILED, f"unexpected error: {error!r}")
        self._settled.set()
        self._stream.close()
        self._stream = SharedStream(self._mix)

    async def _run(self) -> None:
        """Keep the source open until cancelled."""
        loop = asyncio.get_running_loop()
        delay = self._retry_s
        if self._status.state is not FeedState.FAILED:
            self._status = FeedStatus(FeedState.OPENING)
        while True:
            opened = loop.time()
            try:
                await self._pump()
                reason = "the source has ended"
            except IreneError as error:
                reason = str(error)
            if self._stopping:
                return  # the source failed while it was being closed: the cancellation went into that error
            self._stream.interrupt()
            self._failed(reason)
            if loop.time() - opened > self._retry_max_s:
                delay = self._retry_s  # it ran for a while: not one that dies at every start
            await asyncio.sleep(delay)
            delay = min(2 * delay, self._retry_max_s)

    async def _pump(self) -> None:
        async with self._source.open() as live:
            expected: int | None = None  # start of the next chunk; None before the first
            async for chunk in live:
                if expected != chunk.start:
                    if expected is None:
                        self._running(live.format)
                    else:
                        metrics.CAPTURE_OVERRUNS.inc()
                expected = chunk.start + chunk.frames
                self._stream.publish(chunk)

    def _running(self, audio_format: AudioFormat) -> None:
        self._status = FeedStatus(FeedState.RUNNING, format=audio_format)
        self._settled.set()
        self._said = ""
        metrics.CAPTURE_OPENED.inc()
        log.info("%s: %s", self._source.name, audio_format)

    def _failed(self, reason: str) -> None:
        if self._status.state is FeedState.RUNNING:
            metrics.CAPTURE_BROKEN.inc()
        self._status = FeedStatus(FeedState.FAILED, reason)
        self._settled.set()
        if reason != self._said:
            self._said = reason
            log.warning("%s: %s; trying again while somebody listens", self._source.name, reason)
