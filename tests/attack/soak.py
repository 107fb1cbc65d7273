"""Runs mixed clients for a long time: does a process grow, and do its metrics agree with an outside clock?"""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

import numpy as np
from wyoming.client import AsyncClient
from wyoming.wake import Detect

from irene_wyoming.cli.demo import end_of_speech
from irene_wyoming.errors import IreneError
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from irene_wyoming.wire.hear import Recording, transcribe
from tests.app.http import get
from tests.attack.fuzz import converse, some_event
from tests.attack.process import Program, cpu_seconds, open_files, resident_bytes, running
from tests.servers.clients import audio_start, chunks

EVERY_S = 1.0

ALONE = 15
"""Commands of a client that is alone, by which metrics are compared with its clock. With others at work this process
lags, and measures longer waits than the server can know.
"""


@dataclass
class Slope:
    """The slope of a process's memory after the first third of the time."""

    kb_per_minute: float
    error: float
    """Two standard errors of the slope, from the scatter of blocks of samples."""

    @property
    def flat(self) -> bool:
        return abs(self.kb_per_minute) <= self.error


@dataclass
class Outcome:
    memory: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    """Memory by server: pairs of seconds and bytes."""
    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Open files of each server at the beginning and at the end."""
    transcripts_s: list[float] = field(default_factory=list)
    """Seconds from the end of the audio to each transcript, by this process's clock."""
    scrapes_s: list[float] = field(default_factory=list)
    scrape_cpu_s: float = 0.0
    """Processor seconds of the program for one scrape."""
    alone_s: list[float] = field(default_factory=list)
    """Seconds from the end of the audio to each transcript, while no other client is there."""
    told_alone_s: float = 0.0
    """The mean of alone_s as /metrics reports it."""
    told_mean_s: float = 0.0
    """The mean of all transcripts' times as /metrics reports it."""

    def slopes(self) -> dict[str, Slope]:
        return {name: slope(samples[len(samples) // 3 :]) for name, samples in self.memory.items()}


def slope(samples: list[tuple[float, int]], blocks: int = 8) -> Slope:
    """The median slope over all pairs of blocks (Theil and Sen), and its possible error by chance."""
    means = np.array([np.mean(block, axis=0) for block in np.array_split(np.array(samples, float), blocks)])
    first, second = np.triu_indices(blocks, 1)
    slopes = (means[second, 1] - means[first, 1]) / (means[second, 0] - means[first, 0]) * 60 / 1024
    return Slope(float(np.median(slopes)), float(2 * np.std(slopes) / np.sqrt(blocks)))


async def soak(seconds: float, word: Recording, command: Recording, say: Callable[[str], None]) -> Outcome:
    outcome = Outcome()
    async with running() as program:
        outcome.scrape_cpu_s = await scrape_cost(program, outcome)
        for _ in range(ALONE):
            await speak(program.addresses["asr"], command, outcome.alone_s)
        outcome.told_alone_s = await told_mean(program)
        files = {name: open_files(pid) for name, pid in program.pids().items()}
        wake, asr, front = (program.addresses[name] for name in ("wake", "asr", "front"))
        workers = [
            asyncio.create_task(again(work))
            for work in (
                lambda: listen(wake, word),
                lambda: listen(front, word),
                lambda: speak(asr, command, outcome.transcripts_s),
                lambda: speak(asr, command, outcome.transcripts_s),
                lambda: misbehave(program, random.Random()),
                lambda: look(front),
            )
        ]
        await watch(program, seconds, outcome, say)
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers)
        await asyncio.sleep(3)
        outcome.files = {name: (files[name], open_files(pid)) for name, pid in program.pids().items()}
        outcome.told_mean_s = await told_mean(program)
    return outcome


async def watch(program: Program, seconds: float, outcome: Outcome, say: Callable[[str], None]) -> None:
    started = time.monotonic()
    while (now := time.monotonic() - started) < seconds:
        for name, pid in program.pids().items():
            outcome.memory.setdefault(name, []).append((now, resident_bytes(pid)))
        say(", ".join(f"{name} {samples[-1][1] / 1e6:.1f} MB" for name, samples in outcome.memory.items()))
        await asyncio.sleep(EVERY_S)


async def again(work: Callable[[], Coroutine[None, None, None]]) -> None:
    while True:
        try:
            await work()
        except (OSError, IreneError, AssertionError):
            await asyncio.sleep(0.1)


async def listen(address: Address, word: Recording) -> None:
    async with AsyncClient.from_uri(address.uri) as client:
        await client.write_event(Detect().event())
        await client.write_event(audio_start(word).event())
        for chunk in chunks(word, 80):
            await client.write_event(chunk.event())
            await asyncio.sleep(0.02)


async def speak(address: Address, command: Recording, waited_s: list[float]) -> None:
    """Send commands at the pace of speech: faster, the end of the audio would queue behind the rest, unseen by the
    server. Silence at the end is left out, since the transcript would be prepared in it.
    """
    waited_s.append((await transcribe(address, spoken(command), realtime=True)).delay_s)


def spoken(recording: Recording) -> Recording:
    """Cut a recording after its last sound."""
    frame = recording.format.frame_bytes
    frames = round(end_of_speech(recording) * recording.format.rate)
    return Recording(recording.format, recording.pcm[: frames * frame])


async def misbehave(program: Program, chance: random.Random) -> None:
    target = chance.choice(list(program.addresses.values()))
    async with asyncio.timeout(20):
        await converse(target, b"".join(some_event(chance) for _ in range(20)))
    await asyncio.sleep(0.02)


async def look(address: Address) -> None:
    await describe(address)
    await asyncio.sleep(0.1)


async def scrape_cost(program: Program, outcome: Outcome, count: int = 100) -> float:
    used = cpu_seconds(program.process.pid)
    for _ in range(count):
        asked = time.monotonic()
        assert (await get(program.figures, "/metrics"))[0] == 200
        outcome.scrapes_s.append(time.monotonic() - asked)
    return (cpu_seconds(program.process.pid) - used) / count


async def told_mean(program: Program) -> float:
    _, body = await get(program.figures, "/metrics")
    found = {
        kind: sum(
            float(line.rpartition(" ")[2])
            for line in body.splitlines()
            if line.startswith(f"irene_transcript_seconds_{kind}")
        )
        for kind in ("sum", "count")
    }
    return found["sum"] / found["count"] if found["count"] else float("nan")
