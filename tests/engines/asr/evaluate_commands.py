"""How well an engine tells commands from other speech. Needs flite and espeak-ng; figures only, no test.

    python -m tests.engines.asr.evaluate_commands guided               the held-out sentences
    python -m tests.engines.asr.evaluate_commands guided --tuning      those that weights may be fitted on
    python -m tests.engines.asr.evaluate_commands guided --noise kitchen.wav --other FOLDER

Voices of flite and espeak-ng say each command in turn, at 0.9, 1 or 1.15 of the usual duration: in quiet, at 20 dB and
at 10 dB. White and pink noise take turns. The SNR is the mean power of the whole sentence over that of the noise. Other
speech is said in quiet. Further folders hold recordings of people in which no command is said.
"""

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import yaml

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.bench.engines import asr_engine
from irene_wyoming.bench.mixing import Condition, active_level, floats, mixed, rms
from irene_wyoming.bench.people import Spoken, folder_of
from irene_wyoming.cli.bench.people import noise_of, read
from irene_wyoming.engines.base import AsrEngine, AsrRequest, Transcription
from tests.engines.asr import sentences

VOICES = {
    "flite": ("slt", "rms", "kal16", "awb"),
    "espeak-ng": ("en-us", "en-gb", "en-us+f3", "en-us+m3"),
}
STRETCHES = (1.0, 0.9, 1.0, 1.15)
WORDS_PER_MINUTE = 175
"""Words per minute of espeak-ng at its usual pace."""

SNR_DB = (None, 20.0, 10.0)
PUSH_BYTES = 2_048


@dataclass(frozen=True)
class Said:
    """A sentence and the voice that says it."""

    text: str
    kind: str
    program: str
    voice: str
    stretch: float

    @property
    def command(self) -> bool:
        return self.kind == "command"


def texts(tuning: bool) -> list[tuple[str, str]]:
    part = "TUNING" if tuning else "HELD_OUT"
    kinds = {"COMMANDS": "command", "SPEECH": "ordinary", "NEAR_MISSES": "near miss", "WAKE_WORDS": "wake word"}
    return [(text, kind) for name, kind in kinds.items() for text in getattr(sentences, f"{part}_{name}")]


def said_by_voices(tuning: bool, limit: int) -> Iterator[Said]:
    """Give each sentence once per program, its voices in turn."""
    chosen = texts(tuning)
    Random(7).shuffle(chosen)
    for program, voices in VOICES.items():
        for place, (text, kind) in enumerate(chosen[: limit or None]):
            stretch = STRETCHES[(place + place // len(voices)) % len(STRETCHES)]
            yield Said(text, kind, program, voices[place % len(voices)], stretch)


def spoken(said: Said, folder: Path) -> Spoken:
    """The recording of a sentence, made where the folder lacks it."""
    file = folder / f"{said.program}-{said.voice}-{said.stretch}-{said.text.replace(' ', '_')}.wav"
    if not file.exists():
        stretch, pace = f"duration_stretch={said.stretch}", f"{WORDS_PER_MINUTE / said.stretch:.0f}"
        commands = {
            "flite": ["flite", "-voice", said.voice, "--setf", stretch, "-t", said.text, "-o", str(file)],
            "espeak-ng": ["espeak-ng", "-v", said.voice, "-s", pace, "-w", str(file), said.text],
        }
        subprocess.run(commands[said.program], check=True, stdout=subprocess.DEVNULL)
    return Spoken(file.stem, read(file), said.text if said.command else "")


def over_all(pcm: bytes, snr_db: float) -> float:
    """The SNR over the active speech level that equals ``snr_db`` over the recording's mean power."""
    samples = floats(pcm)
    return float(snr_db + 20 * np.log10(active_level(samples) / rms(samples)))


def hear(engine: AsrEngine, pcm: bytes) -> Transcription:
    with closing(engine.session(AsrRequest())) as session:
        for start in range(0, len(pcm), PUSH_BYTES):
            session.push(pcm[start : start + PUSH_BYTES])
        return session.finish()


def taken(heard: Transcription) -> bool:
    """Whether a transcription counts as a command; an engine that does not tell knows nothing else."""
    return bool(heard.text) and heard.kind in ("command", None)


class Tally:
    """Counts by group, printed as shares."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}

    def add(self, group: str, **found: bool) -> None:
        counts = self._counts.setdefault(group, Counter())
        counts["all"] += 1
        counts.update(name for name, true in found.items() if true)

    def lines(self, *names: str) -> Iterator[str]:
        yield f"{'':36} {'all':>5} " + " ".join(f"{name:>14}" for name in names)
        for group, counts in self._counts.items():
            cells = (f"{counts[name]:5} {counts[name] / counts['all']:8.1%}" for name in names)
            yield f"{group:36} {counts['all']:5} " + " ".join(cells)


def evaluate(engine: AsrEngine, given: Sequence[Said], folder: Path, args: argparse.Namespace) -> None:
    noises = [noise_of(name) for name in args.noise or ("white", "pink")]
    commands, others = Tally(), Tally()
    for place, said in enumerate(given):
        sound, noise = spoken(said, folder), noises[place % len(noises)]
        for snr_db in SNR_DB if said.command else SNR_DB[:1]:
            condition = Condition() if snr_db is None else Condition(noise, over_all(sound.pcm, snr_db))
            heard = hear(engine, mixed(sound.pcm, condition, sound.name))
            if not said.command:
                others.add(f"{said.kind}, {said.program}", rejected=not taken(heard))
                continue
            mistakes = sound.mistakes(heard.text)
            found = {"right": not mistakes, "wrong": bool(mistakes) and taken(heard)}
            level = "quiet" if snr_db is None else f"{snr_db:g} dB"
            commands.add(f"{said.program}, {level}", **found, flipped=found["wrong"] and "on/off" in mistakes)
            if mistakes and args.show:
                print(f"  {said}, {level}: {heard.text!r}, {heard.kind}, {heard.confidence}")
    for path in args.other:
        for one in folder_of(path, read, other=True, half=args.half).spoken:
            others.add(path.name, rejected=not taken(hear(engine, mixed(one.pcm, Condition(), one.name))))
    print("\n".join((*commands.lines("right", "wrong", "flipped"), "", *others.lines("rejected"))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", help="name of a speech-to-text engine, such as guided")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=YAML", help="an option instead of its default"
    )
    parser.add_argument("--tuning", action="store_true", help="take the tuning sentences")
    parser.add_argument("--noise", action="append", metavar="FILE.wav|white|pink", help="default: white and pink")
    parser.add_argument("--other", type=Path, action="append", default=[], metavar="FOLDER", help="people, no commands")
    parser.add_argument("--half", choices=["even", "odd"], help="of those folders, only files with such a number")
    parser.add_argument("--limit", type=int, default=0, help="so many sentences (none: all)")
    parser.add_argument("--show", action="store_true", help="print each mistake")
    parser.add_argument("--speech", type=Path, help="folder that keeps the synthesised speech for the next time")
    args = parser.parse_args()
    options = {key: yaml.safe_load(value) for key, _, value in (text.partition("=") for text in args.set)}
    print(f"{args.engine} {options or ''}, {SPEECH.rate} Hz, Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory() as temporary, closing(asr_engine(args.engine, **options)) as engine:
        evaluate(engine, list(said_by_voices(args.tuning, args.limit)), args.speech or Path(temporary), args)


if __name__ == "__main__":
    main()
