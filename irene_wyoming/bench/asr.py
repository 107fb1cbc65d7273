"""How well and how fast a speech-to-text server understands recordings, at the pace of speech and several at a time."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass

from irene_wyoming.bench.serving import Server
from irene_wyoming.errors import IreneError, ServerUnavailable
from irene_wyoming.routing.cascade import plain
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from irene_wyoming.wire.hear import HeardText, Recording, transcribe


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recording and what is said in it; empty: nothing that a server should understand."""

    name: str
    recording: Recording
    text: str


@dataclass(frozen=True, slots=True)
class AsrRow:
    """One program of a server, with so many clients at a time. Times are None where there was nothing to time."""

    program: str
    clients: int
    recordings: int
    failed: int
    """Recordings to which there was no transcript."""
    exact: float | None
    """Share of the sentences of which every word is right."""
    rejected: float | None
    """Share of what is no sentence to which the transcript is empty."""
    wer: float | None
    """Word error rate: words wrong, missing or too many, over those spoken."""
    after_p50_ms: float | None
    """From the end of the audio to its transcript."""
    after_p95_ms: float | None
    first_partial_p50_ms: float | None
    """From the start of the audio to the first words of the transcript, where any came before its end."""
    rtf: float | None
    """CPU time of the server over the length of the audio; None: not our own server."""
    memory_mb: float | None
    """Of the server and what it has started, in RAM; None: not our own server."""


async def programs(address: Address) -> list[str]:
    """Those that can be used.

    :raises ServerUnavailable: nobody answers, or there are none.
    """
    names = [program.name for program in (await describe(address)).asr if program.installed]
    if not names:
        raise ServerUnavailable(f"{address.uri} has no speech-to-text")
    return names


async def measure(
    address: Address, program: str, spoken: Sequence[Spoken], clients: int, *, server: Server | None, realtime: bool
) -> AsrRow:
    """Play all recordings to one program, so many at a time.

    :param server: where it is one of our own, whose CPU time and memory are then told.
    """
    waiting = list(spoken)
    heard: list[tuple[Spoken, HeardText | None]] = []

    async def speak() -> None:
        while waiting:
            one = waiting.pop(0)
            try:
                text = await transcribe(address, one.recording, realtime=realtime, program=program)
            except (IreneError, OSError):
                heard.append((one, None))
            else:
                heard.append((one, text))

    async def speak_all() -> None:
        await asyncio.gather(*(speak() for _ in range(clients)))

    if server is None:
        await speak_all()
        return summed_up(program, clients, heard, rtf=None, memory_mb=None)
    before_s = await asyncio.to_thread(server.cpu_s)
    await speak_all()
    after_s = await asyncio.to_thread(server.cpu_s)
    resident = await asyncio.to_thread(server.resident_bytes)
    seconds = sum(one.recording.seconds for one in spoken)
    return summed_up(program, clients, heard, rtf=(after_s - before_s) / seconds, memory_mb=resident / 1e6)


def summed_up(
    program: str,
    clients: int,
    heard: Sequence[tuple[Spoken, HeardText | None]],
    *,
    rtf: float | None,
    memory_mb: float | None,
) -> AsrRow:
    answered = [(one, text) for one, text in heard if text is not None]
    sentences = [(plain(one.text), plain(text.text)) for one, text in answered if one.text]
    others = [text.text for one, text in answered if not one.text]
    delays = sorted(text.delay_s * 1000 for _, text in answered)
    firsts = sorted(text.first_partial_s * 1000 for _, text in answered if text.first_partial_s is not None)
    words = sum(len(said.split()) for said, _ in sentences)
    return AsrRow(
        program=program,
        clients=clients,
        recordings=len(heard),
        failed=len(heard) - len(answered),
        exact=sum(said == text for said, text in sentences) / len(sentences) if sentences else None,
        rejected=sum(not text for text in others) / len(others) if others else None,
        wer=sum(distance(said.split(), text.split()) for said, text in sentences) / words if words else None,
        after_p50_ms=percentile(delays, 0.5),
        after_p95_ms=percentile(delays, 0.95),
        first_partial_p50_ms=percentile(firsts, 0.5),
        rtf=rtf,
        memory_mb=memory_mb,
    )


def percentile(values: Sequence[float], share: float) -> float | None:
    """Of sorted values: the smallest that ``share`` of them do not exceed; None: there are none."""
    return values[math.ceil(share * len(values)) - 1] if values else None


def distance(said: Sequence[str], heard: Sequence[str]) -> int:
    """Words to replace, leave out or put in (Levenshtein's distance)."""
    row = list(range(len(heard) + 1))
    for count, word in enumerate(said, start=1):
        diagonal, row[0] = row[0], count
        for index, other in enumerate(heard, start=1):
            diagonal, row[index] = row[index], min(row[index] + 1, row[index - 1] + 1, diagonal + (word != other))
    return row[-1]
