"""Pauses: finds where a person starts and stops speaking, by level alone, while audio arrives.

Levels are measured in bands, each above its own noise. A voice stands out of white noise in low bands, and out of a
fan's rumble in high ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

FRAME = 160
"""Samples of one frame: 10 ms."""

_WINDOW = 512
"""Samples of a frame's spectrum, 32 ms that end with the frame."""

_BANDS = np.array([150, 400, 700, 1100, 1700, 2600, 4000, 7000]) * _WINDOW // 16_000
"""Borders of the bands, in bins of the spectrum."""

_SMOOTHED = 5
"""Frames averaged to one level: a click is shorter, a syllable longer."""

_CLEAREST = 2
"""Number of bands that count: those that stand out most. A vowel fills two or three."""

_PAUSE = 25
"""Quiet frames that make a pause. The silence before a ``t`` or ``k`` lasts up to about 15."""

_SPEECH_DB = 7.0
"""Least decibels of speech above the noise; steady noise stays within 6 dB of its own floor."""

_RANGE_DB = 40.0
"""Most decibels from the loudest syllable down to silence, against floors of digital silence."""

_QUIET_SHARE = 0.35
"""Place of the border between quiet and loud, as a share of the way from the floor to the loudest syllable."""

_FLOOR_FRAMES = 300
"""Frames (3 s) whose lowest level is the floor, so that it can rise again."""

_STILL = 1
"""Largest samples that count as a sound card's or a client's filling, not as noise of a room."""

_STILL_RANGE_DB = 15.0
"""Most decibels from the loudest syllable down to the noise after such filling, since the first sound may be speech."""

_AFTER_STILL = _SMOOTHED + _WINDOW // FRAME
"""Frames after such filling whose level still holds some of it."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Frames from the first loud one to one after the last."""

    start: int
    end: int


class Pauses:
    """Follows the levels of one utterance. The result does not depend on how the audio was cut."""

    def __init__(self) -> None:
        self.speech: Speech | None = None
        """The speech so far; None while nobody has spoken."""
        self.frames = 0
        """Whole frames heard so far."""
        self._samples = np.zeros(_WINDOW - FRAME, np.int16)  # samples that later frames need
        bands = len(_BANDS) - 1
        self._recent = np.zeros((_SMOOTHED, bands))  # ring of powers
        self._levels = np.full((_FLOOR_FRAMES, bands), np.inf)  # ring of levels, dB
        self._loudest = np.zeros(bands)  # loudest level per band, dB
        self._clearest = 0.0  # largest level above the floor, dB
        self._loud = bytearray()  # for each frame: dB above the noise if it is speech, else 0
        self._sounding = 0  # frames since the last one of filling
        self._filled = False  # whether there was any filling

    @property
    def paused(self) -> bool:
        """Whether somebody has spoken, and has been silent for the length of a pause."""
        return self.speech is not None and self.frames - self.speech.end >= _PAUSE

    def loud(self, start: int, end: int) -> NDArray[np.uint8]:
        """How far each of these frames stands out of the noise, dB; 0: it is no speech."""
        return np.frombuffer(self._loud[start:end], np.uint8)

    def push(self, samples: NDArray[np.int16]) -> None:
        """Take any number of samples at 16 kHz."""
        self._samples = np.concatenate([self._samples, samples])
        whole = (len(self._samples) - _WINDOW) // FRAME + 1
        if whole > 0:
            windows = sliding_window_view(self._samples, _WINDOW)[::FRAME][:whole]
            spectra = np.abs(np.fft.rfft(windows * np.hanning(_WINDOW), axis=1)) ** 2
            sounding = np.abs(windows[:, -FRAME:]).max(axis=1) > _STILL
            powers = np.add.reduceat(spectra[:, : _BANDS[-1]], _BANDS[:-1], axis=1)
            for power, sounds in zip(powers, sounding, strict=True):
                self._sounding = self._sounding + 1 if sounds else 0
                self._filled |= not sounds
                self._step(power)
            self._samples = self._samples[whole * FRAME :]

    def _step(self, power: NDArray[np.float64]) -> None:
        self._recent[self.frames % _SMOOTHED] = power
        self.frames += 1
        self._loud.append(0)
        if self.frames < _SMOOTHED + _WINDOW // FRAME:  # the first windows contain what was before the audio
            return
        level = 10.0 * np.log10(self._recent.mean(axis=0) + 1.0)
        self._levels[self.frames % _FLOOR_FRAMES] = level if self._sounding > _AFTER_STILL else np.inf
        self._loudest = np.maximum(self._loudest, level)
        lowest = self._levels.min(axis=0)
        if self._filled:
            lowest = np.minimum(lowest, self._loudest - _STILL_RANGE_DB)
        floor = np.maximum(lowest, self._loudest - _RANGE_DB)
        clearness = float(np.sort(level - floor)[-_CLEAREST:].mean())
        self._clearest = max(self._clearest, clearness)
        if self._sounding and clearness > max(_SPEECH_DB, _QUIET_SHARE * self._clearest):
            start = self.frames - _SMOOTHED if self.speech is None else self.speech.start
            self.speech = Speech(start, self.frames)
            self._loud[-1] = min(255, int(clearness))
