"""StagedSource: a source whose audio passes through a stage before anybody hears it."""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.capture.base import Capture, Source, Stream, WrappedSource


class Stage(Protocol):
    """A step of processing, made anew at each opening of a source."""

    @property
    def format(self) -> AudioFormat:
        """The format of the stage's output."""

    def push(self, chunk: AudioChunk) -> Iterable[AudioChunk]:
        """Process the next chunk; returns finished chunks, maybe none. It runs on the event loop and must be quick."""


class StagedSource(WrappedSource):
    """Puts every chunk of a source through a stage, which is made anew at each opening."""

    def __init__(self, inner: Source, make: Callable[[AudioFormat], Stage]) -> None:
        """:param make: makes a stage for audio of this format; may raise CaptureError."""
        super().__init__(inner)
        self._make = make

    def wrapped(self, capture: Capture) -> Capture:
        stage = self._make(capture.format)

        async def chunks() -> AsyncIterator[AudioChunk]:
            async for chunk in capture:
                for made in stage.push(chunk):
                    yield made

        return Stream(stage.format, chunks())
