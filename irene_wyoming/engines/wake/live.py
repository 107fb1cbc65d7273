"""LiveSession: a wake session on a worker's thread that takes audio without making the caller wait."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import ParamSpec, Protocol

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.base import Hit, WakeSession
from irene_wyoming.engines.worker import Worker
from irene_wyoming.metrics import INFER_SECONDS

TURN_BYTES = 8_000
"""Bytes that a session hears at a time (250 ms of 16 kHz 16 bit mono), before others have their turn."""

ROOM_BYTES = 128_000
"""Most bytes that may wait for a turn, four seconds. Beyond it the caller waits, and with it a client that sends too
fast. More waiting bytes let the loop and the thread take Python's lock from each other less often.
"""

LOW_BYTES = TURN_BYTES
"""Bytes left at which a waiting caller is woken, so that the thread has work until more comes. A wake-up after every
turn would cost the loop and the thread more than their work.
"""

KEPT_SHARE = 0.3
"""Share of the waiting audio that stays when old audio is dropped. Many small drops would damage every word; after a
large one some seconds are whole.
"""


class SkippingSession(WakeSession, Protocol):
    """A wake session that can be told about audio that it never gets."""

    def skip(self, frames: int) -> None:
        """Leave out this many frames of the stream; the next push comes behind them."""


P = ParamSpec("P")

OnHits = Callable[[Sequence[Hit]], None]
OnFailure = Callable[[Exception], None]


class LiveSession:
    """A session of live audio. Its methods are for the event loop's thread unless they say otherwise.

    The loop is woken only for a hit, for a waiting caller, or where audio is wanted sooner than announced. A wake-up
    costs as much as a step of microWakeWord.
    """

    def __init__(
        self,
        session: SkippingSession,
        worker: Worker,
        engine: str,
        on_hits: OnHits,
        on_failure: OnFailure,
        on_hurry: Callable[[], None],
    ) -> None:
        """:param session: the engine's session, closed with this one.
        :param worker: the worker on whose thread it was made.
        :param engine: name of the engine, for the metrics.
        :param on_hits: called with hits, in order.
        :param on_failure: called once, when the session cannot be used any more.
        :param on_hurry: called when ``needs`` has become less.
        """
        self._session = session
        self._worker = worker
        self._seconds = INFER_SECONDS.labels(engine)
        self._on_hits = on_hits
        self._on_failure = on_failure
        self._on_hurry = on_hurry
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._over = False  # closed, or failed: nothing more is heard
        self._waiters: list[asyncio.Future[None]] = []  # futures of callers that wait for the thread
        # Touched by both threads, under the lock.
        self._lock = threading.Lock()
        self._given: deque[tuple[bytes, float]] = deque()  # each with the time of its arrival
        self._waited_s = 0.0
        self._skipped = 0  # dropped bytes that the session does not know of yet
        self._ahead = 0  # bytes given and not heard yet
        self._working = False  # whether the thread was asked to go on, and has not heard everything yet
        self._needs = session.needs

    @property
    def needs(self) -> int:
        """Frames until a word could be heard, as the thread last reported; audio given since counts in addition."""
        return self._needs

    @property
    def waited_s(self) -> float:
        """Seconds that the audio had waited which the thread took last: the delay of the engines."""
        return self._waited_s

    def give(self, pcm: bytes) -> None:
        """Give whole frames to the session. One that has failed or is closed ignores them."""
        if self._over:
            return
        with self._lock:
            self._given.append((pcm, time.monotonic()))
            self._ahead += len(pcm)
            idle, self._working = not self._working, True
        if idle:
            self._worker.post(self._work)

    def drop(self, most: int) -> int:
        """Where more than ``most`` bytes wait, drop the oldest, so that present speech is heard soon.

        :returns: the number of dropped bytes.
        """
        if self._ahead <= most:
            return 0
        dropped = 0
        with self._lock:
            while self._given and self._ahead - dropped > most * KEPT_SHARE:
                dropped += len(self._given.popleft()[0])
            self._ahead -= dropped
            self._skipped += dropped
        return dropped

    async def room(self) -> None:
        """Wait until at most ROOM_BYTES wait to be heard."""
        while self._ahead > ROOM_BYTES and not self._over:
            await self._progress()

    async def heard(self) -> None:
        """Wait until all given audio has been heard and its hits reported."""
        while self._ahead and not self._over:
            await self._progress()
        await asyncio.sleep(0)  # the thread's last callbacks run before this goes on

    def close(self) -> None:
        """Let the thread close the session; audio that waits is not heard. May be called more than once."""
        if not self._closed:
            self._closed = self._over = True
            self._resume()
            self._worker.discard(self._session)

    async def _progress(self) -> None:
        """Wait for the end of the thread's turn."""
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiters.append(waiter)
        with self._lock:
            if not self._working:  # the thread has ended its work in between
                self._resume()
        await waiter

    def _resume(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    def _report(self, hits: Sequence[Hit]) -> None:
        if not self._over:
            self._on_hits(hits)

    def _fail(self, error: Exception) -> None:
        if not self._over:
            self._over = True
            self._on_failure(error)
            self._resume()

    def _tell(self, call: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Let the loop make a call. On the worker's thread."""
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(partial(call, *args, **kwargs))

    def _work(self) -> None:
        """Work for one turn. On the worker's thread."""
        pcm, skipped = self._take()
        began = time.perf_counter()
        try:
            if skipped:
                self._session.skip(SPEECH.frames(skipped))
            hits = self._session.push(pcm)
            needs = self._session.needs
        except Exception as error:
            self._tell(self._fail, error)
            return
        self._seconds.observe(time.perf_counter() - began)
        if hits:
            self._tell(self._report, hits)
        sooner = needs < self._needs
        with self._lock:
            self._needs = needs
            self._ahead -= len(pcm)
            working = self._working = bool(self._given)
        if working:
            with suppress(RuntimeError):  # the worker is closed: nobody listens any more
                self._worker.post(self._work)
        if not self._waiters:
            if sooner:
                self._tell(self._on_hurry)
        elif self._ahead <= LOW_BYTES:
            self._tell(self._resume)

    def _take(self) -> tuple[bytes, int]:
        """Take the audio of this turn, and the number of bytes dropped before it."""
        pieces: list[bytes] = []
        size = 0
        with self._lock:
            self._waited_s = time.monotonic() - self._given[0][1] if self._given else 0.0
            while self._given and (not pieces or size + len(self._given[0][0]) <= TURN_BYTES):
                size += len(self._given[0][0])
                pieces.append(self._given.popleft()[0])
            skipped, self._skipped = self._skipped, 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces), skipped
