"""irene-wyoming bench"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irene_wyoming.bench.machine import machine
from irene_wyoming.cli import bench_asr, bench_tuning, common, wakebench
from irene_wyoming.errors import AudioError, ConfigError, UnsupportedFormat

if TYPE_CHECKING:  # measuring loads numpy: not before one BLAS thread is asked for
    from irene_wyoming.bench.rows import Gate, ImportRow, MethodRow, RecallRow

RATES = (48_000, 44_100)
CHUNK_MS = (20, 80)
LEAD_S = (0.3, 0.5, 0.7, 1.0)
LEVELS_DB = (0.0, 10.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--suite", choices=["tuning"], help="the same as WHAT: the targets of the tuning guide")
    bench_tuning.add_arguments(parser)
    kinds = parser.add_subparsers(dest="kind", metavar="WHAT")
    resample = kinds.add_parser(
        "resample",
        help="every way to convert: cost, delay, quality, memory",
        description="Measure every way to convert side by side. About half a minute per rate; leave the machine alone.",
    )
    resample.add_argument(
        "--rates",
        type=rates,
        default=RATES,
        metavar="HZ,...",
        help=f"source rates, to 16000 Hz; default: {','.join(map(str, RATES))}",
    )
    resample.add_argument("--quick", action="store_true", help="rough figures in seconds, without memory")
    resample.add_argument("--scipy", action="store_true", help="also scipy.signal.resample_poly, if installed")
    resample.add_argument("--gates", action="store_true", help="hold the figures against what the project promises")
    resample.add_argument("--plot", type=Path, metavar="FILE.png|svg", help="draw quality against delay and cost")
    common.add_json(resample)
    recall = kinds.add_parser(
        "recall",
        help="wake words heard with noise above 8 kHz, by method and engine",
        description="Play wake words as a 48 kHz microphone hears them beside noise and tones above 8 kHz, through "
        "every level and through an ideal filter. Minutes.",
    )
    recall.add_argument("folder", type=Path, metavar="FOLDER", help="16 kHz 16 bit mono files, WORD_VOICE.wav")
    recall.add_argument("--engine", action="append", metavar="NAME", help="may be repeated (none: every one installed)")
    common.add_json(recall)
    wakebench.add_arguments(
        kinds.add_parser(
            "wake",
            help="the wake server beside the bare engine: CPU, delay, start, memory",
            description="Start a wake server, play a word to it as many satellites would, and measure what that costs "
            "beside the engine by itself. A minute or two per engine; leave the machine alone. Linux only.",
        )
    )
    bench_asr.add_arguments(kinds)
    bench_tuning.add_arguments(
        kinds.add_parser(
            "tuning",
            help="the targets of docs/performance-tuning.md: latency, throughput, memory, cache",
            description="Hold this machine against the targets of the tuning guide, with the engines and the speech "
            "that are packaged. Half a minute.",
        )
    )
    mic = kinds.add_parser(
        "mic",
        help="the microphone server: delay, 100 listeners, bad ones, an hour of audio, what it leaves behind",
        description="Hold a real microphone server against what the project promises of it. About two minutes; Linux.",
    )
    mic.add_argument("--quick", action="store_true", help="rough figures in half a minute, with 10 listeners")
    common.add_json(mic)


def rates(text: str) -> tuple[int, ...]:
    """An argparse type: ``48000,44100``."""
    from irene_wyoming.audio.format import AudioFormat

    try:
        return tuple(AudioFormat(int(rate), 2, 1).rate for rate in text.split(","))
    except (ValueError, UnsupportedFormat) as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error


def run(args: argparse.Namespace) -> int:
    """Exit code 0: measured, and every gate that was asked for is kept; 1: one is not."""
    from irene_wyoming.bench.process import use_one_thread

    use_one_thread()
    commands = {
        "resample": resample,
        "recall": recall,
        "wake": wakebench.run,
        "asr": bench_asr.run,
        "mic": mic,
        "tuning": bench_tuning.run,
    }
    kind = args.kind or args.suite
    if kind is None:
        raise ConfigError(f"bench: expected what to measure: {', '.join(commands)}")
    return commands[kind](args)


def resample(args: argparse.Namespace) -> int:
    from irene_wyoming.audio.format import SPEECH
    from irene_wyoming.bench import imports, methods, plot
    from irene_wyoming.bench.gates import gates
    from irene_wyoming.bench.resample import FULL, QUICK, measure

    if args.plot:
        plot.require(args.plot)
    missing = methods.absent()
    if args.scipy and "scipy" in missing:
        raise AudioError("--scipy: scipy is not installed: pip install scipy")
    names = [way.name for way in methods.METHODS if way.name not in missing and (args.scipy or way.name != "scipy")]
    wanted = dict.fromkeys([*(RATES if args.gates else ()), *args.rates])
    effort = QUICK if args.quick else FULL
    rows = [row for rate in wanted for row in measure(names, rate, SPEECH.rate, CHUNK_MS, effort)]
    times = 1 if args.quick else 5
    loaded = [imports.imported(module, times) for module in ("numpy", "irene_wyoming.audio.convert")]
    judged = list(gates(rows, effort.rounds)) if args.gates else []
    if args.plot:
        plot.write(rows, args.plot)
    if args.json:
        parts = {"machine": machine(), "rows": rows, "imports": loaded, "gates": judged}
        common.print_json({name: plain(part) for name, part in parts.items()})
    else:
        absence = [f"not measured: {name}, as there is no {module} here" for name, module in missing.items()]
        print("\n".join([*heading(effort.rounds), *tables(rows), *import_lines(loaded), *absence, *gate_lines(judged)]))
    return 1 if any(gate.kept is False for gate in judged) else 0


def recall(args: argparse.Namespace) -> int:
    from irene_wyoming.bench import recall as bench
    from irene_wyoming.bench.methods import LINEAR, LIVE_LEVELS
    from irene_wyoming.engines.registry import missing, specs

    engines = args.engine or [name for name, engine in specs("wake").items() if not missing(engine)]
    spoken = [word.after(lead_s) for word in recordings(args.folder) for lead_s in LEAD_S]
    added = [bench.Added(kind, level_db) for kind in (bench.NOISE, bench.TONES) for level_db in LEVELS_DB]
    rows = bench.measure(engines, [*LIVE_LEVELS, LINEAR], spoken, added)
    worse = [(row, names) for row, names in bench.worse(rows) if row.method != LINEAR]
    if args.json:
        broken = [{"row": asdict(row), "recordings": names} for row, names in worse]
        common.print_json({"machine": machine(), "rows": plain(rows), "worse": broken})
    else:
        print("\n".join([*recall_lines(rows), *worse_lines(worse)]))
    return 1 if worse else 0


def mic(args: argparse.Namespace) -> int:
    import asyncio

    from irene_wyoming.bench.mic import FULL, QUICK, gates

    async def measure() -> "list[Gate]":
        judged = []
        async for gate in gates(QUICK if args.quick else FULL):
            judged.append(gate)
            if not args.json:
                print(*gate_lines([gate]), flush=True)
        return judged

    if not args.json:
        print(", ".join(f"{name} {value}" for name, value in machine().items()))
    judged = asyncio.run(measure())
    if args.json:
        common.print_json({"machine": machine(), "gates": plain(judged)})
    return 1 if any(gate.kept is False for gate in judged) else 0


def recordings(folder: Path) -> "list[Any]":
    """:raises AudioError: there is none, or one has another format."""
    from irene_wyoming.audio.format import SPEECH
    from irene_wyoming.bench.recall import Spoken
    from irene_wyoming.cli import recording

    found = []
    for path in sorted(folder.glob("*.wav")):
        sound = recording.read(path)
        if sound.format != SPEECH:
            raise AudioError(f"{path}: {sound.format}; expected {SPEECH}")
        found.append(Spoken(path.stem, path.stem.rpartition("_")[0], sound.pcm))
    if not found:
        raise AudioError(f"{folder}: no wav file there; expected files such as okay_nabu_anna.wav")
    return found


def plain(part: Any) -> Any:
    """Rows as JSON has them."""
    return [asdict(row) for row in part] if isinstance(part, list) else part


def heading(rounds: int) -> Iterator[str]:
    yield ", ".join(f"{name} {value}" for name, value in machine().items())
    yield f"CPU per chunk of 16 bit mono, bytes to bytes: least of {rounds} interleaved rounds, one BLAS thread."


COLUMNS = (
    "method       " + "".join(f"| {ms} ms: us  p50  p99  peer soxr " for ms in CHUNK_MS) + "| held ms min/mean/max "
    "| alias 9k  10k | ripple | SNR 1k    6k | KiB"
)


def tables(rows: "Sequence[MethodRow]") -> Iterator[str]:
    for source, target in dict.fromkeys((row.source_rate, row.target_rate) for row in rows):
        some = [row for row in rows if (row.source_rate, row.target_rate) == (source, target)]
        yield f"\n{source} to {target} Hz"
        yield COLUMNS
        yield from (line(row, some) for row in some)
    yield "\npeer, soxr: cost as a multiple of the peers' converter and of soxr HQ by itself; alias, ripple, SNR in dB"


def line(row: "MethodRow", rows: "Sequence[MethodRow]") -> str:
    from irene_wyoming.bench.gates import of_method
    from irene_wyoming.bench.methods import PEER, SOXR

    cells = [f"{row.method:13}"]
    for ms, cost in row.cost.items():
        ratios = [number(of_method(rows, row, name, ms), 5, 2) for name in (PEER, SOXR)]
        cells.append(f"{cost.least_us:9.1f} {cost.median_us:5.1f} {cost.p99_us:5.1f} {ratios[0]} {ratios[1]} ")
    held, heard = row.held, row.fidelity
    cells.append(f"{held.min_ms:7.2f}{held.mean_ms:7.2f}{held.max_ms:7.2f} ")
    cells.append(f"{number(heard.alias_from_9k_db, 8, 1)} {number(heard.alias_from_10k_db, 5, 1)} ")
    cells.append(f"{heard.ripple_db:7.3f} ")
    cells.append(f"{heard.snr_1k_db:7.1f} {number(heard.snr_6k_db, 5, 1)} ")
    cells.append(number(None if row.stream_bytes is None else row.stream_bytes / 1024, 4, 0))
    return "|".join(cells)


def number(value: float | None, width: int, places: int) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:{width}.{places}f}"


def import_lines(rows: "Sequence[ImportRow]") -> Iterator[str]:
    for row in rows:
        yield f"import {row.module}: {row.ms:.0f} ms, loads {', '.join(row.heavy)}"


def gate_lines(gates: "Sequence[Gate]") -> Iterator[str]:
    signs = {True: "kept  ", False: "BROKEN", None: "?     "}
    for gate in gates:
        yield f"{signs[gate.kept]} {gate.about}: {gate.value} ({gate.limit})"


def recall_lines(rows: "Sequence[RecallRow]") -> Iterator[str]:
    for row in rows:
        others = f", not spoken: {', '.join(row.others)}" if row.others else ""
        yield (
            f"{row.engine:15} {row.added:5} {row.level_db:+3.0f} dB  {row.method:10} "
            f"{len(row.heard):3d} of {row.spoken}{others}"
        )


def worse_lines(worse: "Sequence[tuple[RecallRow, Sequence[str]]]") -> Iterator[str]:
    for row, names in worse:
        where = f"{row.engine}, {row.method}, {row.added} {row.level_db:+.0f} dB"
        yield f"BROKEN {where}: unlike the brick wall in {', '.join(names)}"
    if not worse:
        yield "Every level hears what the brick wall does."
