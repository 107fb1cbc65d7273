"""Measures the wake server's cost beside the bare engine: is the loop in between expensive? Linux only."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace

from wyoming.audio import AudioChunk, AudioStart

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.bench.engines import wake_engine as loaded
from irene_wyoming.bench.rows import MemoryRow, SpeedRow, Spread, StartRow, WakeRow
from irene_wyoming.bench.serving import Server, serving
from irene_wyoming.bench.usage import resident_bytes
from irene_wyoming.engines.base import WakeEngine
from irene_wyoming.household import satellites as load
from irene_wyoming.household import workload
from irene_wyoming.household.alone import alone
from irene_wyoming.household.satellites import Heard, Track
from irene_wyoming.tasks import beside
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import connect, describe

MANY = 256
"""Connections that the measured server takes at once; the default is for households."""

BARE, SERVER, LOOKING = "bare engine", "server", "server with a second look"

ENGINE_ALONE = {"limits__max_connections": MANY, "verify": '"off"', "typed": "[]"}
"""Settings of a server that is compared with the bare engine: a second look costs more than all the rest."""

DESCRIBE_EVERY_S = 0.2
DESCRIBE_TIMEOUT_S = 30.0
ROUNDS = 5
"""Rounds of which the least CPU time counts: other work of the machine can only add to it."""

START_ROUNDS = 40
LONGEST_STEP = 1280
"""Frames of an engine's longest step, 80 ms."""


async def of_server(
    engine: str, track: Track, count: int, seconds: float, chunk_ms: int, *, looking: bool = False
) -> WakeRow:
    """Measure live satellites on our own server.

    :param looking: whether second looks decide, as they do by default.
    """
    settings = {**ENGINE_ALONE, "verify": '"on"'} if looking else ENGINE_ALONE
    async with serving("wake", settings) as server:
        if looking:  # the first word would wait for the recogniser's model
            await load.live(server.address, engine, track, 1, track.period_s, chunk_ms)
        name = LOOKING if looking else SERVER
        return await at(server.address, name, engine, track, count, seconds, chunk_ms, server)


async def beside_speakers(
    engine: str, track: Track, count: int, seconds: float, chunk_ms: int, speakers: int
) -> WakeRow:
    """Measure live satellites while speakers give one command after the other to our own speech-to-text server.

    :raises IreneError, OSError: a speaker got no answer, so the row would be about fewer.
    """
    async with serving("asr") as other:
        async with beside(workload.asr(other.address, speakers, math.inf), "speakers") as speaking:
            row = await of_server(engine, track, count, seconds, chunk_ms)
        if not speaking.cancelled():
            speaking.result()
    return replace(row, listener=f"{SERVER} beside {speakers} speakers")


async def at(
    address: Address,
    listener: str,
    engine: str | None,
    track: Track,
    count: int,
    seconds: float,
    chunk_ms: int,
    server: Server | None = None,
) -> WakeRow:
    """Measure live satellites on any server; ``engine`` None: its default. Beside several satellites descriptions are
    asked for, too. Beside one they would cost as much as the satellite.
    """
    over = asyncio.Event()
    if count == 1:
        over.set()
    began = server.family.cpu_s() if server else 0.0
    asking = asyncio.create_task(load.describe_times(address, DESCRIBE_EVERY_S, DESCRIBE_TIMEOUT_S, over))
    try:
        told = await load.live(address, engine, track, count, seconds, chunk_ms)
    finally:
        over.set()
        described = await asking
    used = server.family.cpu_s() - began if server else None
    return WakeRow(
        listener,
        engine or "its own",
        count,
        chunk_ms,
        None if used is None else used / count / seconds * 1_000,
        sum(one.spoken for one in told),
        sum(len(one.delays_s) for one in told),
        sum(one.false for one in told),
        spread(delay for one in told for delay in one.delays_s),
        spread(described) if described else None,
        server.family.resident_bytes() / 1e6 if server else None,
    )


def bare(engine: str, track: Track, seconds: float, chunk_ms: int) -> WakeRow:
    """Measure the engine alone in a fresh process, fed the same chunks at the same pace by a sleeping loop."""
    return alone(_bare, engine, track, seconds, chunk_ms)


def _bare(name: str, track: Track, seconds: float, chunk_ms: int) -> WakeRow:
    chunks = track.chunks(chunk_ms)
    heard = Heard(spoken=sum(1 for _ in load.word_ends(track, seconds)))
    with closing(loaded(name)) as engine, closing(engine.session([track.word])) as session:
        start, used = time.monotonic(), time.process_time()
        for number in range(round(seconds * 1_000 / chunk_ms)):
            time.sleep(max(0.0, start + (number + 1) * chunk_ms / 1_000 - time.monotonic()))
            for _ in session.push(chunks[number % len(chunks)]):
                period = int(number * chunk_ms / 1_000 / track.period_s)
                heard.delays_s.append(time.monotonic() - start - period * track.period_s - track.word_end_s)
        used = time.process_time() - used
        memory = resident_bytes()
    cost = used / seconds * 1_000
    size = None if memory is None else memory / 1e6
    found, delay = len(heard.delays_s), spread(heard.delays_s)
    return WakeRow(BARE, name, 1, chunk_ms, cost, heard.spoken, found, 0, delay, None, size)


async def speed(engine: str, track: Track, count: int, seconds: float, chunk_ms: int) -> SpeedRow:
    """Measure the most audio per CPU time: the server's process in turns with sessions in one loop."""
    costs: list[float] = []
    with closing(loaded(engine)) as bare_engine:
        bare_costs: list[float] = []
        async with serving("wake", ENGINE_ALONE) as server:
            for _ in range(ROUNDS):
                began = server.family.cpu_s()
                await load.flood(server.address, engine, track, count, seconds, chunk_ms)
                costs.append((server.family.cpu_s() - began) / count / seconds * 1_000)
                bare_costs.append(await asyncio.to_thread(_loop, bare_engine, track, count, seconds, chunk_ms))
    return SpeedRow(engine, count, chunk_ms, min(bare_costs), min(costs))


def _loop(engine: WakeEngine, track: Track, count: int, seconds: float, chunk_ms: int) -> float:
    """CPU milliseconds of this thread per second of audio."""
    chunks = track.chunks(chunk_ms)
    with ExitStack() as stack:
        sessions = [stack.enter_context(closing(engine.session([track.word]))) for _ in range(count)]
        began = time.thread_time()
        for number in range(round(seconds * 1_000 / chunk_ms)):
            for one in sessions:
                one.push(chunks[number % len(chunks)])
        return (time.thread_time() - began) / count / seconds * 1_000


async def start(engine: str, track: Track) -> StartRow:
    """Measure the cost of beginnings, as differences of CPU time over many tries."""
    async with serving("wake", ENGINE_ALONE) as server:
        async with connect(server.address) as wire:
            await load.ask(wire, engine, track.word)
            await load.answered(wire)
            step = AudioChunk(16_000, 2, 1, track.pcm[: LONGEST_STEP * SPEECH.frame_bytes])

            async def first() -> None:
                await wire.write(AudioStart(16_000, 2, 1))
                await steady()

            async def steady() -> None:
                await wire.write(step)
                await load.answered(wire)

            costs = await least(server, (first, steady, lambda: load.answered(wire)))
        connecting = await least(server, (lambda: hung_up(server.address), lambda: described(server.address)))
    ping = costs[2]
    return StartRow(engine, costs[0] - ping, costs[1] - ping, *connecting)


async def hung_up(address: Address) -> None:
    async with connect(address):
        pass


async def described(address: Address) -> None:
    await describe(address)


async def least(server: Server, tries: Sequence[Callable[[], Awaitable[None]]]) -> list[float]:
    """Median CPU milliseconds of the server for each try, taken in turns."""
    costs: list[list[float]] = [[] for _ in tries]
    for _ in range(START_ROUNDS):
        for attempt, spent in zip(tries, costs, strict=True):
            began = server.family.cpu_s()
            await attempt()
            spent.append((server.family.cpu_s() - began) * 1_000)
    return [sorted(spent)[len(spent) // 2] for spent in costs]


async def memory(engine: str, track: Track, count: int, connects: int) -> MemoryRow:
    """Measure a server with this engine alone at its start, with live satellites, and after many conversations."""
    settings = {"default_provider": engine, "fallback_providers": "[]"}
    async with serving("wake", {**ENGINE_ALONE, **settings}) as server:
        began, began_pss = server.family.resident_bytes(), server.family.proportional_bytes()
        await load.live(server.address, engine, track, count, 1.5 * track.period_s, 20)
        listening, listening_pss = server.family.resident_bytes(), server.family.proportional_bytes()
        await conversations(server.address, engine, track, connects // 10)
        before = server.family.resident_bytes()
        await conversations(server.address, engine, track, connects)
        growth = server.family.resident_bytes() - before
    return MemoryRow(
        engine,
        began / 1e6,
        began_pss / 1e6,
        listening / 1e6,
        listening_pss / 1e6,
        count,
        growth / 1e6,
        connects,
    )


async def conversations(address: Address, engine: str, track: Track, count: int) -> None:
    """Hold conversations one after the other: a description, a request, a tenth of a second of audio."""
    chunk = AudioChunk(16_000, 2, 1, track.pcm[:3_200])
    for _ in range(count):
        await describe(address)
        async with connect(address) as wire:
            await load.ask(wire, engine, track.word)
            await wire.write(chunk)
            await load.answered(wire)


def spread(seconds: Iterable[float]) -> Spread:
    ordered = sorted(seconds)

    def at_share(share: float) -> float | None:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1_000 if ordered else None

    return Spread(at_share(0.5), at_share(0.95), at_share(0.99), len(ordered))
