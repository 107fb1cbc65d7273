"""Utterances that are decoded elsewhere: the network side of an engine runs on an event loop of its own.

A session only hands its audio over, so that nobody waits for the network while a person speaks. Only the end of the
utterance waits, with a deadline. On the loop a wait can be cut short whatever the other side does. With blocking
sockets every call would start its time-out anew.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from threading import Lock, Thread
from typing import Any, Protocol, TypeVar

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.checks import guarded
from irene_wyoming.engines.base import ModelInfo, Transcription
from irene_wyoming.errors import EngineFailed

T = TypeVar("T")

MAX_TEXT_CHARS = 16_384
"""Most characters of one transcript. A minute of fast speech has about 1,200."""

WYOMING = "https://github.com/rhasspy/wyoming"

_LOOK_UPS = 4
"""Most look-ups of host names at once. One that hangs keeps its thread for some 10 s."""

_END_S = 2.0
"""Seconds for running tasks to end when the engine closes: they only have to close their sockets."""


class LoopThread:
    """An event loop on a thread of its own, from its start to ``close``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop = asyncio.new_event_loop()
        self._resolver = ThreadPoolExecutor(_LOOK_UPS, thread_name_prefix=f"{name}-names")
        self._loop.set_default_executor(self._resolver)
        self._running: set[Future[Any]] = set()  # the loop itself may drop a task that nothing else refers to
        self._lock = Lock()  # guards _closed: nothing may be submitted to a loop that is ending
        self._closed = False
        self._thread = Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> "Future[T]":
        """Start ``work(*args)`` on the loop; cancelling the future cancels the work.

        :raises EngineFailed: the loop is closed.
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

        :raises EngineFailed: the loop is closed.
        """
        with self._lock:
            if self._closed:
                raise EngineFailed(f"{self._name}: the engine is closed")
            self._loop.call_soon_threadsafe(function, *args)

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Cancel running tasks, run ``last``, then end the loop and its thread. May be called more than once."""
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
    """A session's audio, for the loop to read: PCM by ``async for``, each time from the start.

    The caller bounds its length. All of it is kept, so that another server can hear it when one fails.
    """

    def __init__(self) -> None:
        self.partial: str | None = None
        """The partial text, set on the loop."""
        self._pieces: list[bytes] = []
        self._ended = False
        self._more = asyncio.Event()  # set when more has come; waiting readers then find a new one

    def put(self, pcm: bytes | None) -> None:
        """Add a piece, or the end. Called on the loop."""
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
        """Make a second reader of this audio, with a partial text of its own."""
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
    """A second reader of an utterance, whose partial text is not shown."""

    def __init__(self, first: Utterance) -> None:
        super().__init__()
        self._first = first

    async def end(self) -> None:
        await self._first.end()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._first.__aiter__()


class Decoding(Protocol):
    """One utterance on its way to the other side."""

    @property
    def partial(self) -> str | None: ...

    @property
    def result(self) -> "Future[Transcription]":
        """The future transcription, which may raise EngineFailed."""

    def put(self, pcm: bytes | None) -> None:
        """Add a piece, or the end. Never waits.

        :raises EngineFailed: the engine is closed.
        """

    def cancel(self) -> None:
        """Give all resources back. May be called more than once."""


class LoopDecoding:
    """A Decoding by a coroutine on the engine's loop, which starts at once.

    :param decode: the coroutine; raises EngineFailed.
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

    :param patience_s: seconds to wait for the transcript after the end of the audio.
    """

    def __init__(self, name: str, decoding: Decoding, patience_s: float) -> None:
        self._name = name
        self._decoding = decoding
        self._patience_s = patience_s
        self._closed = False

    def push(self, pcm: bytes) -> None:
        """Add audio.

        :raises EngineFailed: decoding has failed meanwhile, or the session is closed.
        :raises ValueError: it has half a frame.
        """
        self._check()
        if len(pcm) % SPEECH.frame_bytes:
            raise ValueError(f"{len(pcm)} bytes: expected whole frames of {SPEECH.frame_bytes}")
        if not self._decoding.result.done():
            self._decoding.put(pcm)
        else:
            self._result(0)  # raises a failure; a transcript before the end of the audio is kept for finish

    def partial(self) -> str | None:
        return self._decoding.partial

    def finish(self) -> Transcription:
        """Wait for the transcription; raises EngineFailed where decoding fails or is late, or the session is closed."""
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
    """Check the text of a transcript.

    :raises EngineFailed: it is no text, or longer than anybody speaks.
    """
    if not isinstance(value, str):
        raise EngineFailed(f"{whose} sent a transcript without a text")
    if len(value) > MAX_TEXT_CHARS:
        raise EngineFailed(f"{whose} sent a transcript of {len(value)} characters; at most {MAX_TEXT_CHARS} are taken")
    return value.strip()


def model_elsewhere(name: str, uri: str) -> ModelInfo:
    """Describe a model of which only the name and the address are known."""
    api = "https://platform.openai.com/docs/api-reference/audio" if uri.startswith(("http", "ws")) else WYOMING
    return ModelInfo(name, languages=(), description=f"{name} at {guarded(uri)}", author="unknown", url=api)
