"""Measures how many satellites two wake servers carry compared with one. Linux only."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

from irene_wyoming.bench.fleet.run import LATE_S, STEADY, Plan, delays, fleet
from irene_wyoming.bench.rows import ScaleRow

SERVERS = (1, 2)

LEAST_S = 60.0
"""In less time too few words are said for a 95th percentile: that of 36 words varied by 40 %."""


async def compared(plan: Plan, folder: Path) -> list[ScaleRow]:
    """Run one server and two side by side, so that other load on the machine is the same for both.

    :param folder: an empty folder for HAProxy's files.
    """
    plan = replace(plan, seconds=max(plan.seconds, LEAST_S))
    folders = [folder / str(servers) for servers in SERVERS]
    for one in folders:
        await asyncio.to_thread(one.mkdir)
    both = (scaled(plan, servers, one) for servers, one in zip(SERVERS, folders, strict=True))
    return list(await asyncio.gather(*both))


async def scaled(plan: Plan, servers: int, folder: Path) -> ScaleRow:
    """Run wake servers, each pinned to a core of its own, with as many satellites each.

    The row has their cost, since clients and proxy need cores, too, which a small machine lacks.
    """
    several = replace(plan, wake=servers, asr=0, satellites=plan.satellites * servers)
    async with fleet(several, folder, pinned=True) as whole:
        families = [member.family for member in whole.wake]

        def spent() -> tuple[float, float]:
            return sum(one.cpu_s() for one in families), whole.proxy.family.cpu_s()

        async with whole.phase(STEADY) as phase:
            before = await asyncio.to_thread(spent)
            await asyncio.sleep(plan.seconds)
            used, passed = (now - then for now, then in zip(await asyncio.to_thread(spent), before, strict=True))
        await asyncio.sleep(LATE_S)
        now = time.monotonic()
        said = [word for one in whole.satellites for word in one.said(now)]
        words = [word for word in said if phase.began_at <= word.ended_at < phase.ended_at]
        each = 1_000 / len(whole.satellites) / plan.seconds
        heard = sum(word.delay_s is not None for word in words)
        return ScaleRow(servers, len(whole.satellites), used * each, passed * each, len(words), heard, delays(words))
