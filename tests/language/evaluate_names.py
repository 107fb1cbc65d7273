"""Which names come back as the home writes them, said by two voices of flite through the default engine.

    python -m tests.language.evaluate_names

The home has all names of ``names.ENGLISH`` as switches. "Turn on the ..." is said with each, in the way in which most
people would say it. Then the wordings of ``everyday`` are said: none of them may become a command. Needs flite.
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np

from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines import registry
from irene_wyoming.engines.base import AsrEngine, AsrRequest, EngineContext, Transcription
from irene_wyoming.language.spoken import spoken_forms
from irene_wyoming.language.vocabulary import Name, Vocabulary
from tests.conftest import read_wav
from tests.language.everyday import EVERYDAY
from tests.language.names import ENGLISH

VOICES = ("slt", "rms")
TURN_ON = "turn on the {}"


def main() -> None:
    spec = registry.spec("asr", "guided")
    engine: AsrEngine = spec.create({name: option.default for name, option in spec.options.items()}, EngineContext())
    names = {name: ways[0] for kind in ENGLISH.values() for name, ways in kind.items()}
    home = Vocabulary(tuple(Name(name, "entity", "switch") for name in names))
    right = 0
    for name, way in names.items():
        forms = set(spoken_forms(name))
        others = [other for other in names if forms & set(spoken_forms(other))]
        same = {way.format(other).casefold() for other in others for way in (TURN_ON, "turn on {}")}
        for voice in VOICES:
            heard = hear(engine, TURN_ON.format(way), voice, home)
            right += heard.text.casefold() in same
            if heard.text.casefold() not in same:
                print(f"{name!r} by {voice}: {heard.kind} {heard.text!r}")
    print(f"names: {right} of {len(VOICES) * len(names)} right")
    taken = [
        heard for wording in EVERYDAY for voice in VOICES if (heard := hear(engine, wording, voice)).kind == "command"
    ]
    print(f"everyday wordings: {len(taken)} of {len(VOICES) * len(EVERYDAY)} taken for a command", *taken)


def hear(engine: AsrEngine, text: str, voice: str, home: Vocabulary | None = None) -> Transcription:
    session = engine.session(AsrRequest(vocabulary=home))
    session.push(said(text, voice))
    heard = session.finish()
    session.close()
    return heard


def said(text: str, voice: str) -> bytes:
    """Synthesise a sentence: 16 kHz, 16 bit, mono, with some silence around it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "said.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", file], check=True, capture_output=True)
        recording = read_wav(file)
    converter = Converter(recording.format, SPEECH)
    pcm = converter.push(recording.pcm) + converter.flush()
    return np.pad(np.frombuffer(pcm, "<i2"), (4_800, 8_000)).tobytes()


if __name__ == "__main__":
    main()
