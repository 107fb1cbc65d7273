"""Recorded speech that comes with the program."""

import wave
from importlib.resources import files

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.wire.hear import Recording

WORD, COMMAND, QUESTION = "okay_nabu", "turn on the kitchen light", "how tall is the highest mountain"
"""The packaged recordings: a wake word, a command, and a question that is no command; 16 kHz 16 bit mono."""


def packaged(spoken: str) -> Recording:
    """Load one of the three packaged recordings."""
    with (
        files("irene_wyoming").joinpath("demo", f"{spoken.replace(' ', '_')}.wav").open("rb") as file,
        wave.open(file, "rb") as wav,
    ):
        form = AudioFormat(wav.getframerate(), wav.getsampwidth(), wav.getnchannels())
        return Recording(form, wav.readframes(wav.getnframes()))
