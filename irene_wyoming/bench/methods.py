"""Conversion methods for comparison: this project's levels and other software, each as a stream of bytes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np

from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import AudioFormat, Quality

PEER = "peer"
SOXR = "soxr HQ"
WHOLE = "high, whole"
LINEAR = "linear"
LIVE_LEVELS = (Quality.FAST, Quality.MEDIUM, Quality.HIGH)


class Stream(Protocol):
    """A stream of mono PCM, 16 or 32 bit."""

    def push(self, pcm: bytes) -> bytes: ...

    def flush(self) -> bytes: ...

    def timed(self, pcm: bytes) -> Callable[[], object]:
        """Make the call that converts a chunk, given the chunk in the form that a server has."""


@dataclass(frozen=True, slots=True)
class Method:
    """One conversion method."""

    name: str
    what: str
    open: Callable[[AudioFormat, AudioFormat], Stream]


class OwnStream:
    """This project's converter."""

    def __init__(self, source: AudioFormat, target: AudioFormat, quality: str, *, live: bool) -> None:
        self._converter = Converter(source, target, quality, live=live)
        self.push = self._converter.push
        self.flush = self._converter.flush

    def timed(self, pcm: bytes) -> Callable[[], object]:
        return partial(self._converter.push, pcm)


class PeerStream:
    """The wyoming package's converter, which Wyoming servers use: ``audioop.ratecv``."""

    def __init__(self, source: AudioFormat, target: AudioFormat) -> None:
        from wyoming import audio  # only comparisons with it need it

        self._chunk = partial(audio.AudioChunk, source.rate, source.width, source.channels)
        self._converter = audio.AudioChunkConverter(target.rate, target.width, target.channels)

    def push(self, pcm: bytes) -> bytes:
        return bytes(self._converter.convert(self._chunk(pcm)).audio)

    def flush(self) -> bytes:
        return b""

    def timed(self, pcm: bytes) -> Callable[[], object]:
        return partial(self._converter.convert, self._chunk(pcm))


class ArrayStream:
    """An array library with minimal code around it: bytes to floats, rounded, clipped, bytes."""

    def __init__(self, width: int, push: Callable[[Any], Any], flush: Callable[[], Any]) -> None:
        self._coded = np.dtype(f"<i{width}")
        self._limits = -(2.0 ** (8 * width - 1)), 2.0 ** (8 * width - 1) - 1
        self._push = push
        self._flush = flush

    def push(self, pcm: bytes) -> bytes:
        return self._encode(self._push(np.frombuffer(pcm, self._coded).astype(np.float32)))

    def flush(self) -> bytes:
        return self._encode(self._flush())

    def timed(self, pcm: bytes) -> Callable[[], object]:
        return partial(self.push, pcm)

    def _encode(self, samples: Any) -> bytes:
        exact = samples if self._coded.itemsize == 2 else samples.astype(np.float64)  # float32 cannot hold 2**31 - 1
        rounded = np.clip(np.rint(exact), *self._limits)
        return bytes(rounded.astype(self._coded).tobytes())


def soxr_stream(source: AudioFormat, target: AudioFormat, recipe: str) -> Stream:
    import soxr

    stream = soxr.ResampleStream(source.rate, target.rate, 1, dtype="float32", quality=recipe)
    return ArrayStream(
        source.width, stream.resample_chunk, lambda: stream.resample_chunk(np.empty(0, np.float32), last=True)
    )


def scipy_stream(source: AudioFormat, target: AudioFormat) -> Stream:
    """Convert each chunk by itself with a new filter, as programs do that have a function instead of a stream."""
    resample_poly = import_module("scipy.signal").resample_poly
    common = np.gcd(source.rate, target.rate)
    up, down = int(target.rate // common), int(source.rate // common)
    return ArrayStream(source.width, lambda floats: resample_poly(floats, up, down), lambda: np.empty(0, np.float32))


def own(name: str, quality: str, what: str, *, live: bool = True) -> Method:
    return Method(name, what, partial(OwnStream, quality=quality, live=live))


METHODS = (
    own("fast", Quality.FAST, "live, lowest delay"),
    own("medium", Quality.MEDIUM, "live"),
    own("high", Quality.HIGH, "live"),
    own(WHOLE, Quality.HIGH, "for a whole recording", live=False),
    own(LINEAR, LINEAR, "explicit; no anti-alias filter"),
    Method(PEER, "the wyoming package's AudioChunkConverter (audioop.ratecv)", PeerStream),
    Method(SOXR, "soxr by itself, float32", partial(soxr_stream, recipe="HQ")),
    Method("soxr VHQ", "soxr by itself, float32", partial(soxr_stream, recipe="VHQ")),
    Method("scipy", "scipy.signal.resample_poly, chunk by chunk", scipy_stream),
)
NEEDS = {PEER: "audioop", "scipy": "scipy"}
"""Modules that may be missing, by method. Python 3.13 dropped audioop; wyoming then uses a slow stand-in."""


def absent() -> dict[str, str]:
    """Methods that cannot be measured here, with the module that each lacks."""
    return {name: module for name, module in NEEDS.items() if find_spec(module) is None}


def method(name: str) -> Method:
    """Find a method by its name, which must be in METHODS."""
    return next(method for method in METHODS if method.name == name)
