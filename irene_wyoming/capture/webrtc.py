"""NoiseGain: WebRTC's noise suppression and auto gain. No other module knows the webrtc-noise-gain package."""

from collections.abc import Iterator
from typing import Any

from irene_wyoming.audio.adaptive import AdaptivePolicy
from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import SPEECH, Mix
from irene_wyoming.errors import CaptureError
from irene_wyoming.stream.shared import SharedStream

_BLOCK = SPEECH.rate // 100
"""Frames per block: WebRTC works on 10 ms of 16 kHz, 16 bit, mono."""

_CAPACITY = 1000
"""Most blocks in one chunk: 10 s, far more than any source delivers at a time."""


class NoiseGain:
    """A stage that removes steady noise and levels speech. Its output is 16 kHz, 16 bit, mono for any input."""

    format = SPEECH

    def __init__(self, noise_suppression: int, auto_gain_dbfs: int, quality: str | AdaptivePolicy, mix: Mix) -> None:
        """``noise_suppression``: 0 (off) to 4; ``auto_gain_dbfs``: 0 (off) to 31, how far below full scale the level is
        brought; ``quality``, ``mix``: those of the conversion to WebRTC's format.

        :raises CaptureError: the package is not installed; says how to install it.
        """
        try:
            from webrtc_noise_gain import AudioProcessor
        except ImportError as error:
            raise CaptureError(
                "webrtc-noise-gain is not installed: pip install irene-wyoming[webrtc],"
                " or set mic.noise_suppression and mic.auto_gain to 0"
            ) from error
        self._processor: Any = AudioProcessor(auto_gain_dbfs, noise_suppression)
        self._stream = SharedStream(mix)
        self._blocks = self._stream.view(SPEECH, quality, capacity=_CAPACITY, chunk_frames=_BLOCK)

    def push(self, chunk: AudioChunk) -> Iterator[AudioChunk]:
        self._stream.publish(chunk)
        for block in self._blocks.take():
            clean = bytes(self._processor.Process10ms(block.pcm).audio)
            yield AudioChunk(SPEECH, clean, block.start, block.timestamp)
