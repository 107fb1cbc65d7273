"""Measures the page's cost beside listening satellites: closed, open, and with hostile clients."""

import asyncio
import os
import random
import resource
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized

from aiohttp import ClientError, ClientSession, ClientTimeout

from irene_wyoming.app.monitor import fetch
from irene_wyoming.bench.usage import clock_s, proportional_bytes
from irene_wyoming.tasks import beside
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.hear import Recording
from tests.attack.load import Outcome, listen
from tests.attack.process import Program, free_ports, running
from tests.web.hostile import hostile

SETTLED_S = 5.0
"""Seconds from the first audio to the begin of a measurement."""

CHECK_S = 0.5

FILES = 4_096
"""Open files that a thousand hostile sockets and the satellites may need."""


@dataclass
class Stage:
    """The figures of one stage."""

    name: str
    words: Outcome = field(default_factory=Outcome)
    dropped_s: float = 0.0
    """Seconds of audio that the wake server dropped, because this machine was too busy for its engines."""
    core: float = 0.0
    """Share of a core that the `run` process used."""
    pss_bytes: int = 0
    """Memory of the `run` process at the stage's end, shared pages divided by their users."""
    updates: int = 0
    """Number of messages that the page got."""
    sockets: int = 0
    """Number of sockets that hostile clients opened."""
    checks: int = 0
    """Number of health checks."""
    failed: list[str] = field(default_factory=list)
    """The reasons for which health checks failed."""


CONTEXT = get_context("spawn")
"""Hostile clients run in a process of their own, so that they hold up no health check before it is sent."""

Visit = Callable[[Address, Stage], AbstractAsyncContextManager[None]]


async def page(satellites: int, seconds: float, word: Recording, name: str) -> list[Stage]:
    """Run satellites at the pace of speech through three stages of this many seconds.

    The second look is off, so that this machine hears 40 satellites while it also plays them.
    """
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))
    room, [port] = str(satellites + 8), free_ports(1)
    settings = {"WEB__PORT": str(port), "WAKE__VERIFY": '"off"', "WAKE__LIMITS__MAX_CONNECTIONS": room}
    visits: dict[str, Visit] = {"no page open": nobody, "one page open": browser, "20 hostile clients": enemies}
    stages = []
    async with running(ASR__ENABLED="false", MIC__ENABLED="false", **settings) as program:
        for title, visit in visits.items():
            stages.append(stage := Stage(title))
            listeners = satellites_of(satellites, program.addresses["wake"], seconds, word, name, stage.words)
            measuring = asyncio.create_task(measure(program, Address("127.0.0.1", port), visit, seconds, stage))
            before_s = await asyncio.to_thread(dropped_s, program)
            await asyncio.gather(measuring, listeners)
            stage.dropped_s = await asyncio.to_thread(dropped_s, program) - before_s
    return stages


async def satellites_of(
    count: int, address: Address, seconds: float, word: Recording, name: str, outcome: Outcome
) -> None:
    """Run satellites that do not speak in step, for somewhat longer than a measurement."""
    chance = random.Random(1)
    lasting = seconds + 2 * SETTLED_S
    await asyncio.gather(*(listen(address, word, name, lasting, chance.uniform(0, 3), outcome) for _ in range(count)))


async def measure(program: Program, address: Address, visit: Visit, seconds: float, stage: Stage) -> None:
    """Measure one stage amid its visitors."""
    pid = program.pids()["front"]
    async with visit(address, stage):
        await asyncio.sleep(SETTLED_S)
        used, began = clock_s(pid), time.monotonic()
        await asyncio.sleep(seconds)
        stage.core = (clock_s(pid) - used) / (time.monotonic() - began)
        memory = proportional_bytes(pid)
        if memory is None:
            raise OSError(f"process {pid} has no memory")
        stage.pss_bytes = memory


@asynccontextmanager
async def nobody(address: Address, stage: Stage) -> AsyncIterator[None]:
    """Look at nothing."""
    del address, stage
    yield


@asynccontextmanager
async def browser(address: Address, stage: Stage) -> AsyncIterator[None]:
    """Follow the page as a browser does."""

    async def follow() -> None:
        async with ClientSession() as session, session.ws_connect(f"http://{address.host}:{address.port}/live") as live:
            async for _ in live:
                stage.updates += 1

    async with beside(follow(), "browser"):
        yield


@asynccontextmanager
async def enemies(address: Address, stage: Stage) -> AsyncIterator[None]:
    """Let hostile clients come, and check the program's health meanwhile."""

    async def check() -> None:
        url = f"http://{address.host}:{address.port}/healthz"
        while True:
            stage.checks += 1
            try:
                async with ClientSession(timeout=ClientTimeout(total=5)) as session, session.get(url) as answer:
                    if answer.status != 200:
                        stage.failed.append(f"status {answer.status}")
            except (ClientError, OSError, TimeoutError) as error:
                stage.failed.append(repr(error))
            await asyncio.sleep(CHECK_S)

    opened = CONTEXT.Value("i", 0)
    process = CONTEXT.Process(target=attack, args=(address, opened), daemon=True)
    process.start()
    try:
        async with beside(check(), "health checks"):
            yield
    finally:
        process.kill()
        process.join()
    stage.sockets = opened.value


def attack(address: Address, opened: "Synchronized[int]") -> None:
    """Run the hostile clients until this process is killed; ``opened`` counts their sockets.

    They take only the processor time that is left over, since real ones have machines of their own.
    """
    os.setpriority(os.PRIO_PROCESS, 0, 19)

    async def counted() -> None:
        async with hostile(address) as at_work:
            while True:
                opened.value = at_work.opened
                await asyncio.sleep(CHECK_S)

    asyncio.run(counted())


def dropped_s(program: Program) -> float:
    """Seconds of audio that the servers have dropped so far. Blocks."""
    figures = fetch(f"http://{program.figures.host}:{program.figures.port}/metrics")
    return sum(value for (name, _), value in figures.samples.items() if name == "irene_stale_seconds_total")
