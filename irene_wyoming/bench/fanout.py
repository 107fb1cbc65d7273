"""Measures the cost of one more reader of a converted stream."""

from collections.abc import Callable, Sequence

import numpy as np

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import SPEECH, AudioFormat, Quality
from irene_wyoming.bench.rows import Timing
from irene_wyoming.bench.timing import interleaved
from irene_wyoming.stream.shared import SharedStream

SOURCE = AudioFormat(48_000, 2, 1)
CHUNK_FRAMES = 960
CAPACITY = 4
"""Chunks in a reader's queue. It is full, as nobody reads here, so each offered chunk costs the most."""


def shared(readers: Sequence[int], rounds: int) -> dict[int, Timing]:
    """Measure the CPU of publishing 20 ms chunks at 48 kHz to readers of one view, without their own reading."""
    timings = interleaved({str(count): publishing(count) for count in readers}, rounds, in_a_row=20)
    return {count: timings[str(count)] for count in readers}


def publishing(readers: int) -> Callable[[], None]:
    stream = SharedStream()
    subscriptions = [stream.view(SPEECH, Quality.HIGH, capacity=CAPACITY) for _ in range(readers)]
    pcm = (np.random.default_rng(1).normal(size=CHUNK_FRAMES) * 2_000).astype("<i2").tobytes()
    start = 0

    def publish() -> None:
        nonlocal start
        stream.publish(AudioChunk(SOURCE, pcm, start, start * 1_000 // SOURCE.rate))
        start += CHUNK_FRAMES
        assert subscriptions[-1].queued

    return publish
