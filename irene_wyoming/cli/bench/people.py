"""Arguments of measurements that play recordings of people: the recordings, and the noise."""

import argparse
from pathlib import Path

from irene_wyoming.audio.convert import converted
from irene_wyoming.audio.format import SPEECH
from irene_wyoming.bench.mixing import GENERATED, Condition, Noise, floats
from irene_wyoming.bench.people import Folder, folder_of
from irene_wyoming.cli import common, recording
from irene_wyoming.errors import AudioError

DECIBELS = common.several(common.number(-120, 120))
"""An argparse type: ``20,10``."""

SNR_DB = (20.0, 10.0)


def add_arguments(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--other",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="folder of recordings without commands or wake words; may be repeated",
    )
    parser.add_argument(
        "--noise",
        action="append",
        default=[],
        metavar="FILE.wav|white|pink",
        help="noise mixed into the recordings; may be repeated",
    )
    parser.add_argument(
        "--snr",
        type=DECIBELS,
        default=SNR_DB,
        metavar="DB,...",
        help=f"levels of speech over noise, dB; default: {','.join(f'{snr:g}' for snr in SNR_DB)}",
    )
    parser.add_argument("--half", choices=["even", "odd"], help="only files with even or odd numbers (none: all)")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="most recordings per folder (none: all)")


def folders(args: argparse.Namespace, paths: list[Path]) -> list[Folder]:
    """Read the folders with commands, then those with other speech.

    :raises AudioError: a folder cannot be read, or has no recordings.
    """
    if args.limit < 0:
        raise AudioError(f"--limit {args.limit}: expected 1 or more")
    chosen = {"half": args.half, "limit": args.limit}
    return [
        *(folder_of(path, read, **chosen) for path in paths),
        *(folder_of(path, read, other=True, **chosen) for path in args.other),
    ]


def conditions(args: argparse.Namespace, levels: tuple[float, ...] = ()) -> list[Condition]:
    """List the conditions: as recorded, with each noise at each SNR, and at each level.

    :raises AudioError: a noise cannot be read.
    """
    noises = [noise_of(name) for name in args.noise]
    noisy = [Condition(noise, snr) for noise in noises for snr in args.snr]
    return [Condition(), *noisy, *(Condition(level_dbfs=level) for level in levels)]


def noise_of(name: str) -> Noise:
    if name in GENERATED:
        return Noise(name, GENERATED[name]())
    path = Path(name)
    samples = floats(read(path))
    if not samples.any():
        raise AudioError(f"{path}: no sound in it to mix in")
    return Noise(path.stem, samples)


def read(path: Path) -> bytes:
    """Read a wav file of any format as 16 kHz, 16 bit, mono.

    :raises AudioError: the file cannot be read.
    """
    sound = recording.read(path)
    return converted(sound.pcm, sound.format, SPEECH)
