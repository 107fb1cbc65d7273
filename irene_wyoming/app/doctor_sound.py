"""The doctor's examination of a recording: its length, rate, level and noise. Pure."""

from collections.abc import Iterator

import numpy as np

from irene_wyoming.app.links import Link, broken, doubtful, good
from irene_wyoming.audio.convert import converted
from irene_wyoming.audio.format import SPEECH
from irene_wyoming.audio.meter import SILENCE_DBFS, Meter
from irene_wyoming.wire.hear import Recording

LEAST_S = 0.3
"""Least seconds of audio that can hold a word."""

RATE_TOLERANCE = 0.02
"""Largest error of the rate, as a share. Clocks are within a thousandth; 44.1 and 48 kHz differ by 0.08."""

LATE_S = 0.15
"""Most seconds by which the first or last audio comes late over a network or on a busy machine."""

SOFT_DBFS = -50.0
"""Level, dBFS, below which speech drowns in the noise of most microphones."""

LITTLE_SNR_DB = 6.0
"""SNR, dB, below which engines lose words."""

CLIPPED_SHARE = 0.001
"""Share of samples at full scale from which people hear clipping."""

WINDOW_S = 0.5

GAP_S = 0.01
"""Seconds of zeros in a row that are lost audio, since microphones have noise. A noise gate may make some."""

MANY_GAPS = 3


def of_sound(recording: Recording, took_s: float | None) -> Iterator[Link]:
    """:param took_s: seconds that the audio took to arrive; None: it was not live."""
    if recording.seconds < LEAST_S:
        yield broken(
            "audio", "no audio came", "check that the microphone or satellite is on, connected and allowed to record"
        )
        return
    speech = np.frombuffer(converted(recording.pcm, recording.format, SPEECH, live=True), "<i2")
    if not speech.any():
        cure = "unmute the microphone: its switch, the satellite's button, or the input in the system's sound settings"
        yield broken("audio", f"digital silence for {recording.seconds:.1f} s: the microphone is muted", cure)
        return
    if speech.min() == speech.max():
        cure = "unplug it and plug it in again, or choose another input: `irene-wyoming devices` lists them"
        yield broken(
            "audio", f"every sample is {speech[0]}: the microphone is broken, or not the one that is meant", cure
        )
        return
    yield of_rate(recording, took_s)
    gaps = gaps_in(recording)
    if gaps >= MANY_GAPS:
        cure = "another USB port or a better Wi-Fi link; on a busy machine, see mic.source.realtime_priority"
        yield doubtful("gaps", f"the sound breaks off {gaps} times in {recording.seconds:.1f} s", cure)
    yield from of_level(speech)


def gaps_in(recording: Recording) -> int:
    """The number of gaps: runs of zeros with sound directly before and behind."""
    silent = np.frombuffer(recording.pcm, np.uint8).reshape(-1, recording.format.frame_bytes).max(axis=1) == 0
    if recording.format.width == 1:
        return 0  # in 8 bit, zero is no silence
    edges = np.flatnonzero(np.diff(np.concatenate([[False], silent, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    inner = (starts > 0) & (ends < len(silent))
    return int(np.count_nonzero((ends - starts)[inner] >= GAP_S * recording.format.rate))


def of_rate(recording: Recording, took_s: float | None) -> Link:
    """Examine whether as many samples came as the rate promises."""
    form = recording.format
    if took_s is None or took_s <= 0:
        return good("audio rate", f"{form}")
    real = round(form.frames(len(recording.pcm)) / took_s)
    if abs(real / form.rate - 1) <= RATE_TOLERANCE + LATE_S / took_s:
        return good("audio rate", f"{form}")
    cure = f"set the source's real rate, which is about {nearest_rate(real)} Hz, where it says {form.rate}"
    return broken("audio rate", f"{real} samples a second came, and {form.rate} were promised", cure)


def nearest_rate(rate: int) -> int:
    """The usual rate nearest to this one."""
    return min((8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000), key=lambda usual: abs(usual - rate))


def of_level(speech: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> Iterator[Link]:
    """:param speech: samples ``(frames,)`` at 16 kHz, mono."""
    meter = Meter(SPEECH.rate, WINDOW_S)
    step = round(WINDOW_S * SPEECH.rate)
    level, snr = SILENCE_DBFS, 0.0
    for start in range(0, len(speech), step):
        meter.push(speech[start : start + step])
        if meter.level_dbfs > level:
            level, snr = meter.level_dbfs, meter.snr_db
    said = f"speech at {level:.0f} dBFS, {snr:.0f} dB above the noise"
    if level < SOFT_DBFS:
        yield broken("level", f"{said}: too soft", "turn the microphone's gain up, or speak closer to it")
    elif meter.clipped > CLIPPED_SHARE * len(speech):
        yield doubtful("level", f"{said}: it clips", "turn the microphone's gain down")
    elif snr < LITTLE_SNR_DB:
        yield doubtful(
            "level", f"{said}: hardly louder than the room", "move the microphone away from what makes noise"
        )
    else:
        yield good("level", said)
