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
"""Seconds before the first attempt to reopen a source, short because most failures pass at once."""

RETRY_MAX_S = 2.0
"""Most seconds between two attempts, so that a microphone plugged in again is heard within 3 s."""


class LiveAudio(Protocol):
    """An open source of live audio."""

    @property
    def format(self) -> AudioFormat: ...

    def __aiter__(self) -> AsyncIterator[AudioChunk]: ...


class LiveSource(Protocol):
    """A source that a feed can keep open: the part of ``capture.base.Source`` that this lower layer needs."""

    @property
    def name(self) -> str: ...

    def open(self) -> AbstractAsyncContextManager[LiveAudio]: ...


class FeedState(StrEnum):
    IDLE = "idle"
    """The source is closed because nobody listens."""
    OPENING = "opening"
    RUNNING = "running"
    """Audio arrives from the source."""
    FAILED = "failed"
    """The source could not be opened, or broke. It is tried again for as long as somebody listens."""


@dataclass(frozen=True, slots=True)
class FeedStatus:
    state: FeedState
    reason: str = ""
    """Why the source failed and what to do; empty unless failed."""
    format: AudioFormat | None = None
    """The source's own format; None unless running."""


class Feed:
    """Opens one source for many listeners, from the first of them until ``linger_s`` seconds after the last.

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
        """:param buffer_ms: audio kept for a slow listener; beyond it the oldest is dropped.
        :param mix: how the source's channels become one for listeners that want one.
        """
        self._source = source
        self._linger_s = linger_s
        self._buffer_ms = buffer_ms
        self._retry_s = retry_s
        self._retry_max_s = retry_max_s
        self._mix = mix
        self._stream = SharedStream(self._mix)
        self._status = FeedStatus(FeedState.IDLE)
        self._said = ""  # the failure that was logged and still lasts
        self._listeners = 0
        self._closed = False
        self._settled = asyncio.Event()  # set when the source has run or failed since the task started
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
        """Hear the source from now on in this format, in chunks of ``chunk_frames`` frames.

        When the feed closes, the subscription ends.
        """
        chunks = math.ceil(self._buffer_ms * audio_format.rate / 1000 / chunk_frames)
        subscription = self._stream.view(audio_format, quality, chunk_frames=chunk_frames, capacity=max(1, chunks))
        with subscription, self.kept_open():
            yield subscription

    async def probe(self) -> FeedStatus:
        """Open the source as for a listener; say whether it runs or has failed, and log it."""
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
        """End every listener after its queued audio, then close the source."""
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
        # cancel once only: a second time would disturb the closing of the source
        if self._task is not None and not self._stopping:
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
            self._start()  # a listener came while the source was being closed
        if self._task is None and self._status.state is not FeedState.FAILED:
            self._status = FeedStatus(FeedState.IDLE)

    def _broke(self, error: BaseException) -> None:
        """After a bug: end the listeners rather than let them wait for ever. The next one opens the source anew."""
        log.error("%s: unexpected error", self._source.name, exc_info=error)
        self._status = FeedStatus(FeedState.FAILED, f"unexpected error: {error!r}")
        self._settled.set()
        self._stream.close()
        self._stream = SharedStream(self._mix)

    async def _run(self) -> None:
        """Keep the source open until this task is cancelled."""
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
                return  # the source failed while closing: the cancellation was lost in that error
            self._stream.interrupt()
            self._failed(reason)
            if loop.time() - opened > self._retry_max_s:
                delay = self._retry_s  # the source ran for a while, so it does not die at every start
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
