"""Runs many listening satellites at the same time, and asks for descriptions as a hub does meanwhile."""

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass, field

from wyoming.client import AsyncClient
from wyoming.wake import Detect, Detection

from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from irene_wyoming.wire.hear import Recording
from tests.attack.process import cpu_seconds, resident_bytes, running
from tests.conftest import until
from tests.servers.clients import audio_start, chunks

CHUNK_MS = 80


DRAIN_S = 20.0
"""Seconds to wait for words after the last audio: what has not come by then is lost."""


@dataclass
class Outcome:
    spoken: int = 0
    heard: int = 0
    after: int = 0
    """Heard words that came after the last audio, 3 s behind their end: late, not lost."""
    late_s: list[float] = field(default_factory=list)
    """Seconds from sending the chunk with a detection's timestamp to the detection."""
    described_s: list[float] = field(default_factory=list)
    cpu: float = 0.0
    """Processor cores that the wake server used."""
    resident_bytes: int = 0


async def load(satellites: int, seconds: float, word: Recording, name: str) -> Outcome:
    """Run satellites at the pace of speech, each with the word once in some seconds of silence."""
    outcome = Outcome()
    room = str(satellites + 8)  # room for the clients that only ask, too
    async with running(ASR__ENABLED="false", MIC__ENABLED="false", WAKE__LIMITS__MAX_CONNECTIONS=room) as program:
        address, pid = program.addresses["wake"], program.pids()["wake"]
        used, started = cpu_seconds(pid), time.monotonic()
        asking = asyncio.create_task(ask(address, outcome))
        chance = random.Random(1)
        await asyncio.gather(
            *(listen(address, word, name, seconds, chance.uniform(0, 3), outcome) for _ in range(satellites))
        )
        asking.cancel()
        await asyncio.wait([asking])
        outcome.cpu = (cpu_seconds(pid) - used) / (time.monotonic() - started)
        outcome.resident_bytes = resident_bytes(pid)
    return outcome


async def listen(
    address: Address, word: Recording, name: str, seconds: float, offset_s: float, outcome: Outcome
) -> None:
    form = word.format
    silence = bytes(int(3 * form.rate) * form.frame_bytes)
    spoken = Recording(form, silence[: int(offset_s * form.rate) * form.frame_bytes] + word.pcm + silence)
    round_ms = CHUNK_MS * len(chunks(spoken, CHUNK_MS))
    async with AsyncClient.from_uri(address.uri) as client:
        await client.write_event(Detect(names=[name]).event())
        await client.write_event(audio_start(spoken).event())
        sent: dict[int, float] = {}
        heard: set[int] = set()
        hearing = asyncio.create_task(hear(client, sent, outcome, heard, round_ms))
        begun, position, rounds = time.monotonic(), 0, 0
        while time.monotonic() - begun < seconds:
            rounds += 1
            for chunk in chunks(spoken, CHUNK_MS, position):
                await asyncio.sleep(max(0.0, begun + position / 1000 - time.monotonic()))
                sent[position] = time.monotonic()
                await client.write_event(chunk.event())
                position += CHUNK_MS
        in_time = len(heard)
        with suppress(TimeoutError):
            await until(lambda: len(heard) == rounds, DRAIN_S)
        outcome.spoken += rounds
        outcome.heard += len(heard)
        outcome.after += len(heard) - in_time
        hearing.cancel()
        await asyncio.wait([hearing])


async def hear(client: AsyncClient, sent: dict[int, float], outcome: Outcome, heard: set[int], round_ms: int) -> None:
    """Take note of each round whose word is told.

    :param sent: when each chunk was sent (s, monotonic clock), by its timestamp.
    :param heard: the rounds whose word was told, filled here.
    """
    while (event := await client.read_event()) is not None:
        if Detection.is_type(event.type):
            timestamp = Detection.from_event(event).timestamp
            assert timestamp is not None
            heard.add(timestamp // round_ms)
            if timestamp in sent:
                outcome.late_s.append(time.monotonic() - sent[timestamp])


async def ask(address: Address, outcome: Outcome) -> None:
    while True:
        asked = time.monotonic()
        await describe(address, timeout_s=30)
        outcome.described_s.append(time.monotonic() - asked)
        await asyncio.sleep(0.5)


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")
