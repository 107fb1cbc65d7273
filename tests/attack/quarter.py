"""Runs a wake server in a cgroup with a quarter of a core and 256 MB. Many satellites in noise leave, one stays.

Needs the right to make cgroups, of version 1 or 2: root in most containers, or in a virtual machine.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from wyoming.audio import AudioChunk
from wyoming.wake import Detect, Detection

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.bench.serving import free_port
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import connect, describe
from irene_wyoming.wire.connection import Connection
from irene_wyoming.wire.hear import Recording
from tests.attack.process import answers

ROOT = Path("/sys/fs/cgroup")

PERIOD_US = 100_000

CHUNK_MS = 80

EVERY_S = 8.0
"""Seconds from one word of a satellite to its next."""

QUIET_S = 8
"""Seconds of quiet in which all gates close."""

SETTLES_S = 10.0
"""Seconds after the first description in which a server loads its models on a quarter of a core."""


@dataclass
class Outcome:
    spoken: int = 0
    late_s: list[float] = field(default_factory=list)
    """Seconds from the chunk with a detection's timestamp to the detection, for each word."""
    lone_s: float | None = None
    """Seconds from the end of the lone satellite's word to its detection, after the others have left."""
    described_s: list[float] = field(default_factory=list)
    killed: int = 0
    """Number of processes that the kernel has killed for lack of memory."""
    most_bytes: int = 0
    """Most bytes of memory in use, with the page cache."""


class Group:
    """A cgroup with limits."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self._folders = folders

    @property
    def members(self) -> list[Path]:
        """Files that take the process ids of members."""
        return [folder / "cgroup.procs" for folder in self._folders.values()]

    def killed(self) -> int:
        """How often the kernel has killed a process for lack of memory."""
        for name in ("memory.events", "memory.oom_control"):
            with suppress(OSError):
                lines = (self._folders["memory"] / name).read_text().splitlines()
                return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
        return 0

    def most_bytes(self) -> int:
        for name in ("memory.peak", "memory.max_usage_in_bytes"):
            with suppress(OSError):
                return int((self._folders["memory"] / name).read_text())
        return 0


def why_not() -> str | None:
    """The reason why no cgroup can be made here; None: one can be made."""
    try:
        with limited(1.0, 1 << 30):
            return None
    except OSError as error:
        return f"cgroups cannot be made here: {error.strerror}: {error.filename}"


@contextmanager
def limited(cores: float, memory_bytes: int) -> Iterator[Group]:
    """Make a cgroup with limits; raises OSError where that is not allowed."""
    name, quota = f"irene-test-{os.getpid()}", round(cores * PERIOD_US)
    if (ROOT / "cgroup.controllers").exists():
        folders = dict.fromkeys(("cpu", "memory"), ROOT / name)
        values = {("cpu", "cpu.max"): f"{quota} {PERIOD_US}", ("memory", "memory.max"): str(memory_bytes)}
    else:
        folders = {kind: ROOT / kind / name for kind in ("cpu", "memory")}
        values = {
            ("cpu", "cpu.cfs_period_us"): str(PERIOD_US),
            ("cpu", "cpu.cfs_quota_us"): str(quota),
            ("memory", "memory.limit_in_bytes"): str(memory_bytes),
        }
    made: list[Path] = []
    try:
        for folder in dict.fromkeys(folders.values()):
            folder.mkdir()
            made.append(folder)
        for (kind, file), value in values.items():
            (folders[kind] / file).write_text(value)
        yield Group(folders)
    finally:
        for folder in made:
            for _ in range(100):  # the kernel releases a group a moment after its last member
                try:
                    folder.rmdir()
                except OSError:
                    time.sleep(0.05)
                else:
                    break


@asynccontextmanager
async def small_server(group: Group, settings: dict[str, str]) -> AsyncIterator[Address]:
    """Start a wake server in a group, as a user would start it."""
    address = Address("127.0.0.1", free_port())
    own = {"WAKE__URI": address.uri, "DISCOVERY__ZEROCONF": "false", "METRICS__ENABLED": "false", **settings}
    join = " && ".join(f"echo $$ > {file}" for file in group.members)
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", f'{join} && exec "$@"', "sh", sys.executable, "-m", "irene_wyoming", "wake",
        env=os.environ | {f"IRENE_WYOMING__{key}": value for key, value in own.items()},
    )  # fmt: skip
    try:
        async with asyncio.timeout(120):
            await answers(address)
        yield address
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def quarter(
    satellites: int, seconds: float, word: Recording, name: str, settings: dict[str, str] | None = None
) -> Outcome:
    """Run satellites in changing noise, each with a word now and then; then all but one leave."""
    outcome = Outcome()
    with limited(0.25, 256_000_000) as group:
        async with small_server(group, settings or {}) as address:
            await warmed(address, name)
            asking = asyncio.create_task(ask(address, outcome), name="descriptions")
            await asyncio.gather(
                *(satellite(address, number, seconds, word, name, outcome) for number in range(satellites))
            )
            asking.cancel()
            await asyncio.wait([asking])
            outcome.lone_s = await lone(address, word, name)
            outcome.killed, outcome.most_bytes = group.killed(), group.most_bytes()
    return outcome


async def warmed(address: Address, name: str) -> None:
    """Let the server load what it loads for its first client."""
    async with connect(address) as wire:
        await wire.write(Detect(names=[name]))
        await wire.write(chunk(bytes(2 * SPEECH.rate // 10), 0))
        await asyncio.sleep(SETTLES_S)


async def ask(address: Address, outcome: Outcome) -> None:
    while True:
        began = time.monotonic()
        await describe(address, 30)
        outcome.described_s.append(time.monotonic() - began)
        await asyncio.sleep(0.5)


async def together(rooms: int, word: Recording, name: str, settings: dict[str, str]) -> Outcome:
    """Run quiet rooms, in which every gate is closed, and say one word in all at the same moment."""
    outcome = Outcome()
    with limited(0.25, 256_000_000) as group:
        async with small_server(group, settings) as address:
            await warmed(address, name)
            await asyncio.gather(*(quiet_room(address, number, word, name, outcome) for number in range(rooms)))
    return outcome


async def quiet_room(address: Address, number: int, word: Recording, name: str, outcome: Outcome) -> None:
    """Send quiet, then a word."""
    quiet = np.random.default_rng(number).normal(size=round((QUIET_S + 6) * SPEECH.rate)) * 10
    said = np.frombuffer(word.pcm, "<i2")
    quiet[QUIET_S * SPEECH.rate :][: len(said)] += said
    outcome.spoken += 1
    await listened(address, np.rint(quiet).clip(-32_768, 32_767).astype("<i2").tobytes(), name, outcome)


async def satellite(
    address: Address, number: int, seconds: float, word: Recording, name: str, outcome: Outcome
) -> None:
    """Send noise with words at the pace of speech, then leave abruptly, as after a loss of power."""
    pcm, ends = room(number, seconds, word)
    outcome.spoken += len(ends)
    await listened(address, pcm, name, outcome)


async def listened(address: Address, pcm: bytes, name: str, outcome: Outcome) -> None:
    """Send audio at the pace of speech, and note the detections."""
    async with connect(address) as wire:
        await wire.write(Detect(names=[name]))
        sent: dict[int, float] = {}
        noting = asyncio.create_task(note(wire, sent, outcome), name="detections")
        try:
            await speak(wire, pcm, sent)
        finally:
            noting.cancel()
            await asyncio.wait([noting])


async def note(wire: Connection, sent: dict[int, float], outcome: Outcome) -> None:
    while (event := await wire.read()) is not None:
        if Detection.is_type(event.type):
            outcome.late_s.append(time.monotonic() - sent[Detection.from_event(event).timestamp or 0])


async def lone(address: Address, word: Recording, name: str) -> float | None:
    """Measure the seconds from the end of a word to its detection; None: it does not come within ten."""
    pcm, ends = room(99, 0.5 + SPEECH.seconds(len(word.pcm)) + 3, word, first_s=0.5)
    async with connect(address) as wire:
        await wire.write(Detect(names=[name]))
        sent: dict[int, float] = {}
        began = time.monotonic()
        speaking = asyncio.create_task(speak(wire, pcm, sent), name="one who stays")
        try:
            async with asyncio.timeout(10):
                while (event := await wire.read()) is not None:
                    if Detection.is_type(event.type):
                        return max(0.0, time.monotonic() - began - ends[0])
        except TimeoutError:
            pass
        finally:
            speaking.cancel()
            await asyncio.wait([speaking])
    return None


async def speak(wire: Connection, pcm: bytes, sent: dict[int, float]) -> None:
    """Send audio at the pace of speech."""
    began = time.monotonic()
    step = SPEECH.rate * CHUNK_MS // 1_000 * SPEECH.frame_bytes
    for place, at in enumerate(range(0, len(pcm), step)):
        stamp = place * CHUNK_MS
        await asyncio.sleep(began + (stamp + CHUNK_MS) / 1_000 - time.monotonic())
        sent[stamp] = time.monotonic()
        await wire.write(chunk(pcm[at : at + step], stamp))


def chunk(pcm: bytes, stamp: int) -> AudioChunk:
    return AudioChunk(SPEECH.rate, SPEECH.width, SPEECH.channels, pcm, timestamp=stamp)


def room(number: int, seconds: float, word: Recording, first_s: float | None = None) -> tuple[bytes, list[float]]:
    """Make noise that changes three times a second, so that no gate closes, with words; returns also their ends."""
    random = np.random.default_rng(number)
    size = round(seconds * SPEECH.rate)
    level = np.repeat(10 ** random.uniform(-3.0, -2.2, size // 5_000 + 1), 5_000)[:size]
    heard = random.normal(size=size) * level * 32_768
    said = np.frombuffer(word.pcm, "<i2")
    at = first_s if first_s is not None else 1.0 + number * EVERY_S / 16 % EVERY_S
    ends = []
    while at + SPEECH.seconds(len(word.pcm)) + 1 < seconds:
        start = round(at * SPEECH.rate)
        heard[start : start + len(said)] += said
        ends.append(at + SPEECH.seconds(len(word.pcm)))
        at += EVERY_S
    return np.clip(np.rint(heard), -32_768, 32_767).astype("<i2").tobytes(), ends
