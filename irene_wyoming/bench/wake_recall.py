"""How many wake words of people are heard, and how often something else is taken for one, by a real wake server.

Each recording of a word is a conversation of its own. Those without the word follow each other on one connection, as a
satellite would send an hour of a household. Audio is sent faster than the pace of speech. The server knows such a
stream for a recording: nothing is dropped, and every word gets its second look, however busy the machine is.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import SelectProgram
from wyoming.ping import Ping, Pong
from wyoming.wake import Detect, Detection, NotDetected

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.bench.mixing import Condition, mixed
from irene_wyoming.bench.people import Folder
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import connect, describe, expect
from irene_wyoming.wire.connection import Connection

CHUNK_MS = 20
CHUNKS_AT_ONCE = 10_000 // CHUNK_MS
"""Sent before it is asked whether all has been heard: more than a live stream may lag behind."""

LEAD_S = 8.0
"""Seconds of zeros before each conversation, sent at once: so far ahead of the clock is a recording. With
3 s a busy machine took some for live, and left out their second look."""

ANSWER_S = 60.0
"""For the server to have heard that, and to have decided: a model may be loaded first."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is measured."""

    address: Address
    stage: str
    """``engines``: a first stage alone. ``verified``: with the second look behind it."""
    program: str | None
    """None: the server's default, which asks all of its engines."""
    words: tuple[str, ...]
    """All that it listens for at once."""
    realtime: bool = False
    """At the pace of speech, for comparison."""


@dataclass(frozen=True, slots=True)
class RecallRow:
    """Recordings of one word, under one condition."""

    stage: str
    program: str
    word: str
    folder: str
    noise: str
    snr_db: float | None
    recordings: int
    heard: int
    missed: tuple[str, ...]
    """Names of the recordings in which it was not heard."""
    others: tuple[str, ...]
    """``recording: word`` of other words that were heard."""

    @property
    def recall(self) -> float:
        return self.heard / self.recordings


@dataclass(frozen=True, slots=True)
class FalseRow:
    """Recordings without any of the words, as recorded."""

    stage: str
    program: str
    folder: str
    hours: float
    accepts: tuple[str, ...]
    """``recording: word``, the recording that was played when the word was told."""

    @property
    def per_hour(self) -> float:
        """Of all words together."""
        return len(self.accepts) / self.hours


@dataclass(frozen=True, slots=True)
class Told:
    """A detection."""

    word: str
    at_s: float


async def known(address: Address, words: Sequence[str]) -> None:
    """:raises ServerUnavailable: the server does not know one of the words; the message lists those that it knows."""
    names = sorted({model.name for program in (await describe(address)).wake for model in program.models})
    unknown = [word for word in words if word not in names]
    if unknown:
        raise ServerUnavailable(f"{address.uri} does not know {', '.join(unknown)}; it knows {', '.join(names)}")


async def recall(listener: Listener, word: str, folder: Folder, condition: Condition) -> RecallRow:
    """How many recordings of a folder have their word heard."""
    missed, others = [], []
    for one in folder.spoken:
        pcm = await asyncio.to_thread(mixed, one.pcm, condition, one.name)
        told = await listen(listener, pcm)
        missed += [] if any(hit.word == word for hit in told) else [one.name]
        others += [f"{one.name}: {hit.word}" for hit in told if hit.word != word]
    return RecallRow(
        stage=listener.stage,
        program=listener.program or "all",
        word=word,
        folder=folder.name,
        noise=condition.noise_name,
        snr_db=condition.snr_db,
        recordings=len(folder.spoken),
        heard=len(folder.spoken) - len(missed),
        missed=tuple(missed),
        others=tuple(others),
    )


async def false_accepts(listener: Listener, folder: Folder) -> FalseRow:
    """What is told in recordings in which none of the words is said."""
    pieces = [mixed(one.pcm, Condition(), one.name) for one in folder.spoken]
    told = await listen(listener, b"".join(pieces))
    ends, total = [], 0.0
    for piece in pieces:
        total += SPEECH.seconds(len(piece))
        ends.append(total)
    played = [next((n for n, end in enumerate(ends) if hit.at_s < end), len(ends) - 1) for hit in told]
    accepts = tuple(f"{folder.spoken[place].name}: {hit.word}" for place, hit in zip(played, told, strict=True))
    return FalseRow(listener.stage, listener.program or "all", folder.name, total / 3600, accepts)


async def listen(listener: Listener, pcm: bytes) -> list[Told]:
    """Every detection in one conversation."""
    step = SPEECH.frame_bytes * SPEECH.rate * CHUNK_MS // 1_000
    pcm = bytes(round(LEAD_S * SPEECH.rate) * SPEECH.frame_bytes) + pcm
    chunks = [
        AudioChunk(SPEECH.rate, SPEECH.width, SPEECH.channels, pcm[at : at + step], timestamp=at // step * CHUNK_MS)
        for at in range(0, len(pcm), step)
    ]
    told: list[Told] = []
    began = time.monotonic()
    async with connect(listener.address) as wire:
        if listener.program is not None:
            await wire.write(SelectProgram(name=listener.program))
        await wire.write(Detect(names=list(listener.words)))
        await wire.write(AudioStart(SPEECH.rate, SPEECH.width, SPEECH.channels, timestamp=0))
        for start in range(0, len(chunks), CHUNKS_AT_ONCE):
            for chunk in chunks[start : start + CHUNKS_AT_ONCE]:
                await wire.write(chunk)
                if listener.realtime:
                    await asyncio.sleep(began + ((chunk.timestamp or 0) + CHUNK_MS) / 1_000 - time.monotonic())
            await heard(wire, told)
        await wire.write(AudioStop(timestamp=len(chunks) * CHUNK_MS))
        await heard(wire, told)
    return told


async def heard(wire: Connection, told: list[Told]) -> None:
    """Note detections until the server has heard everything that was sent."""
    await wire.write(Ping())
    while True:
        event: Event = await expect(wire, ANSWER_S)
        if Detection.is_type(event.type):
            found = Detection.from_event(event)
            told.append(Told(found.name or "", (found.timestamp or 0) / 1_000 - LEAD_S))
        elif Pong.is_type(event.type):
            return
        elif not NotDetected.is_type(event.type):
            continue
