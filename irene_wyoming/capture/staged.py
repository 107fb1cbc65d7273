"""StagedSource: a source whose audio passes through a stage before anybody hears it."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Protocol

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.capture.base import Capture, Source


class Stage(Protocol):
    """A step of processing, made anew at each opening of a source."""

    @property
    def format(self) -> AudioFormat:
        """The format of the stage's output."""

    def push(self, chunk: AudioChunk) -> Iterable[AudioChunk]:
        """Process the next chunk; returns finished chunks, maybe none. It runs on the event loop and must be quick."""


class StagedSource:
    """Puts every chunk of a source through a stage, which is made anew at each opening."""

    def __init__(self, inner: Source, make: Callable[[AudioFormat], Stage]) -> None:
        """:param make: makes a stage for audio of this format; may raise CaptureError."""
        self._inner = inner
        self._make = make

    @property
    def name(self) -> str:
        return self._inner.name

    @asynccontextmanager
    async def open(self) -> AsyncIterator["StagedCapture"]:
        async with self._inner.open() as capture:
            yield StagedCapture(capture, self._make(capture.format))


class StagedCapture:
    """An open StagedSource."""

    def __init__(self, inner: Capture, stage: Stage) -> None:
        self._inner = inner
        self._stage = stage

    @property
    def format(self) -> AudioFormat:
        return self._stage.format

    async def __aiter__(self) -> AsyncIterator[AudioChunk]:
        async for chunk in self._inner:
            for made in self._stage.push(chunk):
                yield made
