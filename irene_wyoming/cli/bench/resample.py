"""The command ``irene-wyoming bench resample``."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.bench import imports, methods, plot
from irene_wyoming.bench.gates import gates, of_method
from irene_wyoming.bench.machine import machine
from irene_wyoming.bench.methods import PEER, SOXR
from irene_wyoming.bench.resample import FULL, QUICK, measure
from irene_wyoming.bench.rows import ImportRow, MethodRow
from irene_wyoming.cli import common
from irene_wyoming.cli.bench.lines import about_machine, gate_lines, number, plain
from irene_wyoming.errors import AudioError, UnsupportedFormat

HELP = "every way to convert: cost, delay, quality, memory"
ABOUT = "Compare all methods of conversion. About half a minute per rate; leave the machine alone."

RATES = (48_000, 44_100)
CHUNK_MS = (20, 80)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rates",
        type=rates,
        default=RATES,
        metavar="HZ,...",
        help=f"source rates, to 16000 Hz; default: {','.join(map(str, RATES))}",
    )
    parser.add_argument("--quick", action="store_true", help="rough figures in seconds, without memory")
    parser.add_argument("--scipy", action="store_true", help="also scipy.signal.resample_poly, if installed")
    parser.add_argument("--gates", action="store_true", help="check the figures against the promises of this project")
    parser.add_argument("--plot", type=Path, metavar="FILE.png|svg", help="draw quality against delay and cost")
    common.add_json(parser)


def rates(text: str) -> tuple[int, ...]:
    """An argparse type: ``48000,44100``."""
    try:
        return tuple(AudioFormat(int(rate), 2, 1).rate for rate in text.split(","))
    except (ValueError, UnsupportedFormat) as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error


def run(args: argparse.Namespace) -> int:
    """Exit code 0: measured, and every wanted gate is kept; 1: one is not."""
    if args.plot:
        common.require_plot(args.plot)
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


def heading(rounds: int) -> Iterator[str]:
    yield about_machine()
    yield f"CPU per chunk of 16 bit mono, bytes to bytes: least of {rounds} interleaved rounds, one BLAS thread."


COLUMNS = (
    "method       " + "".join(f"| {ms} ms: us  p50  p99  peer soxr " for ms in CHUNK_MS) + "| held ms min/mean/max "
    "| alias 9k  10k | ripple | SNR 1k    6k | KiB"
)


def tables(rows: Sequence[MethodRow]) -> Iterator[str]:
    for source, target in dict.fromkeys((row.source_rate, row.target_rate) for row in rows):
        some = [row for row in rows if (row.source_rate, row.target_rate) == (source, target)]
        yield f"\n{source} to {target} Hz"
        yield COLUMNS
        yield from (line(row, some) for row in some)
    yield "\npeer, soxr: cost as a multiple of the peers' converter and of soxr HQ by itself; alias, ripple, SNR in dB"


def line(row: MethodRow, rows: Sequence[MethodRow]) -> str:
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


def import_lines(rows: Sequence[ImportRow]) -> Iterator[str]:
    for row in rows:
        yield f"import {row.module}: {row.ms:.0f} ms, loads {', '.join(row.heavy)}"
