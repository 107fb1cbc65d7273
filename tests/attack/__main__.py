"""Runs attacks: ``python -m tests.attack all``, or one by name. Prints figures and whether they are within bounds.

The exit code is 1 when a figure is out of its bounds.
"""

import argparse
import asyncio
import os
import platform
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from irene_wyoming.config.load import load as load_config
from irene_wyoming.wire.hear import Recording
from tests.attack import fuzz, hang, load, page, quarter, soak, stop, strangers
from tests.attack.covered import covered
from tests.attack.figures import Figure, bounded, exact, held, of_all, printed
from tests.conftest import ENVIRONMENT, SPEECH_DIR, read_wav
from tests.web.hostile import SOCKETS

WORD, NAME = "wake/okay_nabu_rms.wav", "okay_nabu"
COMMAND, TEXT = "asr/set_a_timer_for_five_minutes.wav", "set a timer for five minutes"

LONG = (
    ("fuzz", "--events", "2000000"),
    ("coverage", "--conversations", "200000"),
    ("strangers", "--strangers", "1000"),
    ("hang", "--rounds", "3"),
    ("quarter",),
    ("stop", "--rounds", "10"),
    ("load", "--satellites", "40", "--seconds", "60"),
    ("page", "--satellites", "40", "--seconds", "60"),
    ("soak", "--minutes", "60"),
)
"""The attacks of ``all``, which take about two hours on two cores."""

QUICK = (
    ("fuzz", "--events", "20000"),
    ("coverage", "--conversations", "2000"),
    ("strangers", "--strangers", "200"),
    ("hang", "--rounds", "1"),
    ("quarter", "--seconds", "10"),
    ("stop", "--rounds", "1"),
    ("load", "--satellites", "8", "--seconds", "10"),
    ("page", "--satellites", "8", "--seconds", "10"),
    ("soak", "--minutes", "0.5"),
)
"""The attacks of ``all --quick``: three minutes show whether each attack still works."""


def main() -> int:
    args = parsed()
    cores = len(os.sched_getaffinity(0))
    print(f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {cores} cores, Python {platform.python_version()}")
    if args.attack == "all":
        return 0 if of_all(QUICK if args.quick else LONG) else 1
    attack = {
        "fuzz": run_fuzz,
        "coverage": run_coverage,
        "load": run_load,
        "page": run_page,
        "soak": run_soak,
        "stop": run_stop,
        "strangers": run_strangers,
        "hang": run_hang,
        "quarter": run_quarter,
    }
    figures = attack[args.attack](args)
    printed(figures, "json" if args.json else "text")
    return 0 if held(figures) else 1


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    attacks = parser.add_subparsers(dest="attack", required=True)
    everything = attacks.add_parser("all", help="all of them, with one table; two hours on two cores")
    everything.add_argument("--quick", action="store_true", help="a short form of each; three minutes")
    fuzzing = attacks.add_parser("fuzz", help="random events to all servers")
    fuzzing.add_argument("--events", type=int, default=1_000_000, help="default: %(default)s; 15 minutes on two cores")
    fuzzing.add_argument("--seed", type=int, default=int(time.time()), help="default: the time")
    loading = attacks.add_parser("load", help="satellites that listen at the same time")
    loading.add_argument("--satellites", type=int, default=64, help="default: %(default)s")
    loading.add_argument("--seconds", type=float, default=60, help="default: %(default)s")
    paging = attacks.add_parser("page", help="the cost of the page, closed, open, and with hostile clients")
    paging.add_argument("--satellites", type=int, default=40, help="default: %(default)s")
    paging.add_argument("--seconds", type=float, default=30, help="of each of three stages; default: %(default)s")
    soaking = attacks.add_parser("soak", help="mixed clients for a long time")
    soaking.add_argument("--minutes", type=float, default=60, help="default: %(default)s")
    covering = attacks.add_parser("coverage", help="bytes that look for new code at the border; needs atheris")
    covering.add_argument("--conversations", type=int, default=200_000, help="default: %(default)s")
    covering.add_argument(
        "--corpus", type=Path, default=Path(".fuzz"), help="kept from run to run; default: %(default)s"
    )
    stopping = attacks.add_parser("stop", help="ends the program amid its work, and starts it again")
    stopping.add_argument("--rounds", type=int, default=10, help="default: %(default)s")
    crowding = attacks.add_parser("strangers", help="many who say nothing, and one who is at home")
    crowding.add_argument("--strangers", type=int, default=1_000, help="default: %(default)s")
    hanging = attacks.add_parser("hang", help="a server that is stopped, and one that is killed, under `run`")
    hanging.add_argument("--rounds", type=int, default=3, help="default: %(default)s; 40 s each")
    shrinking = attacks.add_parser(
        "quarter", help="16 and 4 satellites on a quarter of a core with 256 MB; needs cgroups"
    )
    shrinking.add_argument("--seconds", type=float, default=40, help="default: %(default)s; and as long for the start")
    for attack in (fuzzing, loading, paging, soaking, covering, stopping, crowding, hanging, shrinking):
        attack.add_argument("--json", action="store_true", help="print the figures as JSON on the last line")
    return parser.parse_args()


def say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:<100}", end="", file=sys.stderr, flush=True)


def run_fuzz(args: argparse.Namespace) -> list[Figure]:
    config = load_config(None, ENVIRONMENT | {"IRENE_WYOMING__MIC__SOURCE__KIND": "silence"})
    done = asyncio.run(fuzz.fuzz(config, args.events, args.seed, say))
    for what in done.unhandled[:10]:
        print(f"  {what}")
    told = ", ".join(f"{code} {count}" for code, count in done.codes.most_common())
    return [
        Figure(f"events, seed {args.seed}", f"{done.events} in {done.conversations} conversations"),
        exact("unhandled exceptions", len(done.unhandled), 0),
        exact("conversations that hung", done.hung, 0),
        Figure("clients were told", told),
        Figure("memory after the first 20,000 events", f"{done.grown_bytes / 1e6:+.1f} MB"),
        Figure("a healthy client waited at most", f"{done.slowest_healthy_s:.2f} s"),
    ]


def run_coverage(args: argparse.Namespace) -> list[Figure]:
    done = covered(args.conversations, args.corpus)
    return [
        exact("conversations that reach new code", done.conversations, args.conversations),
        Figure("inputs kept, each for code that no other reached", str(done.kept)),
        Figure("bugs found", done.found or "none", not done.found),
    ]


def run_load(args: argparse.Namespace) -> list[Figure]:
    done = asyncio.run(load.load(args.satellites, args.seconds, read_wav(SPEECH_DIR / WORD), NAME))
    late = ", ".join(f"p{share:.0%} {load.quantile(done.late_s, share) * 1000:.0f} ms" for share in (0.5, 0.95, 0.99))
    asked = ", ".join(f"p{share:.0%} {load.quantile(done.described_s, share) * 1000:.0f} ms" for share in (0.5, 0.99))
    return [
        exact(f"words heard by {args.satellites} satellites", done.heard, done.spoken),
        Figure("words of these that came after the last audio", str(done.after)),
        Figure("cores used by the wake server", f"{done.cpu:.2f}"),
        Figure("from the chunk to its detection", late),
        Figure("a description meanwhile", asked),
        Figure("memory", f"{done.resident_bytes / 1e6:.0f} MB"),
    ]


CORE = {"no page open": 0.1, "one page open": 3.0}
"""Most percent of a core for the `run` process."""


def run_page(args: argparse.Namespace) -> list[Figure]:
    figures = []
    for stage in asyncio.run(page.page(args.satellites, args.seconds, read_wav(SPEECH_DIR / WORD), NAME)):
        what, used = f"{stage.name}: CPU of the `run` process", 100 * stage.core
        known = stage.name in CORE
        figures += [
            bounded(what, used, CORE[stage.name], " % of a core") if known else Figure(what, f"{used:.2f} % of a core"),
            bounded("memory (PSS)", stage.pss_bytes / 1e6, 60, " MB"),
            exact(f"words heard by {args.satellites} satellites", stage.words.heard, stage.words.spoken),
            Figure("words of these that came after the last audio", str(stage.words.after)),
            Figure("audio dropped, because this machine was too busy", f"{stage.dropped_s:.1f} s"),
        ]
        if stage.updates:
            figures.append(Figure("updates of the page", str(stage.updates)))
        if stage.sockets:
            figures.append(Figure("hostile sockets", str(stage.sockets), stage.sockets >= SOCKETS))
            failed = f"{len(stage.failed)} of {stage.checks} {', '.join(sorted(set(stage.failed)))}".strip()
            figures.append(Figure("health checks that failed", failed, not stage.failed))
    return figures


SLOPE = 1.0
"""Most kilobytes a minute by which a server may grow, after the first third of the time."""

LEAST_MINUTES = 15
"""Least minutes after which that is judged: pages of 4 kB, one by chance, are too much of a shorter time."""


def run_soak(args: argparse.Namespace) -> list[Figure]:
    word, command = read_wav(SPEECH_DIR / WORD), read_wav(SPEECH_DIR / COMMAND)
    done = asyncio.run(soak.soak(args.minutes * 60, word, command, say))
    figures = []
    for name, slope in done.slopes().items():
        first, last = done.files[name]
        (_, before), (_, after) = done.warm(name)[0], done.warm(name)[-1]
        told = f"{after.total / 1e6:.1f} MB, {slope.kb_per_minute:+.1f} kB/min (+- {slope.error:.1f})"
        grown = (
            f"heap {(after.heap - before.heap) / 1024:+.0f} kB to {after.heap / 1e6:.1f} MB,"
            f" other {(after.other - before.other) / 1024:+.0f} kB"
        )
        holds = slope.most <= SLOPE if args.minutes >= LEAST_MINUTES else None
        figures.append(Figure(f"memory of {name} without clients", f"{told}; {grown}", holds))
        figures.append(Figure(f"open files of {name}", f"{first} -> {last}"))
    scrape = load.quantile(done.scrapes_s, 0.5) * 1000
    return [
        *figures,
        Figure("transcripts, one client", agreement(done.alone_s, done.told_alone_s)),
        Figure("transcripts, amid all others", agreement(done.transcripts_s, done.told_mean_s)),
        Figure("a scrape", f"median {scrape:.1f} ms, {done.scrape_cpu_s * 1000:.1f} ms of CPU time"),
    ]


def run_stop(args: argparse.Namespace) -> list[Figure]:
    word, command = read_wav(SPEECH_DIR / WORD), read_wav(SPEECH_DIR / COMMAND)
    done = asyncio.run(stop.stop(args.rounds, word, command, TEXT))
    return [
        Figure("SIGTERM under load: ended after", seconds(done.ended_s)),
        Figure("exit codes", str(sorted(set(done.codes))), set(done.codes) == {0}),
        exact("commands half spoken at SIGTERM, transcribed", done.transcribed, done.begun),
        Figure("SIGKILL, started again at once: all servers answer after", seconds(done.back_s)),
    ]


def run_strangers(args: argparse.Namespace) -> list[Figure]:
    figures = []
    with TemporaryDirectory(prefix="irene-attack-") as folder:
        for kind in strangers.kinds(Path(folder)):
            done = asyncio.run(strangers.strangers(args.strangers, kind))
            figures += [
                exact(f"{args.strangers} strangers, {kind.name}: served", done.served, strangers.ASKED),
                bounded("the slowest of these", done.slowest_s, 1.0, " s"),
                bounded("memory", done.grown_bytes / 1e6, 20, " MB"),
            ]
    return figures


def run_hang(args: argparse.Namespace) -> list[Figure]:
    done = asyncio.run(hang.hang(args.rounds))
    return [
        exact("SIGSTOP of the wake server: the front's clients that are told", len(done.told_s), args.rounds),
        bounded("told after", max(done.told_s, default=float("inf")), 5, " s"),
        bounded("it serves again after", max(done.back_s), 40, " s"),
        bounded("SIGKILL: it serves again after", max(done.killed_s), 3, " s"),
    ]


def run_quarter(args: argparse.Namespace) -> list[Figure]:
    if (reason := quarter.why_not()) is not None:
        return [Figure("a quarter of a core", reason)]
    word, figures = read_wav(SPEECH_DIR / WORD), []
    for satellites, latest_s in ((16, 5), (4, 3)):
        done = asyncio.run(quarter.quarter(satellites, args.seconds, word, NAME))
        lone = float("inf") if done.lone_s is None else done.lone_s
        told = f"{len(done.late_s)} of {done.spoken}"
        figures += [
            Figure(f"{satellites} satellites in noise, 0.25 core, 256 MB: words told", told, bool(done.late_s)),
            bounded("the latest of these", max(done.late_s, default=float("inf")), latest_s, " s"),
            bounded("a lone satellite afterwards is heard after", lone, 2, " s"),
            exact("processes ended for want of memory", done.killed, 0),
            Figure("memory with the page cache", f"{done.most_bytes / 1e6:.0f} MB"),
            Figure("a description took at most", f"{max(done.described_s):.2f} s"),
        ]
    return figures + gates_at_once(word)


def gates_at_once(word: Recording) -> list[Figure]:
    """Measure how the gates delay one word in eight rooms at the same moment, when all of them open."""
    late_s = {}
    for gate in ("true", "false"):
        settings = {"WAKE__VERIFY": '"off"', "WAKE__IDLE_GATE": gate, "LOG_LEVEL": "error"}
        done = asyncio.run(quarter.together(8, word, NAME, settings))
        late_s[gate] = max(done.late_s) if len(done.late_s) == done.spoken else float("inf")
    return [
        Figure("one word in 8 quiet rooms at once, without the gate: the latest", f"{late_s['false']:.2f} s"),
        bounded("with it: later by at most", late_s["true"] - late_s["false"], 0.2, " s"),
    ]


def seconds(times: list[float]) -> str:
    return f"{load.quantile(times, 0.5):.2f} s (median; at most {max(times):.2f} s)"


def agreement(waited_s: list[float], told_s: float) -> str:
    clock = sum(waited_s) / len(waited_s)
    return (
        f"{len(waited_s)}, mean {clock * 1000:.1f} ms by the client's clock, {told_s * 1000:.1f} ms by /metrics"
        f" ({told_s / clock - 1:+.1%})"
    )


if __name__ == "__main__":
    sys.exit(main())
