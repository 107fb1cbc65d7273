"""Runs mixed clients for a long time: does a process grow, and do its metrics agree with an outside clock?"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
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
from tests.attack.process import Memory, Program, cpu_seconds, memory, open_files, running
from tests.servers.clients import audio_start, chunks

BUSY_S, REST_S = 20.0, 2.0
"""Seconds in which clients are at work, and seconds without any before each look at the memory. What is held without
clients is what a server keeps: beside them the speech-to-text server holds 15 MB more at one moment than at another.
"""

BLOCKS, T_95 = 12, 2.23
"""Blocks into which samples are parted, and Student's t of a line through these for 95 %."""

ALONE = 15
"""Commands of a client that is alone, by which metrics are compared with its clock. With others at work this process
lags, and measures longer waits than the server can know.
"""


@dataclass
class Slope:
    """The slope of a process's memory after the first third of the time."""

    kb_per_minute: float
    error: float
    """The slope's possible error by chance, with 95 % confidence, from the scatter of blocks of samples."""

    @property
    def flat(self) -> bool:
        return abs(self.kb_per_minute) <= self.error

    @property
    def most(self) -> float:
        return self.kb_per_minute + self.error


@dataclass
class Outcome:
    memory: dict[str, list[tuple[float, Memory]]] = field(default_factory=dict)
    """Memory by server, while it has no clients, with the seconds since the start."""
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

    def warm(self, name: str) -> list[tuple[float, Memory]]:
        """The samples of a server without the first third."""
        return self.memory[name][len(self.memory[name]) // 3 :]

    def slopes(self) -> dict[str, Slope]:
        return {name: slope([(when, held.total) for when, held in self.warm(name)]) for name in self.memory}


def slope(samples: list[tuple[float, int]], blocks: int = BLOCKS) -> Slope:
    """The slope of the straight line through the least of each block; infinitely uncertain with too few samples.

    A leak raises the least, too. What is above it goes when freed memory is given back, once a minute.
    """
    if len(samples) < blocks:
        return Slope(0.0, float("inf"))
    parts = np.array_split(np.array(samples, float), blocks)
    minutes = np.array([part[:, 0].mean() for part in parts]) / 60
    kilobytes = np.array([part[:, 1].min() for part in parts]) / 1024
    (rise, start), *_ = np.polyfit(minutes, kilobytes, 1, full=True)
    rest = kilobytes - start - rise * minutes
    spread = np.sum((minutes - minutes.mean()) ** 2)
    return Slope(float(rise), float(T_95 * np.sqrt(np.sum(rest**2) / (blocks - 2) / spread)))


class Gate:
    """Lets clients begin their work, or makes them wait while the memory is looked at."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._busy = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @asynccontextmanager
    async def passed(self) -> AsyncIterator[None]:
        await self._open.wait()
        self._busy += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._busy -= 1
            if not self._busy:
                self._idle.set()

    @asynccontextmanager
    async def closed(self) -> AsyncIterator[None]:
        """Wait until nobody is at work any more, and keep all waiting within the context."""
        self._open.clear()
        await self._idle.wait()
        try:
            yield
        finally:
            self._open.set()


async def soak(seconds: float, word: Recording, command: Recording, say: Callable[[str], None]) -> Outcome:
    outcome = Outcome()
    async with running() as program:
        outcome.scrape_cpu_s = await scrape_cost(program, outcome)
        for _ in range(ALONE):
            await speak(program.addresses["asr"], command, outcome.alone_s)
        outcome.told_alone_s = await told_mean(program)
        files = {name: open_files(pid) for name, pid in program.pids().items()}
        wake, asr, front = (program.addresses[name] for name in ("wake", "asr", "front"))
        gate = Gate()
        workers = [
            asyncio.create_task(again(work, gate))
            for work in (
                lambda: listen(wake, word),
                lambda: listen(front, word),
                lambda: speak(asr, command, outcome.transcripts_s),
                lambda: speak(asr, command, outcome.transcripts_s),
                lambda: misbehave(program, random.Random()),
                lambda: look(front),
            )
        ]
        await watch(program, gate, seconds, outcome, say)
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers)
        await asyncio.sleep(3)
        outcome.files = {name: (files[name], open_files(pid)) for name, pid in program.pids().items()}
        outcome.told_mean_s = await told_mean(program)
    return outcome


async def watch(program: Program, gate: Gate, seconds: float, outcome: Outcome, say: Callable[[str], None]) -> None:
    started = time.monotonic()
    while (now := time.monotonic() - started) < seconds:
        await asyncio.sleep(min(BUSY_S, seconds / BLOCKS))
        async with gate.closed():
            await asyncio.sleep(REST_S)
            for name, pid in program.pids().items():
                outcome.memory.setdefault(name, []).append((now, memory(pid)))
        say(", ".join(f"{name} {samples[-1][1].total / 1e6:.1f} MB" for name, samples in outcome.memory.items()))


async def again(work: Callable[[], Coroutine[None, None, None]], gate: Gate) -> None:
    while True:
        try:
            async with gate.passed():
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
