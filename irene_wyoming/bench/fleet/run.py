"""Measures clients of a fleet while its servers die, restart, or are slow. Linux only."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from irene_wyoming.bench.fleet.clients import Gap, Said, Satellite, Speaker
from irene_wyoming.bench.fleet.members import Member, members
from irene_wyoming.bench.fleet.places import NETWORK, places
from irene_wyoming.bench.fleet.proxy import Proxy, proxied, section
from irene_wyoming.bench.rows import FleetRow, Spread
from irene_wyoming.bench.serving import free_port
from irene_wyoming.bench.wake import spread
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.household.satellites import Track
from irene_wyoming.tasks import ended
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe

PROXIES = f"[127.0.0.0/8, {NETWORK}.0.0/16]"

STEADY, KILLED, SLOW, ROLLING = "steady", "kill -9", "one slow", "rolling restart"
"""Phases in order: a restarted server gets its share slowly, and would be spared beside a slow one."""

SLOW_SHARE = 0.25
"""Share of the time in which a slowed server runs."""

WORDS = 300
"""Words and commands of which a rolling restart may lose none."""

FEW = 12
"""Satellites below which so many words would take minutes: then one round is enough, without a verdict."""

LATE_S = 2.0
"""Seconds to wait for late detections and transcripts when a phase ends."""

DESCRIBE_EVERY_S = 0.5

LOOKS = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of a measurement."""

    track: Track
    wake: int = 3
    asr: int = 2
    satellites: int = 24
    speakers: int = 4
    seconds: float = 20.0
    """Least length of each phase, seconds."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings of the wake servers."""


@dataclass(slots=True)
class Phase:
    """A stretch of time in which one thing is done to the servers."""

    name: str
    began_at: float
    ended_at: float = 0.0
    hung_on: int = 0
    """Satellites whose server was killed in this phase."""
    taken: dict[str, int] = field(default_factory=dict)
    """Connections that each server got in this phase."""


class Fleet:
    """Servers behind a proxy, with their clients."""

    def __init__(self, plan: Plan, wake: Sequence[Member], asr: Sequence[Member], proxy: Proxy) -> None:
        self.plan = plan
        self.wake = wake
        self.asr = asr
        self.proxy = proxy
        self.satellites: list[Satellite] = []
        self.speakers: list[Speaker] = []
        self.described: list[tuple[float, float]] = []
        """Time and duration of each description, s; infinite where nobody answered."""
        self.phases: list[Phase] = []

    @property
    def members(self) -> list[Member]:
        return [*self.wake, *self.asr]

    @asynccontextmanager
    async def phase(self, name: str) -> AsyncIterator[Phase]:
        before = await self.proxy.seen()
        one = Phase(name, time.monotonic())
        yield one
        one.ended_at = time.monotonic()
        after = await self.proxy.seen()
        one.taken = {name: seen.taken - before[name].taken for name, seen in after.items()}
        self.phases.append(one)

    async def all_listening(self) -> None:
        """Wait until a server listens to every satellite."""
        async with asyncio.timeout(60):
            while not all(one.listening for one in self.satellites):  # noqa: ASYNC110  # only their state shows it
                await asyncio.sleep(0.05)

    async def steady(self) -> None:
        async with self.phase(STEADY):
            await asyncio.sleep(self.plan.seconds)

    async def kill(self) -> None:
        """Kill the wake server with the most satellites, and start it again later."""
        async with self.phase(KILLED) as phase:
            seen = await self.proxy.seen()
            victim = max(self.wake, key=lambda member: seen[member.name].connections)
            # Clients that ask for descriptions come and go; the minimum of several looks counts those who stay.
            phase.hung_on = min([(await self.proxy.seen())[victim.name].connections for _ in range(LOOKS)])
            await victim.kill()
            await asyncio.sleep(self.plan.seconds)
            await self.all_listening()
        await victim.start()
        await self.proxy.sees(victim.name)

    async def roll(self) -> None:
        """Drain and restart each server, one after the other, until enough has been said meanwhile."""
        began = time.monotonic()
        async with self.phase(ROLLING):
            while True:
                for member in self.members:
                    code = await member.drain()
                    if code:
                        raise ServerUnavailable(f"{member.name} ended with exit code {code}")
                    await member.start()
                    await self.proxy.sees(member.name)
                    await self.all_listening()
                seconds = time.monotonic() - began
                words = len(self.satellites) * seconds / self.plan.track.period_s
                if seconds >= self.plan.seconds and (words >= WORDS or len(self.satellites) < FEW):
                    return

    async def slow(self) -> None:
        """Slow one server of each kind for a time."""
        async with AsyncExitStack() as stack, self.phase(SLOW):
            for kind in (self.wake, self.asr):
                if len(kind) > 1:
                    await stack.enter_async_context(kind[0].slowed(SLOW_SHARE))
            await asyncio.sleep(2 * self.plan.seconds)  # commands are rare

    async def ask(self, address: Address) -> None:
        """Ask for descriptions for ever."""
        while True:
            began = time.monotonic()
            taken = float("inf")
            with suppress(ServerUnavailable):
                await describe(address)
                taken = time.monotonic() - began
            self.described.append((began, taken))
            await asyncio.sleep(DESCRIBE_EVERY_S)


@asynccontextmanager
async def fleet(plan: Plan, folder: Path, *, pinned: bool = False) -> AsyncIterator[Fleet]:
    """Run servers behind HAProxy, and clients that are connected, while the context lasts.

    :param folder: an empty folder for HAProxy's files.
    :raises ServerUnavailable: HAProxy or a server does not start.
    """
    async with AsyncExitStack() as stack:
        found = await stack.enter_async_context(places(plan.wake + plan.asr))
        wake = members("wake", found[: plan.wake], plan.settings, PROXIES, pinned=pinned)
        asr = members("asr", found[plan.wake :], {}, PROXIES)
        for member in (*wake, *asr):
            stack.push_async_callback(member.end)
        await asyncio.gather(*(member.start() for member in (*wake, *asr)))
        kinds = {name: (of, Address("127.0.0.1", free_port())) for name, of in (("wake", wake), ("asr", asr)) if of}
        sections = "".join(
            section(name, f"{at.host}:{at.port}", {one.name: f"{one.address.host}:{one.port}" for one in of})
            for name, (of, at) in kinds.items()
        )
        proxy = await stack.enter_async_context(proxied(folder, sections))
        whole = Fleet(plan, wake, asr, proxy)
        start, apart = time.monotonic() + 0.5, plan.track.period_s / plan.satellites
        at = kinds["wake"][1]
        whole.satellites = [Satellite(at, plan.track, start + number * apart) for number in range(plan.satellites)]
        if asr:
            whole.speakers = [Speaker(kinds["asr"][1]) for _ in range(plan.speakers)]
        clients = [asyncio.create_task(one.run()) for one in whole.satellites]
        clients += [asyncio.create_task(one.run()) for one in whole.speakers]
        clients.append(asyncio.create_task(whole.ask(at)))
        stack.push_async_callback(ended, *clients)
        await whole.all_listening()
        if time.monotonic() > start:  # a word had begun before a server listened
            await asyncio.sleep(plan.track.period_s)
        yield whole


async def measured(plan: Plan, folder: Path, phases: Sequence[str] = (STEADY, KILLED, SLOW, ROLLING)) -> list[FleetRow]:
    """Run the phases and give a row for each."""
    async with fleet(plan, folder) as whole:
        acts = {STEADY: whole.steady, KILLED: whole.kill, ROLLING: whole.roll, SLOW: whole.slow}
        for name in phases:
            await acts[name]()
        await asyncio.sleep(LATE_S)
        now = time.monotonic()
        words = [word for one in whole.satellites for word in one.said(now)]
        commands = [command for one in whole.speakers for command in one.said]
        gaps = [gap for one in whole.satellites for gap in one.gaps]
        held_up = [gap for one in whole.satellites for gap in one.held_up]
        disturbed = {
            phase.name: sum(bool(within(one.gaps, phase)) for one in whole.satellites) for phase in whole.phases
        }
        return [row(whole, phase, words, commands, gaps, held_up, disturbed[phase.name]) for phase in whole.phases]


def within(gaps: Iterable[Gap], phase: Phase) -> list[Gap]:
    return [gap for gap in gaps if phase.began_at <= gap.began_at < phase.ended_at]


def row(
    whole: Fleet,
    phase: Phase,
    words: Sequence[Said],
    commands: Sequence[Said],
    gaps: Sequence[Gap],
    held_up: Sequence[Gap],
    disturbed: int,
) -> FleetRow:
    """Compute the figures of one phase."""

    def own(said: Sequence[Said]) -> list[Said]:
        return [one for one in said if phase.began_at <= one.ended_at < phase.ended_at]

    spoken, given = own(words), own(commands)
    described = [took for when, took in whole.described if phase.began_at <= when < phase.ended_at]
    return FleetRow(
        phase=phase.name,
        seconds=phase.ended_at - phase.began_at,
        satellites=len(whole.satellites),
        words=len(spoken),
        words_lost=sum(one.delay_s is None for one in spoken),
        word_delay=delays(spoken),
        commands=len(given),
        commands_lost=sum(one.delay_s is None for one in given),
        command_delay=delays(given),
        describe=spread(described),
        disturbed=disturbed,
        hung_on=phase.hung_on,
        back_s=max((gap.seconds for gap in within(gaps, phase)), default=0.0),
        held_up_s=max((gap.seconds for gap in within(held_up, phase)), default=0.0),
        taken=phase.taken,
    )


def delays(said: Iterable[Said]) -> Spread:
    return spread(one.delay_s for one in said if one.delay_s is not None)
