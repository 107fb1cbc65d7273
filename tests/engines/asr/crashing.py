"""Engines for a process of their own, made by functions that it imports by name."""

import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from irene_wyoming.engines.base import AsrRequest, EngineContext, Transcription
from irene_wyoming.errors import EngineUnavailable
from tests.routing.engines import FakeEngine, FakeSession


class CrashingEngine(FakeEngine):
    """Does what ``options`` say at the first audio of an utterance."""

    def session(self, request: AsrRequest) -> FakeSession:
        super().session(request)
        return CrashingSession(self)


class CrashingSession(FakeSession):
    def push(self, pcm: bytes) -> None:
        super().push(pcm)
        fault = self._engine.text
        if fault == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif fault == "hang":
            time.sleep(3600)
        elif fault == "leak":
            self._leak = bytearray(os.urandom(1) * 200_000_000)
            time.sleep(3600)
        elif fault == "bug":
            raise IndexError("a bug")

    def finish(self) -> Transcription:
        return Transcription(str(os.getpid()), "en", self._engine.name)


def create(options: Mapping[str, Any], _context: EngineContext) -> CrashingEngine:
    if options.get("fault") == "missing":
        raise EngineUnavailable("crashing: its model is not there")
    if options.get("fault") == "crash at load":
        os.kill(os.getpid(), signal.SIGKILL)
    return CrashingEngine("crashing", text=options.get("fault", ""))
