"""The client's side of a request: play a recording to a server and collect what it hears, with times."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.info import SelectProgram
from wyoming.ping import Ping, Pong
from wyoming.wake import Detect, Detection, NotDetected

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.errors import LimitExceeded, ProtocolError
from irene_wyoming.tasks import beside
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import connect, expect
from irene_wyoming.wire.connection import Connection
from irene_wyoming.wire.fields import cleaned, text
from irene_wyoming.wire.transcription import request, transcript

CHUNK_MS = 20
"""Milliseconds of audio sent at a time; satellites are within a factor of two of it."""

LAST_WORDS_S = 5.0
"""Seconds to wait for more words from a server that answers no ping, or works through a fast recording."""

ANSWER_TIMEOUT_S = 60.0
"""Seconds to wait for a transcript: slow engines on slow machines take long."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Audio as a client sends it, without any conversion."""

    format: AudioFormat
    pcm: bytes

    @property
    def seconds(self) -> float:
        return self.format.seconds(len(self.pcm))


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A wake word that a server has detected in a recording."""

    name: str
    timestamp_ms: int | None
    """Time of the chunk in which it was heard, ms from the start of the recording."""
    score: float | None
    """Score of the detection, 0 to 1; None where the server does not tell."""
    arrived_s: float
    """Seconds from sending the first chunk to the detection's arrival."""
    threshold: float | None = None
    """The threshold that the score reached; None where the server does not tell."""
    peak: float | None = None
    """The word's highest score; None: the detection was sent before that was known."""


@dataclass(frozen=True, slots=True)
class Missed:
    """The nearest miss in a recording without a wake word, as our own servers tell it."""

    name: str
    score: float
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class HeardText:
    """A transcript with its times."""

    text: str
    language: str | None
    delay_s: float
    """Seconds from the end of the audio to the transcript's arrival; 0 where it came earlier."""
    first_partial_s: float | None = None
    """Seconds from the start of the audio to the first partial text; None: there was none before the transcript."""
    took_s: float = 0.0
    """Seconds from the start of the audio to the transcript's arrival."""
    kind: str | None = None
    """``command`` or ``open``, where the server tells it."""
    context: Mapping[str, Any] = field(default_factory=dict)
    """Other facts that the server tells, such as ``reason`` and ``nearest``."""


async def detect(
    address: Address, recording: Recording, names: Sequence[str] = (), *, realtime: bool = False, peak: bool = False
) -> tuple[list[HeardWord], Missed | None]:
    """Play a recording to a wake server; returns the words heard, or the nearest miss where the server tells it.

    :param names: words to ask for; empty: the server's default.
    :param realtime: send at the pace of speech instead of as fast as the server takes it.
    :param peak: ask for each word after it has passed, with its highest score (our own servers only).
    :raises ServerUnavailable: nobody answers there.
    :raises ProtocolError: the server refuses, or breaks off.
    """
    async with connect(address) as connection:
        await connection.write(Detect(names=list(names) or None, context={"peak": True} if peak else None))
        started = time.monotonic()
        async with (
            within(recording),
            beside(send_all(connection, recording, realtime=realtime), "send the recording") as sender,
        ):
            found = await collect_words(connection, started, sender.done)
            await sender
        return found


async def transcribe(
    address: Address,
    recording: Recording,
    language: str | None = None,
    *,
    realtime: bool = False,
    program: str | None = None,
) -> HeardText:
    """Play a recording to a server and return its transcript.

    :param program: name of the program that transcribes; None: the server's default.
    :raises ServerUnavailable: nobody answers there.
    :raises ProtocolError: the server refuses, or breaks off.
    """
    async with connect(address) as connection:
        if program is not None:
            await connection.write(SelectProgram(name=program))
        await connection.write(request(language=language))
        started = time.monotonic()
        async with (
            within(recording),
            beside(send_timed(connection, recording, realtime=realtime), "send the recording") as sender,
        ):
            return await collect_text(connection, started, sender)


@asynccontextmanager
async def within(recording: Recording) -> AsyncIterator[None]:
    """Bound a conversation about a recording, also with a server that keeps talking and never answers.

    :raises LimitExceeded: it takes twice the recording and ANSWER_TIMEOUT_S.
    """
    most_s = 2 * recording.seconds + ANSWER_TIMEOUT_S
    try:
        async with asyncio.timeout(most_s):
            yield
    except TimeoutError:
        raise LimitExceeded(f"the server has not come to an end within {most_s:.0f} s") from None


async def collect_text(connection: Connection, started: float, sender: "asyncio.Task[float]") -> HeardText:
    """Collect the transcript, before or after the end of the audio."""
    first_partial_s: float | None = None

    def partial(_text: str) -> None:
        nonlocal first_partial_s
        if first_partial_s is None and not sender.done():
            first_partial_s = time.monotonic() - started

    found = await transcript(lambda: expect(connection, ANSWER_TIMEOUT_S), partial)
    took_s = time.monotonic() - started
    delay_s = time.monotonic() - sender.result() if sender.done() else 0.0
    said, language = text(found, "text"), text(found, "language")
    if said is None:
        raise ProtocolError("the server sent a transcript without a text")
    context = found.get("context")
    context = context if isinstance(context, dict) else {}
    return HeardText(said, language, delay_s, first_partial_s, took_s, text(context, "kind"), context)


async def send_timed(connection: Connection, recording: Recording, *, realtime: bool) -> float:
    """Send a recording; returns the time.monotonic() at which all was sent."""
    with suppress(OSError):  # the server has ended the conversation; the reading task sees why
        await send(connection, recording, realtime=realtime)
    return time.monotonic()


async def send_all(connection: Connection, recording: Recording, *, realtime: bool) -> None:
    """Send a recording and then a ping, which the server answers after it has heard all audio."""
    try:
        await send(connection, recording, realtime=realtime)
        await connection.write(Ping())
    except OSError:
        return  # the server has ended the conversation; the reading task sees why


async def send(connection: Connection, recording: Recording, *, realtime: bool) -> None:
    """Send audio-start, chunks with timestamps, and audio-stop."""
    form = recording.format
    layout = {"rate": form.rate, "width": form.width, "channels": form.channels}
    frames = form.rate * CHUNK_MS // 1000
    step = frames * form.frame_bytes
    started = time.monotonic()
    await connection.write(AudioStart(**layout, timestamp=0))
    for index, start in enumerate(range(0, len(recording.pcm), step)):
        if realtime:  # a chunk can be sent once its last frame is spoken
            await asyncio.sleep(started + (index + 1) * frames / form.rate - time.monotonic())
        chunk = recording.pcm[start : start + step]
        timestamp = index * frames * 1000 // form.rate
        await connection.write(AudioChunk(**layout, audio=chunk, timestamp=timestamp))
    await connection.write(AudioStop(timestamp=int(recording.seconds * 1000)))


async def collect_words(
    connection: Connection, started: float, all_sent: Callable[[], bool]
) -> tuple[list[HeardWord], Missed | None]:
    """Collect detections until the server has heard everything or has nothing more to say."""
    words: list[HeardWord] = []
    while True:
        try:
            event = await expect(connection, LAST_WORDS_S)
        except LimitExceeded:
            if all_sent():
                return words, None
            continue
        except ProtocolError:
            if words and all_sent():
                return words, None
            raise
        if Detection.is_type(event.type):
            found = Detection.from_event(event)
            told = found.context if isinstance(found.context, dict) else {}
            score, threshold, highest = (number(told.get(key)) for key in ("score", "threshold", "peak"))
            arrived = time.monotonic() - started
            words.append(
                HeardWord(cleaned(found.name or ""), whole(found.timestamp), score, arrived, threshold, highest)
            )
        elif NotDetected.is_type(event.type):
            return words, missed(NotDetected.from_event(event).context)
        elif Pong.is_type(event.type) and all_sent():
            return words, None


def whole(value: Any) -> int | None:
    """A time as a server tells it; None if it is none."""
    return value if type(value) is int else None


def number(value: Any) -> float | None:
    """A value of a context as a number; None if it is none."""
    return float(value) if isinstance(value, int | float) else None


def missed(context: Any) -> Missed | None:
    """Read the nearest miss from a not-detected's context; None where the server is not ours."""
    match context:
        case {"closest": str(name), "score": int() | float() as score, "timestamp": int(timestamp_ms)}:
            return Missed(name, score, timestamp_ms)
    return None
