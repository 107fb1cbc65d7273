"""The command ``irene-wyoming profile``."""

import argparse
import asyncio
import cProfile
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import CodeType

from irene_wyoming.app.stalls import Stall, short, watched
from irene_wyoming.cli import common, recording
from irene_wyoming.config.model import Config
from irene_wyoming.errors import ConfigError
from irene_wyoming.servers.service import Service
from irene_wyoming.tasks import beside
from irene_wyoming.wire.address import Address

SETTLED_S = 1.0
"""Seconds after the start that are not measured."""

WAITING = "'poll'"
"""Call in which the loop waits for events on Linux; elsewhere it has another name and heads the list."""

STALLS = 10
"""Number of stalls that are shown."""


@dataclass(frozen=True, slots=True)
class Call:
    """One function on the event loop's thread."""

    name: str
    calls: int
    own_ms_per_s: float
    """Milliseconds per second spent in the function itself."""
    all_ms_per_s: float
    """Milliseconds per second, with all that it has called."""


@dataclass(frozen=True, slots=True)
class Profile:
    server: str
    clients: int
    seconds: float
    loop_ms_per_s: float
    """CPU milliseconds per second of the event loop's thread, with the cost of profiling."""
    other_ms_per_s: float
    """CPU milliseconds per second of all other threads, mostly the engines'."""
    calls: list[Call]
    """Calls sorted by their own time, the longest first."""
    stalls: list[Stall]
    """Stalls, the longest first."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("server", choices=["wake", "asr", "mic"], help="the server to profile; it runs on a free port")
    parser.add_argument(
        "--clients",
        type=int,
        default=4,
        metavar="N",
        help="satellites, speakers or listeners at once; default: %(default)s",
    )
    parser.add_argument(
        "--seconds", type=int, default=10, metavar="S", help="seconds to measure, 2 to 3600; default: %(default)s"
    )
    parser.add_argument("--rows", type=int, default=20, metavar="N", help="functions to show; default: %(default)s")
    parser.add_argument(
        "--stall-ms",
        type=int,
        default=50,
        metavar="MS",
        help="shortest stall that counts, 5 or more; default: %(default)s",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE.pstats", help="also write the whole profile, for snakeviz or pstats"
    )
    common.add_json(parser)
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    if not 2 <= args.seconds <= 3600 or args.clients < 1 or args.rows < 1 or args.stall_ms < 5:
        raise ConfigError("expected --seconds 2 to 3600, --clients 1+, --rows 1+, --stall-ms 5+")
    config = recording.private(common.read_config(args, quiet=True), args.server)
    profiler = cProfile.Profile()
    found = asyncio.run(measure(args, config, profiler))
    if args.output:
        profiler.dump_stats(args.output)
    if args.json:
        common.print_json(asdict(found))
    else:
        print("\n".join(lines(found, args.stall_ms)))
    return 0


def make(server: str, config: Config) -> AbstractAsyncContextManager[Service]:
    from irene_wyoming.app import asr, mic, wake

    return {"wake": wake.wake_server, "asr": asr.asr_server, "mic": mic.mic_server}[server](config)


async def measure(args: argparse.Namespace, config: Config, profiler: cProfile.Profile) -> Profile:
    """Run the server here, and its clients in a process of their own."""
    async with (
        make(args.server, config) as service,
        beside(asyncio.to_thread(play, args, service.address), "play the household") as playing,
    ):
        while not service.connections and not playing.done():  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.05)
        await asyncio.sleep(SETTLED_S)
        loop, every = time.thread_time(), time.process_time()
        async with watched(args.stall_ms / 1000) as stalls:
            profiler.enable()
            await asyncio.wait([playing], timeout=args.seconds)
            profiler.disable()
        loop, every = time.thread_time() - loop, time.process_time() - every
        await playing
    return Profile(
        args.server,
        args.clients,
        args.seconds,
        1000 * loop / args.seconds,
        1000 * (every - loop) / args.seconds,
        calls(profiler, args.rows, args.seconds),
        sorted(stalls, key=lambda stall: -stall.seconds),
    )


def play(args: argparse.Namespace, address: Address) -> None:
    """Run the clients until their time is over, or Ctrl-C ends them and this process."""
    from irene_wyoming.household import workload
    from irene_wyoming.household.alone import alone

    with suppress(KeyboardInterrupt):  # the main thread gets it as well
        alone(workload.play, args.server, address, args.clients, args.seconds + SETTLED_S)


def calls(profiler: cProfile.Profile, rows: int, seconds: float) -> list[Call]:
    busy = [entry for entry in profiler.getstats() if WAITING not in name(entry.code)]
    ordered = sorted(busy, key=lambda entry: -entry.inlinetime)
    return [
        Call(name(entry.code), entry.callcount, 1000 * entry.inlinetime / seconds, 1000 * entry.totaltime / seconds)
        for entry in ordered[:rows]
    ]


def name(code: CodeType | str) -> str:
    """A function's name and place; built-in ones have a text instead of code."""
    return code if isinstance(code, str) else f"{code.co_qualname} ({short(code.co_filename)}:{code.co_firstlineno})"


def lines(found: Profile, stall_ms: int) -> Iterator[str]:
    yield (
        f"{found.server} server, {found.clients} clients, {found.seconds:g} s: {found.loop_ms_per_s:.1f} ms of CPU per "
        f"second on the event loop's thread, {found.other_ms_per_s:.1f} on others"
    )
    yield "on the event loop's thread, slowed down by being profiled:"
    yield "  ms/s   with calls      calls  function"
    for call in found.calls:
        yield f"{call.own_ms_per_s:6.2f} {call.all_ms_per_s:12.2f} {call.calls:10d}  {call.name}"
    yield f"stalls of {stall_ms} ms and more: {len(found.stalls)}"
    for stall in found.stalls[:STALLS]:
        yield f"  {stall}"
