"""Recordings for the tests of the batch API."""

import numpy as np

from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.batch.data import AudioData, coding_name
from irene_wyoming.batch.methods import ConversionMethod


def noise(audio_format: AudioFormat, seconds: float, seed: int = 1) -> bytes:
    """Loud noise, in which any difference between two conversions shows."""
    size = round(audio_format.rate * seconds) * audio_format.frame_bytes
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8).tobytes()


def recording(audio_format: AudioFormat, seconds: float, seed: int = 1) -> AudioData:
    pcm = noise(audio_format, seconds, seed)
    return AudioData(pcm, 12.5, audio_format.rate, audio_format.channels, coding_name(audio_format))


def chunks(whole: AudioData, seconds: float) -> list[AudioData]:
    """A recording as a stream of chunks."""
    form = whole.audio_format
    step = round(form.rate * seconds) * form.frame_bytes
    return [
        AudioData(whole.data[at : at + step], form.seconds(at), form.rate, form.channels, whole.format, {"at": at})
        for at in range(0, len(whole.data), step)
    ]


def at_once(pcm: bytes, source: AudioFormat, target: AudioFormat, method: ConversionMethod) -> bytes:
    """The conversion of the whole recording by the audio core."""
    converter = Converter(source, target, method.quality, live=method.live)
    return converter.push(pcm) + converter.flush()
