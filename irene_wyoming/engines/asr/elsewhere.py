"""Utterances that are decoded elsewhere: the network's side of an engine runs on an event loop of its own.

A session only hands over what it is given, so that nobody waits for the network while a person speaks; who asks for the
end of the utterance waits with a deadline. On the loop a wait can be cut short whatever the other side does (it sleeps,
sends a byte a minute, never reads); with blocking sockets every single call would start its time-out anew.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from threading import Lock, Thread
from typing import Any, Protocol, TypeVar

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.base import ModelInfo, Transcription
from irene_wyoming.errors import EngineFailed

T = TypeVar("T")

MAX_TEXT_CHARS = 16_384
"""Characters of one transcript. A minute of fast speech has about 1,200."""

WYOMING = "https://github.com/rhasspy/wyoming"

_LOOK_UPS = 4
"""Look-ups of host names at once. One that hangs keeps its thread for the resolver's own time, some 10 s."""

_END_S = 2.0
"""Seconds for what still runs to end when the engine closes: it only has to let go of its sockets."""


class LoopThread:
    """An event loop on a thread of its own, from the start to ``close``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop = asyncio.new_event_loop()
        self._resolver = ThreadPoolExecutor(_LOOK_UPS, thread_name_prefix=f"{name}-names")
        self._loop.set_default_executor(self._resolver)
        self._running: set[Future[Any]] = set()  # the loop itself would let go of a task that nobody else holds
        self._lock = Lock()  # of _closed: nothing may be submitted to a loop that is going
        self._closed = False
        self._thread = Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> "Future[T]":
        """Start ``work(*args)`` on the loop; to cancel the future is to cancel it there.

        :raises EngineFailed: this is closed.
        """
        with self._lock:
            if self._closed:
                raise EngineFailed(f"{self._name}: the engine is closed")
            future = asyncio.run_coroutine_threadsafe(work(*args), self._loop)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return future

    def call(self, function: Callable[..., object], *args: Any) -> None:
        """Call a function on the loop, in the order of the calls.

        :raises EngineFailed: this is closed.
        """
        with self._lock:
            if self._closed:
                raise EngineFailed(f"{self._name}: the engine is closed")
            self._loop.call_soon_threadsafe(function, *args)

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Cancel what runs, then run ``last``, then end the loop and its thread. May be called more than once."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        asyncio.run_coroutine_threadsafe(self._end(last), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._resolver.shutdown(wait=False, cancel_futures=True)
        self._loop.close()

    async def _end(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=_END_S)
        await asyncio.wait([asyncio.ensure_future(last())], timeout=_END_S)
        await self._loop.shutdown_asyncgens()


class Utterance:
    """What a session has been given, for the loop to read: PCM by ``async for``, each time from the start.

    Its length is the caller's to bound: all of it is kept, so that another server can hear it when one fails.
    """

    def __init__(self) -> None:
        self.partial: str | None = None
        """The text so far, set on the loop."""
        self._pieces: list[bytes] = []
        self._ended = False
        self._more = asyncio.Event()  # set when more has come; those that wait then find a new one

    def put(self, pcm: bytes | None) -> None:
        """Add a piece, or the end. On the loop."""
        if pcm is None:
            self._ended = True
        else:
            self._pieces.append(pcm)
        self._more.set()
        self._more = asyncio.Event()

    async def end(self) -> None:
        """Wait until there is no more audio."""
        while not self._ended:
            await self._more.wait()

    def again(self) -> "Utterance":
        """A second reader of this audio, with a partial text of its own."""
        return _Again(self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        index = 0
        while True:
            while index < len(self._pieces):
                index += 1
                yield self._pieces[index - 1]
            if self._ended:
                return
            await self._more.wait()


class _Again(Utterance):
    """Another listener to an utterance, whose partial text nobody is shown."""

    def __init__(self, first: Utterance) -> None:
        super().__init__()
        self._first = first

    async def end(self) -> None:
        await self._first.end()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._first.__aiter__()


class Decoding(Protocol):
    """One utterance on its way to the other side, whatever runs there meanwhile."""

    @property
    def partial(self) -> str | None: ...

    @property
    def result(self) -> "Future[Transcription]":
        """It raises EngineFailed."""

    def put(self, pcm: bytes | None) -> None:
        """Add a piece, or the end. Never waits.

        :raises EngineFailed: the engine is closed.
        """

    def cancel(self) -> None:
        """Give everything back. May be called more than once."""


class LoopDecoding:
    """A Decoding by a coroutine on the engine's loop, which starts at once.

    :param decode: raises EngineFailed.
    """

    def __init__(self, loop: LoopThread, decode: Callable[[Utterance], Coroutine[Any, Any, Transcription]]) -> None:
        self._loop = loop
        self._utterance = Utterance()
        self.result = loop.submit(decode, self._utterance)

    @property
    def partial(self) -> str | None:
        return self._utterance.partial

    def put(self, pcm: bytes | None) -> None:
        self._loop.call(self._utterance.put, pcm)

    def cancel(self) -> None:
        self.result.cancel()


class RemoteSession:
    """An AsrSession whose utterance is decoded elsewhere.

    :param patience_s: how long to wait for the transcript after the end of the audio.
    """

    def __init__(self, name: str, decoding: Decoding, patience_s: float) -> None:
        self._name = name
        self._decoding = decoding
        self._patience_s = patience_s
        self._closed = False

    def push(self, pcm: bytes) -> None:
        """:raises EngineFailed: decoding has failed meanwhile, or the session is closed.

        :raises ValueError: half a frame.
        """
        self._check()
        if len(pcm) % SPEECH.frame_bytes:
            raise ValueError(f"{len(pcm)} bytes: expected whole frames of {SPEECH.frame_bytes}")
        if not self._decoding.result.done():
            self._decoding.put(pcm)
        else:
            self._result(0)  # raises what went wrong; a transcript before the end of the audio is kept for finish

    def partial(self) -> str | None:
        return self._decoding.partial

    def finish(self) -> Transcription:
        """:raises EngineFailed: decoding has failed, or takes too long, or the session is closed."""
        self._check()
        try:
            self._decoding.put(None)
            return self._result(self._patience_s)
        finally:
            self.close()

    def close(self) -> None:
        self._closed = True
        self._decoding.cancel()

    def _check(self) -> None:
        if self._closed:
            raise EngineFailed(f"{self._name}: the session is closed")

    def _result(self, timeout_s: float) -> Transcription:
        try:
            return self._decoding.result.result(timeout_s)
        except TimeoutError:
            raise EngineFailed(f"{self._name}: no transcript within {timeout_s:g} s of the end of the audio") from None
        except CancelledError:
            raise EngineFailed(f"{self._name}: the engine is closed") from None


def transcript(value: object, whose: str) -> str:
    """The text of a transcript.

    :raises EngineFailed: it is no text, or longer than anybody speaks.
    """
    if not isinstance(value, str):
        raise EngineFailed(f"{whose} sent a transcript without a text")
    if len(value) > MAX_TEXT_CHARS:
        raise EngineFailed(f"{whose} sent a transcript of {len(value)} characters; at most {MAX_TEXT_CHARS} are taken")
    return value.strip()


def model_elsewhere(name: str, uri: str) -> ModelInfo:
    """A model of which nothing but the name and the place is known."""
    api = "https://platform.openai.com/docs/api-reference/audio" if uri.startswith(("http", "ws")) else WYOMING
    return ModelInfo(name, languages=(), description=f"{name} at {uri}", author="unknown", url=api)
