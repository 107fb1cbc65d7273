"""LiveSession: a wake session on a worker's thread that is given audio without waiting for what it hears in it."""

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
"""What a session hears at a time, 250 ms of 16 kHz 16 bit mono: then others that wait have their turn."""

ROOM_BYTES = 128_000
"""What may wait for its turn, four seconds: for more the caller has to wait, and with it the client that sends so fast.
The more may wait, the less often the loop and the thread take Python's lock from each other."""

LOW_BYTES = TURN_BYTES
"""Who waits is woken when no more than this is left: the thread has something to do until more comes. Woken after every
turn, the loop and the thread would get in each other's way, which costs both more than their work."""

KEPT_SHARE = 0.3
"""Of what may wait, what stays when old audio is dropped. Little by little, every word would lose a piece; so, what is
heard between two drops is whole for some seconds."""


class SkippingSession(WakeSession, Protocol):
    """A wake session that can be told of audio that it never gets."""

    def skip(self, frames: int) -> None:
        """So many frames of the stream are left out; what is pushed next comes behind them."""


P = ParamSpec("P")

OnHits = Callable[[Sequence[Hit]], None]
OnFailure = Callable[[Exception], None]


class LiveSession:
    """Everything but what says otherwise is for the event loop's thread.

    The loop is woken only where something was heard, where somebody waits, or where audio is wanted sooner than was
    said before: a wake-up costs as much as a step of microWakeWord.
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
        """:param session: is closed with this one.
        :param worker: on whose thread it was made.
        :param engine: for the metrics.
        :param on_hits: is called with what was heard, in order.
        :param on_failure: is called once, when the session is of no use any more.
        :param on_hurry: is called when ``needs`` has become less.
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
        self._waiters: list[asyncio.Future[None]] = []  # of who waits for the thread to get on
        # What both threads touch, under the lock.
        self._lock = threading.Lock()
        self._given: deque[tuple[bytes, float]] = deque()  # each with the time at which it was given
        self._waited_s = 0.0
        self._skipped = 0  # bytes that were dropped, of which the session has not been told
        self._ahead = 0  # bytes given, but not heard yet
        self._working = False  # the thread has been asked to go on, and has not come to the end of what was given
        self._needs = session.needs

    @property
    def needs(self) -> int:
        """Frames until a word could be heard, as the thread last said; beside those that were given since."""
        return self._needs

    @property
    def waited_s(self) -> float:
        """For how long the audio had waited that the thread took last, seconds: how far the engines are behind."""
        return self._waited_s

    def give(self, pcm: bytes) -> None:
        """Have whole frames heard. To a session that has failed or is closed nothing is given."""
        if self._over:
            return
        with self._lock:
            self._given.append((pcm, time.monotonic()))
            self._ahead += len(pcm)
            idle, self._working = not self._working, True
        if idle:
            self._worker.post(self._work)

    def drop(self, most: int) -> int:
        """Where more than ``most`` bytes wait, drop the oldest of them, so that what is said now is heard soon.

        :returns: the bytes that will not be heard.
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
        """Wait until no more than ROOM_BYTES are waiting to be heard."""
        while self._ahead > ROOM_BYTES and not self._over:
            await self._progress()

    async def heard(self) -> None:
        """Wait until all that was given has been heard, and what was heard in it been told."""
        while self._ahead and not self._over:
            await self._progress()
        await asyncio.sleep(0)  # what the thread has told last comes before this

    def close(self) -> None:
        """Have the thread give everything back; what has not been heard is not. May be called more than once."""
        if not self._closed:
            self._closed = self._over = True
            self._resume()
            self._worker.discard(self._session)

    async def _progress(self) -> None:
        """Wait for the end of the thread's turn."""
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiters.append(waiter)
        with self._lock:
            if not self._working:  # it has come to its end in between
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
        """On the worker's thread: have the loop call something."""
        with suppress(RuntimeError):  # the loop has been closed: nobody listens any more
            self._loop.call_soon_threadsafe(partial(call, *args, **kwargs))

    def _work(self) -> None:
        """One turn. On the worker's thread."""
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
        """What is to be heard in this turn, and how many bytes before it were dropped."""
        pieces: list[bytes] = []
        size = 0
        with self._lock:
            self._waited_s = time.monotonic() - self._given[0][1] if self._given else 0.0
            while self._given and (not pieces or size + len(self._given[0][0]) <= TURN_BYTES):
                size += len(self._given[0][0])
                pieces.append(self._given.popleft()[0])
            skipped, self._skipped = self._skipped, 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces), skipped
