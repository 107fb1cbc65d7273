"""The command ``irene-wyoming wake-score``."""

import argparse
from collections.abc import Sequence
from math import isfinite
from pathlib import Path

import numpy as np

from irene_wyoming.cli import common, recording
from irene_wyoming.cli.learn_wake import heard
from irene_wyoming.config.wake import typed_word
from irene_wyoming.engines.registry import phrase_scorer
from irene_wyoming.engines.wake.recogniser import Scorer
from irene_wyoming.engines.wake.spellings import typed
from irene_wyoming.errors import ConfigError
from irene_wyoming.learn.augment import Samples

SHORT = 6
"""Letters below which a phrase is short and sounds like parts of others."""

SYLLABLES = 3
"""Fewest syllables of wake words that do well."""

COMMON = frozenset(
    """yes no okay hello hey you the light lights kitchen door good morning night time what is on off turn stop go come
    here there play music mother father mum dad house home please thank thanks right all one two three""".split()  # noqa: SIM905
)
"""Words that are said in homes all day."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("phrase", help='the phrase to rate, e.g. "smart mirror"')
    parser.add_argument(
        "files",
        type=Path,
        nargs="*",
        metavar="FILE.wav",
        help="recordings of the phrase or of other speech, or folders",
    )
    common.add_json(parser)
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: the phrase is heard in every file, or no file was given; 1: in some it is not."""
    try:
        phrase = typed_word(args.phrase).casefold()
    except ValueError as error:
        raise ConfigError(f"{args.phrase!r}: {error}") from error
    warned = warnings(phrase)
    paths = recording.wavs(args.files)
    scorer: Scorer | None = phrase_scorer()() if paths else None
    rows = [row(scorer, phrase, path) for path in paths if scorer is not None]
    if args.json:
        common.print_json({"phrase": phrase, "warnings": warned, "files": rows})
        return 0 if all(found["heard"] for found in rows) else 1
    print("\n".join([*warned, *(line(found) for found in rows)]))
    if rows:
        print(f"{sum(bool(found['heard']) for found in rows)} of {len(rows)} would be heard")
    return 0 if all(found["heard"] for found in rows) else 1


def warnings(phrase: str) -> list[str]:
    """The reasons against a phrase."""
    words = phrase.split()
    found = []
    if len(phrase.replace(" ", "")) < SHORT or syllables(phrase) < SYLLABLES:
        found.append(f"{phrase!r} is short: a wake word with {SYLLABLES} syllables or more is told apart better")
    if all(word in COMMON for word in words):
        found.append(f"{phrase!r} is said all day: it would be heard when nobody means it")
    return found or [f"{phrase!r} is long enough, and not said all day"]


def syllables(phrase: str) -> int:
    """An estimate of syllables: runs of vowels, without a silent e at the end."""
    count = 0
    for word in phrase.split():
        word = word[:-1] if word.endswith("e") and len(word) > 3 and word[-2] not in "aeiouyl" else word
        runs = "".join(" " if c not in "aeiouy" else c for c in word).split()
        count += max(1, len(runs))
    return count


def row(scorer: Scorer, phrase: str, path: Path) -> dict[str, object]:
    """Take the best look at one recording."""
    wanted = typed(phrase)
    best: dict[str, object] = {"file": str(path), "heard": False, "llr": None, "gain": None, "text": ""}
    for piece in pieces(heard(path)):
        look = scorer.look(piece, wanted.spellings, float("inf"))
        margin = wanted.margin(look, usual=False) if look.phrase else float("-inf")
        known = best["llr"]
        if look.phrase and (not isinstance(known, float) or look.llr > known):
            enough = best["heard"] is True or margin >= 0
            gain = round(look.absolute - look.prior, 1) if isfinite(look.prior) else None
            best |= {"heard": enough, "llr": round(look.llr, 1), "gain": gain, "text": look.open_text}
        elif margin >= 0:
            best["heard"] = True
    return best


def pieces(samples: Samples) -> Sequence[Samples]:
    """Cut pieces of two seconds, every half second, as the server looks at them."""
    quiet = np.zeros(8_000, np.float32)
    sound = np.concatenate([quiet, samples, quiet])
    return [sound[at : at + 32_000] for at in range(0, max(1, len(sound) - 24_000), 8_000)]


def line(found: dict[str, object]) -> str:
    said = "heard" if found["heard"] else "not heard"
    score = "nothing like it" if found["llr"] is None else f"{found['llr']} (0: sure, below -11: not it)"
    if isinstance(gain := found["gain"], float):
        score += f", {gain} likelier than in mere noise (common phrases: less than 8.5)"
    return f"{found['file']}: {said}, {score}; reads {found['text']!r}"
