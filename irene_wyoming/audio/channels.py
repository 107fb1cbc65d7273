"""From several channels to one: their mean, one of them, or the one in which somebody speaks loudest."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.audio.format import FIRST, LOUDEST, MEAN, AudioFormat, Mix
from irene_wyoming.audio.pcm import Frames, remix
from irene_wyoming.errors import UnsupportedFormat

BLOCK_S = 0.02
"""Seconds of audio in a block: how often a channel is chosen, and how long a fade between two takes."""

SMOOTH = 0.1
"""Weight of a new block in a channel's level, which follows within 0.2 s and does not jump from syllable to syllable.
"""

FLOOR_RISE = 1.005
"""Factor by which a channel's noise floor rises per block: 1 dB a second. It falls at once."""

LOUDER = 2.0
"""A channel replaces the present one when its speech has this many times the power: 3 dB."""

ABOVE_NOISE = 2.0
"""Least power of a chosen channel over its own noise, so that a silent room changes nothing."""


class Mixer(Protocol):
    """Turns a stream of frames ``(frames, channels)`` into as many frames ``(frames, 1)`` of one channel.

    The output, joined, does not depend on how the input was cut.
    """

    def push(self, frames: Frames) -> Frames: ...

    def reset(self) -> None:
        """Start a new stream."""


def mixer(mix: Mix, source: AudioFormat) -> Mixer:
    """Make the mixer that turns audio of this format into one channel.

    :raises UnsupportedFormat: the audio has no channel of that index.
    """
    if mix == MEAN or source.channels == 1:
        return MeanMixer()
    if mix == LOUDEST:
        return LoudestMixer(source.rate, source.channels)
    index = 0 if mix == FIRST else int(mix)
    if not 0 <= index < source.channels:
        raise UnsupportedFormat(f"mix {mix!r}: {source} has the channels 0 to {source.channels - 1}")
    return OneChannel(index)


class MeanMixer:
    """Gives the mean of all channels, which cannot clip."""

    def push(self, frames: Frames) -> Frames:
        return remix(frames, 1)

    def reset(self) -> None:
        """Start a new stream. The mean keeps no state."""


class OneChannel:
    """Picks one channel by its index, from 0."""

    def __init__(self, index: int) -> None:
        self._index = index

    def push(self, frames: Frames) -> Frames:
        return frames[:, self._index : self._index + 1]

    def reset(self) -> None:
        """Start a new stream. A fixed channel needs no state."""


class LoudestMixer:
    """Picks the channel whose sound stands out most from its own noise, beginning with the first.

    Hum, hiss and a constant offset are part of a channel's noise floor, so a dead channel that hums does not win. The
    choice for a block rests on the blocks before it: nothing is held back. A change is a fade, which does not click.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._block = max(1, round(rate * BLOCK_S))
        self._fade_in = (np.arange(1, self._block + 1) / self._block)[:, None]
        self._held = np.zeros((self._block, channels))  # the part of the present block that has arrived
        self.reset()

    def reset(self) -> None:
        self._filled = 0
        self._level: NDArray[np.float64] | None = None  # (channels,) mean squares, smoothed; None before any block
        self._floor = np.zeros(self._held.shape[1])
        self.chosen = self._before = 0  # channel of this block, and of the one before it

    def push(self, frames: Frames) -> Frames:
        parts = []
        start = 0
        while start < len(frames):
            part = frames[start : start + self._block - self._filled]
            parts.append(self._chosen_of(part))
            self._held[self._filled : self._filled + len(part)] = part
            self._filled += len(part)
            start += len(part)
            if self._filled == self._block:
                self._choose()
                self._filled = 0
        return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else frames[:, :1]

    def _chosen_of(self, part: Frames) -> Frames:
        new = part[:, self.chosen : self.chosen + 1]
        if self.chosen == self._before:
            return new
        weight = self._fade_in[self._filled : self._filled + len(part)]
        faded: Frames = part[:, self._before : self._before + 1] * (1 - weight) + new * weight
        return faded

    def _choose(self) -> None:
        power = self._held.var(axis=0)
        if self._level is None:
            self._level, self._floor = power, power
        self._level = self._level + SMOOTH * (power - self._level)
        self._floor = np.minimum(self._level, self._floor * FLOOR_RISE)
        speech = self._level - self._floor
        best = int(speech.argmax())
        self._before = self.chosen
        if speech[best] > LOUDER * speech[self.chosen] and self._level[best] > ABOVE_NOISE * self._floor[best]:
            self.chosen = best
