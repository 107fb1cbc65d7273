"""CommandSource: any program that writes raw PCM to its standard output."""

import asyncio
import contextlib
import logging
import os
import re
import signal
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Self, cast

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.capture.clock import SampleClock
from irene_wyoming.capture.guard import guarded_group
from irene_wyoming.capture.realtime import RealTime
from irene_wyoming.capture.throttle import Throttle
from irene_wyoming.errors import CaptureError

log = logging.getLogger(__name__)

_STDOUT = 1

_STOP_S = 1.0
"""Seconds from SIGTERM to SIGKILL. Recorders end within milliseconds, so one that does not is stuck."""

_BUFFER_S = 1.0
"""Most seconds of unread audio. Beyond it the program is not read from, and its own overrun handling begins."""

_PIECE_S = 0.1
"""Seconds of audio in a piece, where the program writes too fast."""

_COMPLAINT_BYTES = 2048
"""Bytes kept from the end of the program's standard error, where recorders say why they give up."""

_COMPLAINT_LINES = 3

_OVERRUN = re.compile(rb"overrun|xrun", re.IGNORECASE)
"""Messages of arecord ("overrun!!! (at least 12.345 ms long)"), parec and ffmpeg about lost audio."""


class CommandSource:
    """Runs a program and takes its standard output as PCM.

    The program gets a process group of its own, no shell and no standard input. On closing the group is terminated,
    then killed; if this process is killed itself, so is the group.
    """

    def __init__(
        self,
        argv: Sequence[str],
        audio_format: AudioFormat,
        *,
        name: str = "",
        realtime: RealTime | None = None,
        stop_s: float = _STOP_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """:param name: for logs; empty: the program's.
        :param realtime: priority of the program.
        :param stop_s: seconds from SIGTERM to SIGKILL.
        """
        self._argv = tuple(argv)
        self._format = audio_format
        self._name = name or f"command {' '.join(self._argv[:1])}"
        self._realtime = realtime
        self._stop_s = stop_s
        self._clock = clock

    @property
    def name(self) -> str:
        return self._name

    @asynccontextmanager
    async def open(self) -> AsyncIterator["CommandCapture"]:
        if not self._argv:
            raise CaptureError("command: no program given; name one that writes raw PCM, e.g. arecord")
        async with guarded_group() as group:
            capture = await self._start(group)
            try:
                yield capture
            finally:
                await capture.close(self._stop_s)

    async def _start(self, group: int) -> "CommandCapture":
        try:
            transport, capture = await asyncio.get_running_loop().subprocess_exec(
                lambda: CommandCapture(self._argv[0], self._format, self._clock, group),
                *self._argv,
                stdin=asyncio.subprocess.DEVNULL,
                process_group=group,
            )
        except FileNotFoundError as error:
            raise CaptureError(f"{self._argv[0]}: no such program; install it or give its full path") from error
        except (OSError, ValueError) as error:
            raise CaptureError(f"{self._argv[0]}: cannot be run: {error}") from error
        if self._realtime is not None:
            self._realtime.give(self._name, transport.get_pid())
        return capture


class CommandCapture(asyncio.SubprocessProtocol):
    """A running program: its standard output as chunks, of whatever size they arrive in.

    The iteration ends when the program has ended with status 0.

    :raises CaptureError: from the iteration, after any other status; quotes the end of its standard error.
    """

    def __init__(self, program: str, audio_format: AudioFormat, clock: Callable[[], float], group: int) -> None:
        """:param group: number of the process group that the program runs in."""
        self._group = group
        self._program = program
        self._format = audio_format
        self._clock = clock
        self._samples = SampleClock(audio_format.rate)
        self._buffer_bytes = int(_BUFFER_S * audio_format.rate) * audio_format.frame_bytes
        self._rest = b""  # an incomplete frame
        self._complaints = b""
        self._overrun = False  # whether the program has lost audio since the last chunk
        self._throttle = Throttle()
        self._throttled = False  # whether a too fast program was logged
        self._last_ms = 0  # timestamp of the last piece; none goes below it
        self._chunks: deque[tuple[AudioChunk, float]] = deque()  # each with the time before which it is not given out
        self._buffered = 0  # bytes in _chunks
        self._news = asyncio.Event()  # set by a chunk, or the end of the output
        self._output_ended = False
        self._exited = asyncio.Event()
        self._silent = asyncio.Event()  # set when the program has exited and all pipes are read to the end

    @property
    def format(self) -> AudioFormat:
        return self._format

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AudioChunk:
        while not self._chunks:
            if self._output_ended:
                await self._end()
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        _, due = self._chunks[0]
        if due:
            await asyncio.sleep(due - asyncio.get_running_loop().time())
        chunk, _ = self._chunks.popleft()
        self._buffered -= len(chunk.pcm)
        if not self._chunks and not self._output_ended:
            self._output.resume_reading()
        return chunk

    async def close(self, stop_s: float) -> None:
        """End the program and all that it has started: SIGTERM, and after ``stop_s`` seconds SIGKILL."""
        try:
            if not await self._ends_by(signal.SIGTERM, stop_s):
                await self._ends_by(signal.SIGKILL, stop_s)
        finally:
            self._signal(signal.SIGKILL)  # cancelled while waiting: kill at once
            self._transport.close()
            await _happens(self._silent, stop_s)  # waited for, so that the loop may end at once

    async def _ends_by(self, number: signal.Signals, within_s: float) -> bool:
        self._signal(number)
        return await _happens(self._exited, within_s)

    def _signal(self, number: signal.Signals) -> None:
        if not self._exited.is_set():  # the number of an ended group may belong to another one
            self._signal_group(number)

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._group, number)

    async def _end(self) -> None:
        """At the end of the output: note an error unless the program ended well."""
        if not await _happens(self._exited, _STOP_S):
            raise CaptureError(f"{self._program}: has closed its output but goes on running")
        await _happens(self._silent, 0.2)  # a child of the program may hold its standard error open
        status = self._transport.get_returncode()
        if status:
            how = f"exited with status {status}" if status > 0 else f"was ended by signal {-status}"
            raise CaptureError(": ".join(filter(None, [self._program, how, self._last_words()])))

    def _last_words(self) -> str:
        text = self._complaints.decode(errors="replace")
        lines = ["".join(c for c in line if c.isprintable()).strip() for line in text.splitlines()]
        return " / ".join([line for line in lines if line][-_COMPLAINT_LINES:])

    # Callbacks of asyncio's subprocess protocol.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd != _STDOUT:
            self._complaints = (self._complaints + data)[-_COMPLAINT_BYTES:]
            self._overrun |= _OVERRUN.search(data) is not None
            return
        data = self._rest + data
        whole = len(data) - len(data) % self._format.frame_bytes
        self._rest = data[whole:]
        if not whole:
            return
        now, frames = self._clock(), self._format.frames(whole)
        if self._overrun:
            self._overrun = False
            self._samples.lost(frames, now)
        start = self._samples.position
        timestamp = max(self._last_ms, self._samples.arrived(frames, now))
        self._chunks += self._paced(AudioChunk(self._format, data[:whole], start, timestamp), now)
        self._buffered += whole
        if self._buffered > self._buffer_bytes:
            self._output.pause_reading()
        self._news.set()

    def _paced(self, chunk: AudioChunk, now: float) -> Iterator[tuple[AudioChunk, float]]:
        """Cut arrived audio into pieces, each with the loop time at which to give it out; 0: at once."""
        seconds = self._format.seconds(len(chunk.pcm))
        wait_s = self._throttle.arrived(seconds, now)
        if not wait_s:
            yield chunk, 0.0
            return
        if not self._throttled:
            self._throttled = True
            log.warning(
                "%s: writes audio faster than anybody speaks, and is read at that pace: is it a recorder, in %s?",
                self._program,
                self._format,
            )
        due = asyncio.get_running_loop().time() + wait_s - seconds
        step = round(_PIECE_S * self._format.rate)
        for first in range(0, self._format.frames(len(chunk.pcm)), step):
            at = first * self._format.frame_bytes
            pcm = chunk.pcm[at : at + step * self._format.frame_bytes]
            self._last_ms = max(self._last_ms, chunk.timestamp + first * 1_000 // self._format.rate)
            due += self._format.seconds(len(pcm))
            yield AudioChunk(self._format, pcm, chunk.start + first, self._last_ms), due

    def pipe_connection_lost(self, fd: int, _exc: Exception | None) -> None:
        if fd == _STDOUT:
            self._output_ended = True
            self._news.set()

    def process_exited(self) -> None:
        self._signal_group(signal.SIGKILL)  # all processes that the program has left behind
        self._exited.set()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._silent.set()

    @property
    def _output(self) -> asyncio.ReadTransport:
        return cast(asyncio.ReadTransport, self._transport.get_pipe_transport(_STDOUT))


async def _happens(event: asyncio.Event, within_s: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await event.wait()
    return event.is_set()
