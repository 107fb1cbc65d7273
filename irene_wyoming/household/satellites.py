"""Satellites: clients that say a wake word again and again, all at once, and note when the server hears it."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from wyoming.audio import AudioChunk, AudioStart
from wyoming.info import SelectProgram
from wyoming.ping import Ping, Pong
from wyoming.wake import Detect, Detection

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.tasks import beside
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import connect, describe, expect
from irene_wyoming.wire.connection import Connection

PERIOD_S = 4.0
"""Least seconds between two words: longer than a word and its refractory time."""

LAST_WORD_S = 2.0
"""Seconds to wait for the last detections after everything is sent."""

QUIET = 10
"""Root mean square of the noise between words, in 16-bit steps: -70 dBFS, a quiet room."""

SPOKEN_DB = 30.0
"""A word ends with its last 20 ms that are at most this many dB below its loudest."""


@dataclass(frozen=True, slots=True)
class Track:
    """One period of a satellite's audio: a word, and quiet until the next one."""

    word: str
    pcm: bytes
    """PCM at 16 kHz, 16 bit, mono."""
    word_end_s: float

    @property
    def period_s(self) -> float:
        """Seconds from one word to the next."""
        return SPEECH.seconds(len(self.pcm))

    @classmethod
    def of(cls, word: str, pcm: bytes, period_s: float = PERIOD_S) -> "Track":
        samples = np.frombuffer(pcm, "<i2").astype(np.float64)
        size = SPEECH.rate // 50
        power = np.mean(samples[: len(samples) // size * size].reshape(-1, size) ** 2, axis=1)
        end = int(np.flatnonzero(power > power.max() / 10 ** (SPOKEN_DB / 10))[-1]) + 1
        heard = np.random.default_rng(11).normal(scale=QUIET, size=round(period_s * SPEECH.rate))
        heard[: len(samples)] += samples[: len(heard)]
        return cls(word, np.rint(heard).clip(-32_768, 32_767).astype("<i2").tobytes(), end * size / SPEECH.rate)

    def chunks(self, chunk_ms: int) -> list[bytes]:
        size = SPEECH.rate * chunk_ms // 1000 * SPEECH.frame_bytes
        return [self.pcm[at : at + size] for at in range(0, len(self.pcm), size)]


@dataclass(slots=True)
class Heard:
    """The detections that one satellite got."""

    spoken: int = 0
    """Words that had been said in full."""
    delays_s: list[float] = field(default_factory=list)
    """Seconds from the end of each word to the arrival of its Detection, by the clock that paces the audio."""
    false: int = 0
    """Detections of something else, or of one word for the second time."""


async def live(
    address: Address, program: str | None, track: Track, satellites: int, seconds: float, chunk_ms: int
) -> list[Heard]:
    """Run satellites that send at the pace of speech, each starting a moment after the other."""
    start = time.monotonic() + 0.5
    apart = track.period_s / satellites
    return list(
        await asyncio.gather(
            *(_live(address, program, track, start + number * apart, seconds, chunk_ms) for number in range(satellites))
        )
    )


async def _live(
    address: Address, program: str | None, track: Track, start: float, seconds: float, chunk_ms: int
) -> Heard:
    heard = Heard(spoken=sum(1 for end in word_ends(track, seconds)))
    chunks = track.chunks(chunk_ms)
    async with connect(address) as wire:
        await ask(wire, program, track.word)
        async with beside(_note(wire, heard, track, start), "detections") as reader:
            for number in range(round(seconds * 1000 / chunk_ms)):
                await asyncio.sleep(max(0.0, start + (number + 1) * chunk_ms / 1000 - time.monotonic()))
                await wire.write(AudioChunk(16_000, 2, 1, chunks[number % len(chunks)], timestamp=number * chunk_ms))
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(reader), LAST_WORD_S)
    return heard


async def _note(wire: Connection, heard: Heard, track: Track, start: float) -> None:
    told: set[int] = set()
    while True:
        event = await expect(wire)
        now = time.monotonic() - start
        if not Detection.is_type(event.type):
            continue
        found = Detection.from_event(event)
        period = int((found.timestamp or 0) / 1000 / track.period_s)
        if found.name == track.word and period not in told:
            told.add(period)
            heard.delays_s.append(now - period * track.period_s - track.word_end_s)
        else:
            heard.false += 1


async def flood(
    address: Address, program: str | None, track: Track, satellites: int, seconds: float, chunk_ms: int
) -> None:
    """Run satellites that send as fast as the server takes it; returns when it has heard everything."""
    await asyncio.gather(*(_flood(address, program, track, seconds, chunk_ms) for _ in range(satellites)))


async def _flood(address: Address, program: str | None, track: Track, seconds: float, chunk_ms: int) -> None:
    chunks = [AudioChunk(16_000, 2, 1, pcm) for pcm in track.chunks(chunk_ms)]
    async with connect(address) as wire:
        await ask(wire, program, track.word)
        for number in range(round(seconds * 1000 / chunk_ms)):
            await wire.write(chunks[number % len(chunks)])
        await answered(wire)


async def ask(wire: Connection, program: str | None, word: str) -> None:
    """Begin a conversation as a hub does: select a program, ask for a word, announce audio."""
    if program is not None:
        await wire.write(SelectProgram(name=program))
    await wire.write(Detect(names=[word]))
    await wire.write(AudioStart(16_000, 2, 1, timestamp=0))


async def answered(wire: Connection) -> None:
    """Wait until the server has heard everything that was sent."""
    await wire.write(Ping())
    while not Pong.is_type((await expect(wire)).type):
        pass


async def describe_times(address: Address, every_s: float, timeout_s: float, over: asyncio.Event) -> list[float]:
    """Measure how long many descriptions take, s, each on a new connection; infinite: it did not come in time."""
    taken = []
    while not over.is_set():
        began = time.monotonic()
        try:
            await describe(address, timeout_s)
            taken.append(time.monotonic() - began)
        except ServerUnavailable:
            taken.append(float("inf"))
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), every_s)
    return taken


def word_ends(track: Track, seconds: float) -> Iterator[float]:
    """The times at which each word was said in full, seconds from the start."""
    end = track.word_end_s
    while end < seconds:
        yield end
        end += track.period_s
