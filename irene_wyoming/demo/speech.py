"""Speech that comes with the program."""

import wave
from importlib.resources import files

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.wire.hear import Recording

WORD, COMMAND = "okay_nabu", "turn on the kitchen light"
"""What there is: a wake word and a command, 16 kHz 16 bit mono."""


def packaged(spoken: str) -> Recording:
    """One of the two."""
    with (
        files("irene_wyoming").joinpath("demo", f"{spoken.replace(' ', '_')}.wav").open("rb") as file,
        wave.open(file, "rb") as wav,
    ):
        form = AudioFormat(wav.getframerate(), wav.getsampwidth(), wav.getnchannels())
        return Recording(form, wav.readframes(wav.getnframes()))
