"""Engines that fail on purpose, and one that does not."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.base import AsrRequest, ModelInfo, Transcription
from irene_wyoming.errors import EngineFailed, UnsupportedRequest
from irene_wyoming.routing.policy import Breaker
from irene_wyoming.routing.provider import Provider


class When(StrEnum):
    SESSION = "session"
    PUSH = "push"
    FINISH = "finish"


class How(StrEnum):
    ERROR = "error"
    """Fail with an EngineError."""
    BUG = "bug"
    """Fail with an exception that no contract mentions."""
    HANG = "hang"


@dataclass
class FakeEngine:
    """Says ``text``, unless it is made to fail at one of its calls."""

    name: str
    text: str = "turn on the light"
    when: When | None = None
    how: How = How.ERROR
    language: str = "en"
    confidence: float | None = None
    partials: Sequence[str] = ()
    release: threading.Event = field(default_factory=threading.Event)
    """When set, hanging calls return."""
    heard: list[bytes] = field(default_factory=list)
    """The audio of every utterance that was finished."""
    hangs_s: float | None = None
    """Most seconds that a hanging call takes; None: until ``release``."""
    hanging: int = 0
    open: int = 0
    format = SPEECH

    def models(self) -> Sequence[ModelInfo]:
        return [ModelInfo(f"{self.name}-model", (self.language,), "", "", "")]

    def session(self, request: AsrRequest) -> "FakeSession":
        if request.language not in (None, self.language):
            raise UnsupportedRequest(f"language {request.language!r}: {self.name} knows {self.language} only")
        self.maybe_fail(When.SESSION)
        self.open += 1
        return self.opened()

    def opened(self) -> "FakeSession":
        return FakeSession(self)

    def close(self) -> None:
        self.release.set()

    def maybe_fail(self, when: When) -> None:
        if when != self.when:
            return
        if self.how == How.ERROR:
            raise EngineFailed(f"{self.name}: broke at {when}")
        if self.how == How.BUG:
            raise IndexError(when)
        self.hanging += 1
        self.release.wait(self.hangs_s)
        self.hanging -= 1


class FakeSession:
    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine
        self._pcm = b""
        self._pushes = 0
        self._closed = False

    def push(self, pcm: bytes) -> None:
        self._pcm += pcm
        self._pushes += 1
        if self._pushes == 2:
            self._engine.maybe_fail(When.PUSH)

    def partial(self) -> str | None:
        said = self._engine.partials[: self._pushes]
        return said[-1] if said else None

    def finish(self) -> Transcription:
        self._engine.maybe_fail(When.FINISH)
        self._engine.heard.append(self._pcm)
        return Transcription(self._engine.text, "en", self._engine.name, self._engine.confidence)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._engine.open -= 1


class SlowEngine(FakeEngine):
    """Answers one utterance per permit, with the permit's text."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.permits = threading.Semaphore(0)

    def opened(self) -> "SlowSession":
        return SlowSession(self, self.permits)


class SlowSession(FakeSession):
    def __init__(self, engine: SlowEngine, permits: threading.Semaphore) -> None:
        super().__init__(engine)
        self._permits = permits

    def finish(self) -> Transcription:
        self._engine.hanging += 1
        self._permits.acquire()
        self._engine.hanging -= 1
        return super().finish()


class EagerEngine(FakeEngine):
    """Decodes at a pause, and counts its decodings."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.decoded: list[int] = []
        """Bytes of each piece of audio that was decoded."""
        self.pushed = 0
        """Bytes given to all its sessions."""
        self.may_push = threading.Event()
        self.may_push.set()

    def opened(self) -> "EagerSession":
        return EagerSession(self)


class EagerSession(FakeSession):
    def __init__(self, engine: EagerEngine) -> None:
        super().__init__(engine)
        self._eager = engine
        self._decoded = 0

    def push(self, pcm: bytes) -> None:
        self._eager.may_push.wait()
        super().push(pcm)
        self._eager.pushed += len(pcm)

    def pause(self) -> bool:
        if self._decoded != len(self._pcm):
            self._decoded = len(self._pcm)
            self._eager.decoded.append(self._decoded)
        return True

    def finish(self) -> Transcription:
        self.pause()
        return super().finish()


async def provider(
    engine: FakeEngine,
    *,
    deadline_s: float = 5.0,
    longest_s: float | None = None,
    breaker: Breaker | None = None,
    patience_s: float = 60.0,
) -> Provider:
    """A started provider; later starts get the same engine again."""
    made = Provider(
        engine.name,
        lambda: engine,
        deadline_s,
        breaker or Breaker(3, 60, 600),
        longest_s=longest_s,
        patience_s=patience_s,
    )
    await made.start()
    return made
