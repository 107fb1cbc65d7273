"""``python -m tests.attack ATTACK``, see ``--help``: prints what it measures.

The exit code is 1 when something does not hold.
"""

import argparse
import asyncio
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from irene_wyoming.config.load import load as load_config
from tests.attack import fuzz, hang, load, quarter, soak, stop, strangers
from tests.conftest import ENVIRONMENT, SPEECH_DIR, read_wav

WORD, NAME = "wake/okay_nabu_rms.wav", "okay_nabu"
COMMAND, TEXT = "asr/set_a_timer_for_five_minutes.wav", "set a timer for five minutes"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    attacks = parser.add_subparsers(dest="attack", required=True)
    fuzzing = attacks.add_parser("fuzz", help="random events to all servers")
    fuzzing.add_argument("--events", type=int, default=1_000_000, help="default: %(default)s; 15 minutes on two cores")
    fuzzing.add_argument("--seed", type=int, default=int(time.time()), help="default: the time")
    loading = attacks.add_parser("load", help="satellites that listen at the same time")
    loading.add_argument("--satellites", type=int, default=64, help="default: %(default)s")
    loading.add_argument("--seconds", type=float, default=60, help="default: %(default)s")
    soaking = attacks.add_parser("soak", help="mixed clients for a long time")
    soaking.add_argument("--minutes", type=float, default=60, help="default: %(default)s")
    covering = attacks.add_parser("coverage", help="bytes that look for new code at the border; needs atheris")
    covering.add_argument("--seconds", type=int, default=600, help="default: %(default)s")
    covering.add_argument(
        "--corpus", type=Path, default=Path(".fuzz"), help="kept from run to run; default: %(default)s"
    )
    stopping = attacks.add_parser("stop", help="ends the program amid its work, and starts it again")
    stopping.add_argument("--rounds", type=int, default=10, help="default: %(default)s")
    crowding = attacks.add_parser("strangers", help="many who say nothing, and one who is at home")
    crowding.add_argument("--strangers", type=int, default=1_000, help="default: %(default)s")
    hanging = attacks.add_parser("hang", help="a server that is stopped, and one that is killed, under `run`")
    hanging.add_argument("--rounds", type=int, default=3, help="default: %(default)s; 40 s each")
    attacks.add_parser("quarter", help="16 and 4 satellites on a quarter of a core with 256 MB; needs cgroups")
    args = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    print(f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {cores} cores, Python {platform.python_version()}")
    attack = {
        "fuzz": run_fuzz,
        "coverage": run_coverage,
        "load": run_load,
        "soak": run_soak,
        "stop": run_stop,
        "strangers": run_strangers,
        "hang": run_hang,
        "quarter": run_quarter,
    }
    return attack[args.attack](args)


def say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:<100}", end="", file=sys.stderr, flush=True)


def run_fuzz(args: argparse.Namespace) -> int:
    config = load_config(None, ENVIRONMENT | {"IRENE_WYOMING__MIC__SOURCE__KIND": "silence"})
    done = asyncio.run(fuzz.fuzz(config, args.events, args.seed, say))
    print(f"seed {args.seed}: {done.events} events in {done.conversations} conversations, {done.seconds:.0f} s")
    print(f"unhandled exceptions: {len(done.unhandled)}; conversations that hung: {done.hung}")
    print("clients were told: " + ", ".join(f"{code} {count}" for code, count in done.codes.most_common()))
    print(f"memory after the first 20,000 events: {done.grown_bytes / 1e6:+.1f} MB")
    print(f"a healthy client waited at most {done.slowest_healthy_s:.2f} s")
    for what in done.unhandled[:10]:
        print(f"  {what}")
    return 1 if done.unhandled or done.hung else 0


def run_load(args: argparse.Namespace) -> int:
    done = asyncio.run(load.load(args.satellites, args.seconds, read_wav(SPEECH_DIR / WORD), NAME))
    print(f"{args.satellites} satellites: {done.heard} of {done.spoken} words heard, {done.cpu:.2f} cores")
    late = ", ".join(f"p{share:.0%} {load.quantile(done.late_s, share) * 1000:.0f} ms" for share in (0.5, 0.95, 0.99))
    print(f"from the chunk to its detection: {late}")
    asked = ", ".join(f"p{share:.0%} {load.quantile(done.described_s, share) * 1000:.0f} ms" for share in (0.5, 0.99))
    print(f"describe meanwhile: {asked}; memory {done.resident_bytes / 1e6:.0f} MB")
    return 0 if done.heard == done.spoken else 1


def run_soak(args: argparse.Namespace) -> int:
    word, command = read_wav(SPEECH_DIR / WORD), read_wav(SPEECH_DIR / COMMAND)
    done = asyncio.run(soak.soak(args.minutes * 60, word, command, say))
    slopes = done.slopes()
    for name, slope in slopes.items():
        first, last = done.files[name]
        print(
            f"{name}: {done.memory[name][-1][1] / 1e6:.1f} MB, {slope.kb_per_minute:+.1f} kB/min"
            f" (+- {slope.error:.1f}), files {first} -> {last}"
        )
    print(f"transcripts, one client: {agreement(done.alone_s, done.told_alone_s)}")
    print(f"transcripts, amid all others: {agreement(done.transcripts_s, done.told_mean_s)}")
    scrape = load.quantile(done.scrapes_s, 0.5) * 1000
    print(f"a scrape: median {scrape:.1f} ms, {done.scrape_cpu_s * 1000:.1f} ms of CPU time")
    return 0 if all(slope.flat or slope.kb_per_minute < 0 for slope in slopes.values()) else 1


def run_stop(args: argparse.Namespace) -> int:
    word, command = read_wav(SPEECH_DIR / WORD), read_wav(SPEECH_DIR / COMMAND)
    done = asyncio.run(stop.stop(args.rounds, word, command, TEXT))
    print(f"SIGTERM under load: ended after {seconds(done.ended_s)}, exit codes {sorted(set(done.codes))}")
    print(f"commands that were being spoken: {done.transcribed} of {done.begun} transcribed")
    print(f"SIGKILL, started again at once: all servers answer after {seconds(done.back_s)}")
    return 0 if set(done.codes) == {0} and done.transcribed == done.begun else 1


def run_strangers(args: argparse.Namespace) -> int:
    held = True
    with TemporaryDirectory(prefix="irene-attack-") as folder:
        kinds = {
            "silent": (b"", None),
            "silent, TLS": (b"", Path(folder)),
            "stalled in a TLS greeting": (strangers.GREETING, Path(folder)),
        }
        for kind, (said, place) in kinds.items():
            done = asyncio.run(strangers.strangers(args.strangers, said, place))
            held &= done.served == strangers.ASKED and done.grown_bytes < 20e6
            print(
                f"{args.strangers} strangers, {kind}: {done.served} of {strangers.ASKED} descriptions for home, the"
                f" slowest after {done.slowest_s:.2f} s; {done.grown_bytes / 1e6:+.1f} MB"
            )
    return 0 if held else 1


def run_quarter(args: argparse.Namespace) -> int:  # noqa: ARG001  # like the others
    if (reason := quarter.why_not()) is not None:
        print(reason)
        return 1
    word, held = read_wav(SPEECH_DIR / WORD), True
    for satellites, for_s, latest_s in ((16, 40, 5), (4, 40, 3)):
        done = asyncio.run(quarter.quarter(satellites, for_s, word, NAME))
        lone = "not at all" if done.lone_s is None else f"after {done.lone_s:.2f} s"
        print(
            f"{satellites} satellites in noise on a quarter of a core: {len(done.late_s)} of {done.spoken} words told,"
            f" {seconds(done.late_s)} after they were said; describe at most {max(done.described_s):.2f} s;"
            f" {done.most_bytes / 1e6:.0f} MB with the page cache, {done.killed} killed; one alone afterwards is heard"
            f" {lone}"
        )
        held &= done.in_time(latest_s) and not done.killed
    return 0 if held else 1


def run_hang(args: argparse.Namespace) -> int:
    done = asyncio.run(hang.hang(args.rounds))
    print(f"SIGSTOP of the wake server: the front's client is told after {seconds(done.told_s)}")
    print(f"it serves again after {seconds(done.back_s)}")
    print(f"SIGKILL of the wake server: it serves again after {seconds(done.killed_s)}")
    held = max(done.told_s) <= 5 and max(done.back_s) <= 40 and len(done.told_s) == args.rounds
    return 0 if held and max(done.killed_s) <= 3 else 1


def seconds(times: list[float]) -> str:
    return f"{load.quantile(times, 0.5):.2f} s (median; at most {max(times):.2f} s)"


def agreement(waited_s: list[float], told_s: float) -> str:
    clock = sum(waited_s) / len(waited_s)
    return (
        f"{len(waited_s)}, mean {clock * 1000:.1f} ms by the client's clock, {told_s * 1000:.1f} ms by /metrics"
        f" ({told_s / clock - 1:+.1%})"
    )


def run_coverage(args: argparse.Namespace) -> int:
    # A process of its own, which takes note of what runs from the first import on.
    return subprocess.call([sys.executable, "-m", "tests.attack.coverage", str(args.seconds), str(args.corpus)])


if __name__ == "__main__":
    sys.exit(main())
