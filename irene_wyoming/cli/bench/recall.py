"""The command ``irene-wyoming bench recall``."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.bench import recall as bench
from irene_wyoming.bench.machine import machine
from irene_wyoming.bench.methods import LINEAR, LIVE_LEVELS
from irene_wyoming.bench.recall import Spoken
from irene_wyoming.bench.rows import RecallRow
from irene_wyoming.cli import common, recording
from irene_wyoming.cli.bench.lines import plain
from irene_wyoming.engines.registry import missing, specs
from irene_wyoming.errors import AudioError

HELP = "wake words heard with noise above 8 kHz, by method and engine"
ABOUT = (
    "Play wake words as a 48 kHz microphone hears them beside noise and tones above 8 kHz, through every level and "
    "through an ideal filter. Minutes."
)

LEAD_S = (0.3, 0.5, 0.7, 1.0)
LEVELS_DB = (0.0, 10.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="16 kHz 16 bit mono files, WORD_VOICE.wav")
    parser.add_argument(
        "--engine", action="append", metavar="NAME", help="engine to measure, may be repeated (none: all installed)"
    )
    common.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: every level hears the words that the ideal filter lets through; 1: one does not."""
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


def recordings(folder: Path) -> list[Spoken]:
    """Read the recordings; raises AudioError where there is none, or one has another format."""
    found = []
    for path in sorted(folder.glob("*.wav")):
        sound = recording.read(path)
        if sound.format != SPEECH:
            raise AudioError(f"{path}: {sound.format}; expected {SPEECH}")
        found.append(Spoken(path.stem, path.stem.rpartition("_")[0], sound.pcm))
    if not found:
        raise AudioError(f"{folder}: no wav file there; expected files such as okay_nabu_anna.wav")
    return found


def recall_lines(rows: Sequence[RecallRow]) -> Iterator[str]:
    for row in rows:
        others = f", not spoken: {', '.join(row.others)}" if row.others else ""
        yield (
            f"{row.engine:15} {row.added:5} {row.level_db:+3.0f} dB  {row.method:10} "
            f"{len(row.heard):3d} of {row.spoken}{others}"
        )


def worse_lines(worse: Sequence[tuple[RecallRow, Sequence[str]]]) -> Iterator[str]:
    for row, names in worse:
        where = f"{row.engine}, {row.method}, {row.added} {row.level_db:+.0f} dB"
        yield f"BROKEN {where}: unlike the brick wall in {', '.join(names)}"
    if not worse:
        yield "Every level hears what the brick wall does."
