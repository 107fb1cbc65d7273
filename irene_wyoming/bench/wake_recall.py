"""Measures recall and false accepts of a real wake server on recordings of people.

Each recording of a word is a conversation of its own. Recordings without the word follow each other on one connection,
like an hour of a household. Audio is sent faster than the pace of speech. The server treats such a stream as a
recording: nothing is dropped, and every word gets its second look.
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
"""Chunks sent before the next question whether all has been heard: more than a live stream may lag behind."""

LEAD_S = 8.0
"""Seconds of zeros sent at once before each conversation, which mark it as a recording. After 3 s a busy machine took
some for live, and left out their second look.
"""

ANSWER_S = 60.0
"""Seconds for the server to hear and decide: a model may have to be loaded first."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A program and stage to measure."""

    address: Address
    stage: str
    """``engines``: a first stage alone. ``verified``: with the second look behind it."""
    program: str | None
    """The program; None: the server's default, which asks all of its engines."""
    words: tuple[str, ...]
    """All words that are listened for at once."""
    realtime: bool = False
    """Whether audio is sent at the pace of speech, for comparison."""


@dataclass(frozen=True, slots=True)
class RecallRow:
    """Results on recordings of one word, under one condition."""

    stage: str
    program: str
    word: str
    folder: str
    noise: str
    snr_db: float | None
    recordings: int
    heard: int
    missed: tuple[str, ...]
    """Names of the recordings in which the word was not heard."""
    others: tuple[str, ...]
    """Other words that were heard, as ``recording: word``."""

    @property
    def recall(self) -> float:
        return self.heard / self.recordings


@dataclass(frozen=True, slots=True)
class FalseRow:
    """Results on recordings without any of the words, as recorded."""

    stage: str
    program: str
    folder: str
    hours: float
    accepts: tuple[str, ...]
    """False accepts as ``recording: word``, with the recording that was playing."""

    @property
    def per_hour(self) -> float:
        """False accepts per hour, of all words together."""
        return len(self.accepts) / self.hours


@dataclass(frozen=True, slots=True)
class Told:
    """A detection."""

    word: str
    at_s: float


async def known(address: Address, words: Sequence[str]) -> None:
    """Check that a server knows these words.

    :raises ServerUnavailable: it does not know one; the message lists the known words.
    """
    names = sorted({model.name for program in (await describe(address)).wake for model in program.models})
    unknown = [word for word in words if word not in names]
    if unknown:
        raise ServerUnavailable(f"{address.uri} does not know {', '.join(unknown)}; it knows {', '.join(names)}")


async def recall(listener: Listener, word: str, folder: Folder, condition: Condition) -> RecallRow:
    """Measure in how many recordings of a folder the word is heard."""
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
    """Collect the detections in recordings without any of the words."""
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
    """Give every detection of one conversation."""
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
    """Collect detections until the server has heard everything that was sent."""
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
