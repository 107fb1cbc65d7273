"""The command ``irene-wyoming tune-wake``."""

import argparse
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import yaml

from irene_wyoming.app import engines
from irene_wyoming.cli import common, recording
from irene_wyoming.config.wake import WakeConfig
from irene_wyoming.engines.base import WakeEngine
from irene_wyoming.errors import AudioError, EngineError
from irene_wyoming.supervise import exit_with_parent
from irene_wyoming.tune import plot
from irene_wyoming.tune.thresholds import FEW, FEWEST, LEVELS, SHORTEST_S, Heard, Tuned, bound_per_hour, listen, tune

NEGATIVE, POSITIVE = "negative", "positive"
SHOWN = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)

LAYOUT = (
    "FOLDER/negative/*.wav: anything but a wake word, such as hours of television and talk. "
    "FOLDER/WORD/*.wav: one recording each of somebody saying that word; or FOLDER/positive/*.wav, with --word."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = LAYOUT
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="labelled recordings, see below")
    parser.add_argument("--word", metavar="WORD", help="the word that is spoken in FOLDER/positive")
    parser.add_argument("--engine", metavar="NAME", help="provider to tune (none: the first that knows the word)")
    parser.add_argument(
        "--false-per-hour",
        type=common.number(0),
        default=0.5,
        metavar="N",
        help="false accepts that you allow in an hour of talk; default: %(default)s",
    )
    parser.add_argument("--output", type=Path, metavar="FILE.yaml", help="write the settings into this file")
    parser.add_argument("--plot", type=Path, metavar="FILE.png|svg", help="draw recall against false accepts per hour")
    common.add_json(parser)
    common.add_progress(parser)
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: every word has a setting; 1: some have none."""
    exit_with_parent()  # ends with the page that has started it
    if args.plot:
        common.require_plot(args.plot)
    negatives = wavs(args.folder / NEGATIVE)
    words = spoken(args.folder, args.word)
    settings = common.read_config(args, quiet=True).wake
    results = [tuned(settings, args, word, files, negatives) for word, files in words.items()]
    if args.json:
        common.print_json([{**asdict(result), "enough": result.enough} for result in results])
    else:
        print("\n\n".join("\n".join(lines(result)) for result in results))
    if args.plot:
        plot.write(results, args.plot)
    found = [result for result in results if result.best is not None and result.enough]
    if found and args.output:
        write(args.output, snippet(found))
    elif found and not args.json:
        print(f"\nFor your configuration:\n\n{snippet(found)}", end="")
    return 0 if len(found) == len(results) else 1


def wavs(folder: Path) -> list[Path]:
    """The wav files in a folder; raises AudioError where there is none."""
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() == ".wav")
    if not found:
        raise AudioError(f"{folder}: no wav files there. {LAYOUT}")
    return found


def spoken(folder: Path, word: str | None) -> dict[str, list[Path]]:
    """List recordings by word.

    :raises AudioError: there is none, or a recording's word is unknown.
    """
    if (folder / POSITIVE).is_dir():
        if word is None:
            raise AudioError(f"{folder / POSITIVE}: of which word? Say it with --word")
        return {word: wavs(folder / POSITIVE)}
    words = [path.name for path in sorted(folder.iterdir()) if path.is_dir() and path.name != NEGATIVE]
    if word is not None:
        words = [name for name in words if name == word]
    if not words:
        raise AudioError(f"{folder}: no recordings of a wake word there. {LAYOUT}")
    return {name: wavs(folder / name) for name in words}


def tuned(
    settings: WakeConfig, args: argparse.Namespace, word: str, positives: list[Path], negatives: list[Path]
) -> Tuned:
    with closing(engine_of(settings, args, word)) as engine:
        heard = []
        for path in (*positives, *negatives):
            heard.append(hear(engine, word, path))
            common.tell_progress(args, f"{word}: heard {len(heard)} of {len(positives) + len(negatives)} recordings")
        return tune(
            word,
            engine.name,
            heard[: len(positives)],
            heard[len(positives) :],
            allowed_per_hour=args.false_per_hour,
        )


def engine_of(settings: WakeConfig, args: argparse.Namespace, word: str) -> WakeEngine:
    """Load the engine that the server would use for a word.

    :raises EngineError: no engine that can be loaded knows the word.
    """
    context = engines.context(common.read_config(args, quiet=True))
    names = [args.engine] if args.engine else engines.order(settings)
    reasons = []
    for name in names:
        if name not in settings.providers or not settings.providers[name].enabled:
            raise EngineError(f"{name}: no enabled provider; enabled are {', '.join(engines.order(settings))}")
        try:
            engine: WakeEngine = engines.create("wake", name, settings.providers[name].options, context)
        except EngineError as error:
            reasons.append(f"{name}: {error}")
            continue
        known = [info.name for info in engine.models()]
        if word in known:
            return engine
        engine.close()
        reasons.append(f"{name} knows {', '.join(known)}")
    raise EngineError(f"{word!r}: no engine to hear it with: {'; '.join(reasons)}")


def hear(engine: WakeEngine, word: str, path: Path) -> Heard:
    sound = recording.read(path)
    return listen(engine, word, path.name, sound.format, sound.pcm)


def write(path: Path, text: str) -> None:
    """Write a file; raises AudioError where it cannot be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AudioError(f"{path}: cannot be written: {error.strerror}") from error


def lines(result: Tuned) -> list[str]:
    out = [
        f"{result.word} ({result.engine}): {result.positives} recordings of it, "
        f"{result.negative_hours:.2f} h of others",
        "words heard % / false accepts, by threshold and trigger_level",
        "threshold " + "".join(f"{f'level {level}':>14}" for level in LEVELS),
    ]
    by_setting = {(point.threshold, point.trigger_level): point for point in result.points}
    for threshold in SHOWN:
        some = [by_setting[threshold, level] for level in LEVELS]
        cells = "".join(f"{f'{100 * point.recall:.0f} / {point.false_accepts}':>14}" for point in some)
        out.append(f"{threshold:9.2f} {cells}")
    if result.positives < FEWEST:
        return [*out, f"One recording of a word recommends nothing: record {FEW} or more, by everybody who says it."]
    if result.negative_hours * 3600 < SHORTEST_S:
        return [*out, f"Less than {SHORTEST_S:g} s of other sounds recommends nothing: record an hour of them."]
    if result.best is None:
        return [*out, "No setting keeps to the false accepts that you allow; see --false-per-hour."]
    best = result.best
    bound = bound_per_hour(best.false_accepts, result.negative_hours)
    out.append(
        f"Recommended: threshold {best.threshold:g}, trigger_level {best.trigger_level}: hears "
        f"{100 * best.recall:.0f} %, {best.false_accepts} false accepts, "
        f"that is with 95 % confidence fewer than {bound:,.1f} per hour"
    )
    if result.positives < FEW:
        out.append(
            f"{result.positives} recordings of the word are few: record {FEW} or more, by everybody who says it."
        )
    if result.negative_hours < 1:
        out.append("Less than an hour of other sounds says little of false accepts: record more.")
    if result.missed:
        out.append(f"Missed: {', '.join(result.missed)}")
    return out


def snippet(results: list[Tuned]) -> str:
    """The settings in the form of a configuration file."""
    models = {
        result.word: {"threshold": result.best.threshold, "trigger_level": result.best.trigger_level}
        for result in results
        if result.best is not None
    }
    return yaml.safe_dump({"wake": {"models": models}}, sort_keys=False, allow_unicode=True)
