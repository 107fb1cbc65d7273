"""Measures the microphone server's promises: delay, many listeners, bad ones, an hour, its end."""

import asyncio
import random
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from irene_wyoming.audio.format import SPEECH, AudioFormat, Quality
from irene_wyoming.audio.wav import wav
from irene_wyoming.bench import fanout
from irene_wyoming.bench.microphone import MicServer, mic_server, recording
from irene_wyoming.bench.rows import Gate
from irene_wyoming.capture.wavfile import WavFileSource
from irene_wyoming.household.alone import alone
from irene_wyoming.stream.shared import SharedStream
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.listen import listening

CHUNK_FRAMES = 640
"""Frames per chunk: the default, 40 ms."""

CHUNK_MS = CHUNK_FRAMES * 1000 // SPEECH.rate

STUDIO = AudioFormat(48_000, 2, 2)
"""The format of USB microphones."""

BUSY_MS = 5.0
"""Milliseconds of delay through a mere pipe from which the machine is too busy for a verdict."""

CLOSED_S = 5.0
"""Seconds for a server to close connections that listeners have left, and for a recorder to end."""


@dataclass(frozen=True, slots=True)
class Effort:
    """The size of a measurement."""

    seconds: float
    listeners: int
    hour_s: int
    connects: int
    rounds: int


FULL = Effort(seconds=20, listeners=100, hour_s=3600, connects=50, rounds=400)
QUICK = Effort(seconds=1, listeners=10, hour_s=60, connects=5, rounds=30)
"""A short run that shows whether the measurement works; its figures are rough."""


async def gates(effort: Effort) -> AsyncIterator[Gate]:
    """Judge every promise of the microphone server, one after the other."""
    async with mic_server(SPEECH, CHUNK_FRAMES) as server:
        for gate in await delay(server, effort.seconds):
            yield gate
    yield conversion(effort)
    async with mic_server(STUDIO, 3 * CHUNK_FRAMES) as server:
        for gate in await alone_with_one(server, effort.seconds):
            yield gate
        yield await pace(server, effort)
    async with mic_server(SPEECH, CHUNK_FRAMES) as server:
        for gate in await never_reads(server, effort.seconds):
            yield gate
    yield await hour(effort.hour_s)
    async with mic_server(SPEECH, CHUNK_FRAMES, LINGER_S="0") as server:
        for gate in await connects(server, effort.connects):
            yield gate
        yield await killed(server)


@dataclass(frozen=True, slots=True)
class Take:
    """The audio that one listener got."""

    chunks: dict[int, bytes]
    """Digests of the audio, by timestamp."""
    lost_frames: int
    delays_ms: list[float]
    """Milliseconds from each chunk's capture to its arrival, while chunks are the recorder's blocks."""


async def take(address: Address, seconds: float) -> Take:
    """Listen for so many seconds, from the first chunk on."""
    heard: dict[int, bytes] = {}
    delays: list[float] = []
    lost, expected, end = 0, 0, float("inf")
    async with listening(address) as chunks:
        async for chunk in chunks:
            now = time.monotonic()
            end = min(end, now + seconds)
            if now > end:
                break
            delays.append(now * 1e3 - int.from_bytes(chunk.pcm[:8], "little") / 1e6)
            heard[chunk.timestamp] = blake2b(chunk.pcm, digest_size=8).digest()
            lost += chunk.start - expected
            expected = chunk.start + chunk.frames
    return Take(heard, lost, delays)


async def pipe_delays(seconds: float) -> list[float]:
    """Milliseconds that the recorder's blocks take through a mere pipe: the machine's part of every delay."""
    recorder = await asyncio.create_subprocess_exec(
        *recording(SPEECH, CHUNK_FRAMES, "/dev/null"), stdout=asyncio.subprocess.PIPE
    )
    assert recorder.stdout is not None
    delays = []
    try:
        for _ in range(round(seconds * 1000 / CHUNK_MS)):
            block = await recorder.stdout.readexactly(CHUNK_FRAMES * SPEECH.frame_bytes)
            delays.append(time.monotonic() * 1e3 - int.from_bytes(block[:8], "little") / 1e6)
    finally:
        recorder.kill()
        await recorder.communicate()
    return delays


async def delay(server: MicServer, seconds: float) -> Sequence[Gate]:
    meanwhile = asyncio.create_task(pipe_delays(seconds))
    takes = await asyncio.gather(*(take(server.address, seconds) for _ in range(8)))
    piped = await meanwhile
    machine = quantiles(piped, n=100)[-1]
    delays = [each for one in takes for each in one.delays_ms]
    p99 = quantiles(delays, n=100)[-1]
    both = set.intersection(*(set(one.chunks) for one in takes))
    same = all(one.chunks[stamp] == takes[0].chunks[stamp] for one in takes for stamp in both)
    return [
        Gate(
            "8 listeners, from capture to arrival",
            f"p99 of a chunk's last frame at most 10 ms, so that its first waits for {CHUNK_MS} + 10",
            f"median {median(delays):.2f} ms, p99 {p99:.2f} ms of {len(delays)} chunks; through a mere pipe meanwhile "
            f"{median(piped):.2f} and {machine:.2f}",
            p99 <= 10 if p99 <= 10 or machine < BUSY_MS else None,
        ),
        Gate(
            "8 listeners on one source",
            "identical samples, none lost",
            f"{len(both)} chunks in common, {'identical' if same else 'different'}",
            same and bool(both) and not any(one.lost_frames for one in takes),
        ),
    ]


def conversion(effort: Effort) -> Gate:
    costs = alone(fanout.shared, (1, effort.listeners), effort.rounds)
    ratio = costs[effort.listeners].least_us / costs[1].least_us
    return Gate(
        f"conversion and fan-out for {effort.listeners} listeners",
        "at most twice that for one",
        f"{ratio:.2f}",
        ratio <= 2,
    )


async def alone_with_one(server: MicServer, seconds: float) -> Sequence[Gate]:
    async with listening(server.address) as chunks:
        await anext(chunks)
        before, since = await server.state(), time.monotonic()
        async for _ in chunks:
            if time.monotonic() - since > seconds:
                break
        after = await server.state()
        share = (after.cpu_s - before.cpu_s) / (time.monotonic() - since)
    resident = after.resident_bytes
    return [
        Gate(
            f"CPU, {STUDIO} to {SPEECH}, one listener",
            "at most 2 % of a core",
            f"{share:.2%} of a core, of which waking up so often takes an empty event loop {await idle_share():.2%}",
            share <= 0.02,
        ),
        Gate("memory of the server", "below 50 MB", f"{resident / 1e6:.1f} MB resident", resident < 50e6),
    ]


async def idle_share(seconds: float = 3.0) -> float:
    """Share of a core that an event loop takes which wakes up once per chunk and does nothing."""
    return await asyncio.to_thread(alone, idle_here, seconds)


def idle_here(seconds: float) -> float:
    async def idle() -> None:
        for _ in range(round(seconds * 1000 / CHUNK_MS)):
            await asyncio.sleep(CHUNK_MS / 1000)

    used, since = time.process_time(), time.monotonic()
    asyncio.run(idle())
    return (time.process_time() - used) / (time.monotonic() - since)


async def pace(server: MicServer, effort: Effort) -> Gate:
    listeners = [asyncio.create_task(take(server.address, effort.seconds)) for _ in range(effort.listeners)]
    before, since = await server.state(), time.monotonic()
    takes = await asyncio.gather(*listeners)
    share = ((await server.state()).cpu_s - before.cpu_s) / (time.monotonic() - since)
    least = min(len(one.chunks) for one in takes) * CHUNK_MS / 1000
    lost = sum(one.lost_frames for one in takes)
    return Gate(
        f"{effort.listeners} listeners",
        "all at pace on one core, nothing lost",
        f"the least got {least:.2f} s of {effort.seconds:g}, {lost} frames lost, {share:.0%} of a core",
        not lost and least > effort.seconds - 0.5 and share < 1,
    )


@asynccontextmanager
async def unread(address: Address) -> AsyncIterator[None]:
    """Connect a listener that never reads."""
    with socket.socket(socket.AF_UNIX) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, address.path)
        yield


async def never_reads(server: MicServer, seconds: float) -> Sequence[Gate]:
    async with listening(server.address) as chunks:
        await anext(chunks)
        before = await server.state()
        async with unread(server.address):
            heard = await take(server.address, seconds)
            grown = (await server.state()).resident_bytes - before.resident_bytes
    return [
        Gate(
            f"a listener that reads nothing for {seconds:g} s: memory",
            "at most 1 MB more",
            f"{grown / 1e3:.0f} kB more",
            grown <= 1e6,
        ),
        Gate(
            "the others meanwhile",
            "lose nothing",
            f"{heard.lost_frames} frames lost of {len(heard.chunks) * CHUNK_FRAMES}",
            not heard.lost_frames and bool(heard.chunks),
        ),
    ]


async def hour(seconds: int) -> Gate:
    """Run an hour of looped audio through capture and fan-out as fast as possible, with the timestamps of an hour."""
    with TemporaryDirectory(prefix="irene-bench-") as folder:
        path = Path(folder, "loop.wav")
        sound = await asyncio.to_thread(loop_of_noise, path)
        faults = await played(path, sound, seconds)
    return Gate(
        f"{seconds} s of looped audio, in its own format",
        "byte for byte, no gap, no drift",
        ", ".join(f"{count} {fault}" for fault, count in faults.items()) or "every byte, place and time is right",
        not faults,
    )


def loop_of_noise(path: Path) -> bytes:
    """Write a wav file whose length is no multiple of a chunk; gives its audio. Blocks."""
    sound = random.Random(6).randbytes(2 * 50_021)
    path.write_bytes(wav(sound, SPEECH))
    return sound


async def played(path: Path, sound: bytes, seconds: int) -> Counter[str]:
    """Count the faults in a listener's audio, by kind."""
    faults: Counter[str] = Counter()
    stream = SharedStream()
    looped = sound * 2
    async with WavFileSource(path, loop=True, realtime=False).open() as capture:
        with stream.view(SPEECH, Quality.MEDIUM, capacity=100, chunk_frames=CHUNK_FRAMES) as listener:
            begin: int | None = None
            frames = 0
            async for captured in capture:
                stream.publish(captured)
                for chunk in listener.take():
                    begin = chunk.timestamp if begin is None else begin
                    at = frames * SPEECH.frame_bytes % len(sound)
                    faults["chunks with other bytes"] += chunk.pcm != looped[at : at + len(chunk.pcm)]
                    faults["gaps"] += chunk.start != frames
                    faults["timestamps off by more than 1 ms"] += (
                        abs(chunk.timestamp - begin - frames * 1000 / SPEECH.rate) > 1
                    )
                    frames += chunk.frames
                if frames >= seconds * SPEECH.rate:
                    break
            faults["chunks lost"] += listener.dropped
    return +faults


async def connects(server: MicServer, count: int) -> Sequence[Gate]:
    await first_chunk(server.address)  # the memory that the server keeps from its first recorder on
    await settled(server.recorders)
    before = (await server.state()).descriptors
    for _ in range(count):
        await first_chunk(server.address)

    async def leaked() -> int:
        return max(0, (await server.state()).descriptors - before)

    left, more = await settled(server.recorders), await settled(leaked)
    return [
        Gate(f"{count} connects, each opening the device", "no recorder is left", f"{left} left", not left),
        Gate("descriptors after them", "none leaked", f"{more} more than before", not more),
    ]


async def first_chunk(address: Address) -> None:
    async with listening(address) as chunks:
        await anext(chunks)


async def killed(server: MicServer) -> Gate:
    async with listening(server.address) as chunks:
        await anext(chunks)
        running = await server.recorders()
        server.process.kill()
        await server.process.wait()
        left = await settled(server.recorders)
    return Gate(
        "the server killed with SIGKILL", "no recorder is left", f"{left} of {running} left", running > left == 0
    )


async def settled(left: Callable[[], Awaitable[int]]) -> int:
    """Wait until nothing is left, with a time limit; gives how much is left."""
    deadline = time.monotonic() + CLOSED_S
    while (count := await left()) and time.monotonic() < deadline:  # noqa: ASYNC110  # no event tells
        await asyncio.sleep(0.02)
    return count
