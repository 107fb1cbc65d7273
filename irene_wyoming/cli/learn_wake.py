"""The command ``irene-wyoming learn-wake``."""

import argparse
import json
import sys
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from irene_wyoming import files
from irene_wyoming.app import engines
from irene_wyoming.audio.convert import converted
from irene_wyoming.audio.format import SPEECH
from irene_wyoming.cli import common, recording
from irene_wyoming.cli.learn_record import record
from irene_wyoming.config.model import Config
from irene_wyoming.engines.registry import phrase_scorer
from irene_wyoming.engines.wake.folders import word_name
from irene_wyoming.engines.wake.recogniser import Scorer
from irene_wyoming.errors import AudioError, ConfigError, EngineError
from irene_wyoming.learn.augment import Samples
from irene_wyoming.learn.examples import example
from irene_wyoming.learn.learn import STRICT, Embeds, Learned, Report, learn
from irene_wyoming.learn.onnxfile import model
from irene_wyoming.supervise import exit_with_parent


class Engine(Embeds, Protocol):
    def close(self) -> None: ...


WORD_S = 1.6
"""Seconds before a word's highest score in which a recording of the server has the word."""

AFTER_S = 0.15
"""Seconds behind that score: an engine may score high just before the word's end."""

MAX_SIDECAR_BYTES = 262_144
"""Most bytes of the scores beside a recording. 60 s of ten words have 100 kB."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "5 to 30 recordings, one of the word each, with some quiet around it; by several people where several shall be "
        "heard. Without any, it records ten from the microphone. The server offers the word within two seconds."
    )
    parser.add_argument("name", metavar="NAME", help="name of the model, e.g. smart_mirror")
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE.wav", help="recordings, or folders of them")
    parser.add_argument("--phrase", help="the spoken phrase (none: NAME with blanks)")
    parser.add_argument("--device", metavar="NAME", help="record from this input, see irene-wyoming devices")
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="folder for the model (none: wake/openwakeword under data_dir)"
    )
    parser.add_argument(
        "--variants",
        type=int,
        default=200,
        metavar="N",
        help="variants of the recordings, in other rooms, noises and voices; default: %(default)s, 15 s on a PC",
    )
    common.add_json(parser)
    common.add_progress(parser)
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: the word was learned."""
    exit_with_parent()  # ends with the page that has started it
    config = common.read_config(args, quiet=True)
    folder = output(args, config)
    name = word_name(Path(f"{args.name}.json"))
    if not name:
        raise ConfigError(f"{args.name!r}: expected a name with letters, e.g. smart_mirror")
    phrase = args.phrase or name.replace("_", " ")
    examples = [example(str(path), heard(path)) for path in recording.wavs(args.files)] or record(
        config, args.device, phrase
    )
    with closing(engine_of(config)) as engine:
        learned = learn(examples, engine, scorer(args), phrase, partial(told, args, name), args.variants)
    write(folder, name, phrase, learned)
    if args.json:
        common.print_json({"word": name, **asdict(learned.report), "spellings": list(learned.spellings)})
    else:
        print("\n".join(lines(name, folder, learned)))
    return 0


def told(args: argparse.Namespace, name: str, line: str) -> None:
    """Report progress, and print it where a person reads standard output."""
    common.tell_progress(args, f"{name}: {line}")
    if not args.json and not args.progress:
        print(f"{name}: {line}", flush=True)


def output(args: argparse.Namespace, config: Config) -> Path:
    """The folder for the model; raises ConfigError where none is configured."""
    if args.output is not None:
        return Path(args.output)
    if config.data_dir is None:
        raise ConfigError("data_dir is not set: say where the model goes with --output FOLDER")
    return config.data_dir / "wake" / "openwakeword"


def heard(path: Path) -> Samples:
    """Read samples at 16 kHz, mono, full scale 1; of a server's recording only the word."""
    sound = recording.read(path)
    pcm = converted(sound.pcm, sound.format, SPEECH, "soxr", live=True)
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32_768)
    peak = peak_s(path.with_suffix(".json"))
    if peak is None:
        return samples
    first, last = (max(0, round((peak + shift) * SPEECH.rate)) for shift in (-WORD_S, AFTER_S))
    return samples[first:last]


def peak_s(sidecar: Path) -> float | None:
    """The second of the highest score in a server's recording; None: it is no such recording."""
    try:
        found = json.loads(files.read(sidecar, MAX_SIDECAR_BYTES))
        word = found["word"]
        return float(max((each["score"], each["at_s"]) for each in found["scores"] if each["word"] == word)[1])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def engine_of(config: Config) -> Engine:
    """Make openWakeWord, on whose features a word is learned.

    :raises EngineError: it is not installed.
    """
    options = config.wake.providers["openwakeword"].options if "openwakeword" in config.wake.providers else {}
    engine: Engine = engines.create("wake", "openwakeword", {**options, "folders": ()}, engines.context(config))
    return engine


def scorer(args: argparse.Namespace) -> Scorer | None:
    """Make the recogniser; None: it is not installed."""
    try:
        found: Scorer = phrase_scorer()()
    except EngineError as error:
        print(f"Without a second look: {error}", file=sys.stderr if args.json else sys.stdout)
        return None
    return found


def write(folder: Path, name: str, phrase: str, learned: Learned) -> None:
    """Write the model, and the manifest last: with it the server takes both.

    :raises AudioError: a file cannot be written.
    """
    manifest = {
        "type": "openWakeWord",
        "wake_word": phrase.title(),
        "author": "you",
        "model": f"{name}.onnx",
        "trained_languages": [],
        "spellings": list(learned.spellings),
        "openWakeWord": {"probability_cutoff": STRICT},
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.onnx").write_bytes(model(learned.head))
        (folder / f"{name}.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError as error:
        raise AudioError(f"{folder}: cannot be written: {error.strerror}") from error


def lines(name: str, folder: Path, learned: Learned) -> list[str]:
    told = [*report(learned.report), f"Written: {folder / name}.onnx and .json"]
    if learned.spellings:
        written = ", ".join(learned.spellings)
        return [*told, f"A second look decides on it (wake.verify), which looks for: {written}"]
    return [*told, "No second look: the recogniser cannot write this word. More recordings make it surer."]


def report(found: Report) -> list[str]:
    return [
        f"Of {found.held_out} of {found.examples} recordings that it was not learned from, in other voices, rooms and "
        f"noise, it heard {100 * found.heard:.0f} % where a second look decides, "
        f"{100 * found.heard_strictly:.0f} % alone.",
        f"In {60 * found.hours:.1f} minutes of other speech and noise: {found.false_accepts} false accepts alone; "
        f"{found.proposals} times a second look would decide.",
    ]
