"""ProcessEngine: an AsrEngine in a process of its own, where it cannot harm the server."""

import logging
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from socket import socketpair
from typing import Any

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.engines.asr.process_child import EXIT_MEMORY, receive, send
from irene_wyoming.engines.base import AsrEngine, AsrRequest, EngineContext, EngineSpec, ModelInfo, Transcription
from irene_wyoming.errors import EngineFailed

CLOSE_S = 1.0
"""Seconds for the process to end by itself."""

Create = Callable[[Mapping[str, Any], EngineContext], AsrEngine]


def contained(spec: EngineSpec, memory_mb: int | None) -> EngineSpec:
    """A spec that makes the same engine in a process of its own."""

    def create(options: Mapping[str, Any], context: EngineContext) -> ProcessEngine:
        return ProcessEngine(spec.name, spec.create, options, context, memory_mb)

    return replace(spec, create=create)


class ProcessEngine:
    """Starts a process and loads the engine in it. It is called like any engine, one call at a time.

    If the process ends, all later calls fail and ``alive`` is false; it is not restarted here.

    :param create: ``EngineSpec.create``; a function of a module, since the process imports it by name.
    :param memory_mb: megabytes of resident memory from which the process ends itself; None: no limit.
    :raises EngineUnavailable, ConfigError: raised by ``create``.
    :raises EngineFailed: the process ended while it loaded the engine.
    """

    def __init__(
        self,
        name: str,
        create: Create,
        options: Mapping[str, Any],
        context: EngineContext,
        memory_mb: int | None = None,
    ) -> None:
        self.name = name
        self._memory_mb = memory_mb
        self._sessions = 0
        self._closed = False
        self._broken = False
        ours, theirs = socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "irene_wyoming.engines.asr.process_child", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._connection = Connection(ours.detach())
        try:
            level = logging.getLogger().getEffectiveLevel()
            self.format: AudioFormat
            self._models: Sequence[ModelInfo]
            self.format, self._models = self.call("create", create, dict(options), context, memory_mb, level)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process is alive, as of the last call."""
        return not self._broken

    def models(self) -> Sequence[ModelInfo]:
        """The models at the time when the engine was loaded."""
        return self._models

    def session(self, request: AsrRequest) -> "ProcessSession":
        self._check()
        self._sessions += 1
        self.call("session", self._sessions, request)
        return ProcessSession(self, self._sessions)

    def kill(self) -> None:
        """End the process now, from any thread; a running call fails."""
        self._process.kill()

    def close(self) -> None:
        """End the process. May be called more than once."""
        if self._closed:
            return
        self._closed = self._broken = True
        self._connection.close()  # the process ends when its connection closes
        try:
            self._process.wait(CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def call(self, operation: str, *arguments: object) -> Any:
        """Let the process do an operation, and wait for its result.

        :raises EngineError: the engine raised it; EngineFailed: the process has ended.
        """
        try:
            send(self._connection, (operation, *arguments))
            done, result = receive(self._connection)
        except (EOFError, OSError) as error:
            self._broken = True
            raise EngineFailed(f"{self.name}: {self._end()}") from error
        if not done:
            raise result
        return result

    def _check(self) -> None:
        if self._closed:
            raise EngineFailed(f"{self.name}: the engine is closed")

    def _end(self) -> str:
        """Describe how the process ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(CLOSE_S)
        code = self._process.returncode
        if code == EXIT_MEMORY:
            return f"its process has grown beyond {self._memory_mb} MB, and was ended"
        if code is not None and code < 0:
            return f"its process was ended by signal {-code}"
        return f"its process has ended (exit code {code})"


class ProcessSession:
    """One utterance in the other process."""

    def __init__(self, engine: ProcessEngine, number: int) -> None:
        self._engine = engine
        self._number = number
        self._partial: str | None = None
        self._closed = False

    def push(self, pcm: bytes) -> None:
        self._partial = self._call("push", pcm)

    def partial(self) -> str | None:
        return self._partial

    def pause(self) -> bool:
        decoded: bool = self._call("pause")
        return decoded

    def finish(self) -> Transcription:
        result: Transcription = self._call("finish")
        return result

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            if self._engine.alive:
                with suppress(EngineFailed):  # the session has gone with the process
                    self._engine.call("close", self._number)

    def _call(self, operation: str, *arguments: object) -> Any:
        if self._closed or not self._engine.alive:
            raise EngineFailed(f"{self._engine.name}: the session is closed")
        return self._engine.call(operation, self._number, *arguments)
