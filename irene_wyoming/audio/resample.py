"""From one sample rate to another, as a stream with state."""

from typing import Protocol

import numpy as np
import soxr

from irene_wyoming.audio.format import Quality
from irene_wyoming.audio.pcm import Frames


class Resampler(Protocol):
    """A stream in one rate in, the same stream in another rate out.

    Frames are float32 ``(frames, channels)``. What comes out, joined, does not depend on how the input was cut.
    """

    def push(self, frames: Frames) -> Frames:
        """Take any number of frames, also none; give those that are ready, maybe none."""

    def flush(self) -> Frames:
        """End the stream and give what was held back. Next: ``reset()``."""

    def reset(self) -> None:
        """Start a new stream; nothing of the old one is heard in it."""


class SoxrResampler:
    """Band-limited resampling with the SoX resampler library, float32 (its integer mode dithers: cuts would differ).

    Holds back 6 to 37 ms of a 48 kHz stream on its way to 16 kHz. All quality levels use its HQ recipe: the cheaper
    ones hold back as much (MQ) or fold what lies above the new band into speech (LQ, QQ); VHQ holds back up to 76 ms.
    """

    def __init__(self, source_rate: int, target_rate: int, channels: int, quality: Quality) -> None:
        self.quality = quality
        self._channels = channels
        self._stream = soxr.ResampleStream(source_rate, target_rate, channels, dtype="float32", quality="HQ")

    def push(self, frames: Frames) -> Frames:
        return self._feed(frames, last=False)

    def flush(self) -> Frames:
        return self._feed(np.empty((0, self._channels), np.float32), last=True)

    def reset(self) -> None:
        self._stream.clear()

    def _feed(self, frames: Frames, *, last: bool) -> Frames:
        out = self._stream.resample_chunk(frames if self._channels > 1 else frames[:, 0], last=last)
        return out.reshape(-1, self._channels)  # type: ignore[no-any-return]  # soxr is not typed
