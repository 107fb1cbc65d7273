"""Wav files of integer PCM, as bytes."""

import io
import wave

from irene_wyoming.audio.format import AudioFormat


def wav(pcm: bytes, form: AudioFormat) -> bytes:
    """A wav file with this audio."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((form.channels, form.width, form.rate, 0, "NONE", ""))
        writer.writeframes(pcm)
    return file.getvalue()
