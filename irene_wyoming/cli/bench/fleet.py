"""The command ``irene-wyoming bench fleet``."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from irene_wyoming.bench.fleet import run as fleet
from irene_wyoming.bench.fleet.run import Plan
from irene_wyoming.bench.fleet.scale import compared
from irene_wyoming.bench.fleet.verdict import gates
from irene_wyoming.bench.machine import machine
from irene_wyoming.bench.rows import FleetRow, ScaleRow
from irene_wyoming.cli import common
from irene_wyoming.cli.bench.lines import about_machine, gate_lines, plain
from irene_wyoming.cli.bench.wake import spread, track
from irene_wyoming.errors import AudioError

HELP = "servers behind a real HAProxy while one is killed, all are restarted, one is slow; what two carry of one"
ABOUT = (
    "Start wake and speech-to-text servers behind HAProxy, let satellites and speakers talk to them at the pace of "
    "speech, and see what they lose while a server is killed, while all are restarted one after the other, and while "
    "one of each kind runs for a quarter of the time. Then pin one and two wake servers to cores and compare what a "
    "satellite costs. Each server is in a network namespace of its own where root allows that, else on another "
    "loopback address. Some minutes; Linux, needs haproxy."
)

EVERY_S = 4
"""Seconds from one word of a satellite to its next."""

NO_SECOND_LOOK = {"VERIFY": "off"}
"""Settings without the second look: words every few seconds would keep it busy, unlike in homes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--wake", type=int, default=3, metavar="N", help="wake servers; default: %(default)s")
    parser.add_argument("--asr", type=int, default=2, metavar="N", help="speech-to-text servers; default: %(default)s")
    parser.add_argument("--satellites", type=int, default=24, metavar="N", help="satellites; default: %(default)s")
    parser.add_argument("--speakers", type=int, default=4, metavar="N", help="people; default: %(default)s")
    parser.add_argument(
        "--seconds", type=int, default=20, help="least length of each phase; scale takes 60; default: %(default)s"
    )
    parser.add_argument("--engine", metavar="NAME", help="engine of the wake servers (none: the default one)")
    parser.add_argument("--only", action="append", metavar="PHASE", help="steady, kill, roll, slow, scale; repeatable")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write the delays of each phase as a picture")
    common.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: every promise is kept; 1: one is not."""
    if not sys.platform.startswith("linux"):
        raise AudioError("bench fleet reads another process's CPU time as only Linux tells it")
    if args.wake < 1 or args.asr < 0 or args.satellites < 1 or args.speakers < 0 or args.seconds < EVERY_S:
        raise AudioError(f"expected --wake 1+, --asr 0+, --satellites 1+, --speakers 0+, --seconds {EVERY_S}+")
    names = {"steady": fleet.STEADY, "kill": fleet.KILLED, "slow": fleet.SLOW, "roll": fleet.ROLLING}
    only = args.only or [*names, "scale"]
    if unknown := set(only) - {*names, "scale"}:
        raise AudioError(f"--only: expected steady, kill, roll, slow or scale, got {', '.join(sorted(unknown))}")
    if args.plot is not None:
        common.require_plot(args.plot)
    plan = planned(args)
    phases = [phase for name, phase in names.items() if name in only]
    if not args.json:
        print(about_machine())
    with tempfile.TemporaryDirectory(prefix="irene-fleet-") as name:
        folder = Path(name)
        rows = asyncio.run(fleet.measured(plan, folder, phases)) if phases else []
        scale = (
            asyncio.run(compared(replace(plan, satellites=max(1, plan.satellites // 3)), folder))
            if "scale" in only
            else []
        )
    judged = gates(rows, scale)
    if args.plot is not None:
        from irene_wyoming.bench.fleet import plot

        plot.write(rows, args.plot)
    if args.json:
        told = {"rows": plain(rows), "scale": plain(scale), "gates": plain(judged)}
        common.print_json({"machine": machine(), **told})
    else:
        print("\n".join([*fleet_lines(rows), *scale_lines(scale), *gate_lines(judged)]))
    return 1 if any(gate.kept is False for gate in judged) else 0


def planned(args: argparse.Namespace) -> Plan:
    settings = dict(NO_SECOND_LOOK)
    if args.engine:
        settings |= {"DEFAULT_PROVIDER": args.engine, "FALLBACK_PROVIDERS": "[]"}
    return Plan(
        track(None, EVERY_S), args.wake, args.asr, args.satellites, args.speakers, float(args.seconds), settings
    )


def fleet_lines(rows: Sequence[FleetRow]) -> Iterator[str]:
    for row in rows:
        words = f"{row.words - row.words_lost} of {row.words} words"
        commands = f"{row.commands - row.commands_lost} of {row.commands} commands"
        yield f"{row.phase}, {row.seconds:.0f} s, {row.satellites} satellites: {words}, {commands}"
        yield f"  end of word to Detection: {spread(row.word_delay)}"
        yield f"  end of command to transcript: {spread(row.command_delay)}; describe: {spread(row.describe)}"
        if row.disturbed:
            killed = f" (the killed server had {row.hung_on})" if row.hung_on else ""
            yield f"  {row.disturbed} satellites had to connect again{killed}, the slowest within {row.back_s:.2f} s"
        if row.held_up_s:
            yield f"  this machine was too busy to measure: satellites spoke up to {row.held_up_s:.1f} s late"
        yield "  connections: " + ", ".join(f"{name} {count}" for name, count in row.taken.items())


def scale_lines(rows: Sequence[ScaleRow]) -> Iterator[str]:
    for row in rows:
        yield (
            f"{row.servers} wake servers pinned to cores, {row.satellites} satellites: {row.cpu_ms_per_s:.2f} ms of "
            f"CPU per second of audio, HAProxy {row.proxy_ms_per_s:.2f}; {row.heard} of {row.words} words, "
            f"{spread(row.delay)}"
        )
