"""Measures how often guided takes a command for its opposite. Needs flite and espeak-ng.

python -m tests.engines.asr.guided.evaluate_twins 48 pairs of on and off, and others, in noise

Each command of a pair is said by the voices of ``evaluate``, with white and pink noise in turn. A command counts as
flipped when it comes out as the other one of its pair.
"""

import argparse
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path

import numpy as np

from irene_wyoming.engines.asr.guided.meaning import meaning
from irene_wyoming.engines.asr.guided.spec import SPEC
from tests.engines.asr.conftest import made
from tests.engines.asr.guided.evaluate import ESPEAK, VOICES, hear, mixed, noise, padded, said

SWITCHED = ("the living room light", "the kitchen lights", "the fan", "the tv", "the table lamp", "the office lights")
DOORS = ("front door", "back door")
TENS = ("thir", "four", "fif", "six", "seven", "eigh", "nine")

Pair = tuple[str, str]


def pairs(voices: tuple[str, ...]) -> Iterator[tuple[str, str, Pair]]:
    """The kind, the voice, and the two commands."""
    for voice, thing in product(voices, SWITCHED):
        yield "on / off", voice, (f"turn on {thing}", f"turn off {thing}")
    for voice, door in product(voices, DOORS):
        yield "lock / unlock", voice, (f"lock the {door}", f"unlock the {door}")
    for voice, ten in product(voices[::2], TENS):
        ty = "forty" if ten == "four" else f"{ten}ty"
        yield "-teen / -ty", voice, (f"set the brightness to {ten}teen percent", f"set the brightness to {ty} percent")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snr", type=int, nargs="+", default=[20, 10], help="dB (default 20 10)")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument("--every", type=int, default=1, help="take every so many pairs (default 1)")
    parser.add_argument("--show", action="store_true", help="print what is not right")
    parser.add_argument("--speech", type=Path, help="folder that keeps the synthesised speech for the next time")
    chosen = parser.parse_args()
    counts = defaultdict[tuple[str, int], Counter[str]](Counter)
    with tempfile.TemporaryDirectory() as temporary, closing(made(SPEC)) as engine:
        for place, (kind, voice, pair) in enumerate(pairs(VOICES + ESPEAK)):
            for snr, turn in product(chosen.snr, (0, 1)) if place % chosen.every == 0 else ():
                clear = said(pair[turn], voice, 1.0, chosen.speech or Path(temporary))
                added = noise(padded(clear), ("white", "pink")[place % 2], 1_000 * chosen.seed + 10 * place + turn)
                heard, _ = hear(engine, mixed(clear, float(np.sqrt(np.mean(clear**2))), added, snr))
                found = verdict(heard.text if heard.kind == "command" else "", pair[turn], pair[1 - turn])
                counts[kind, snr][found] += 1
                if chosen.show and found != "right":
                    print(f"  {kind}, {snr} dB, {voice}: {pair[turn]}: {found}: {heard.text!r} {heard.details}")
    print(f"{'':16}{'dB':>4}{'commands':>10}{'right':>8}{'flipped':>9}{'other':>7}{'none':>6}")
    for (kind, snr), count in sorted(counts.items()):
        right, flipped, other, none = (count[name] for name in ("right", "flipped", "other", "none"))
        print(f"{kind:16}{snr:4}{count.total():10}{right:8}{flipped:9}{other:7}{none:6}")


def verdict(text: str, right: str, opposite: str) -> str:
    """Classify a result: right, flipped, other (a third command) or none."""
    if not text:
        return "none"
    if meaning(text) == meaning(right):
        return "right"
    return "flipped" if meaning(text) == meaning(opposite) else "other"


if __name__ == "__main__":
    main()
