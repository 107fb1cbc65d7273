"""Times: where in a client's own time something was heard."""

from collections import deque
from collections.abc import Sequence

from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.engines.wake.live import ROOM_BYTES
from irene_wyoming.servers.intake import Intake

REMEMBERED_S = 2 * SPEECH.seconds(ROOM_BYTES)
"""Of a stream, for how long the timestamps of its chunks are kept: twice what may wait for the engine, since what has
been given last, and what a closed gate looks at together, come on top of it."""

FINEST = SPEECH.rate // 100
"""Frames, 10 ms. Of shorter chunks not every timestamp is kept: a client could send one with every frame."""


class Times:
    """Which timestamp of the client belongs to a frame of what its session hears."""

    def __init__(self) -> None:
        self.frames = 0
        """So far."""
        self._chunks: deque[tuple[int, int]] = deque()  # the frame at which each ends, and its timestamp, ms
        self._last = 0  # the frame at which the last of them begins

    def __len__(self) -> int:
        """Timestamps that are kept."""
        return len(self._chunks)

    def add(self, frames: int, chunks: Sequence[tuple[float, int]]) -> None:
        """So many frames more come from these chunks: up to which share of them each lasts, and its timestamp.

        :param chunks: empty: the frames come from the last chunk before.
        """
        for share, timestamp in chunks:
            end = self.frames + round(share * frames)
            if self._chunks and end < self._last + FINEST:
                self._chunks[-1] = end, self._chunks[-1][1]
            else:
                self._last = self._chunks[-1][0] if self._chunks else self.frames
                self._chunks.append((end, timestamp))
        self.frames += frames
        while self._chunks and self._chunks[0][0] < self.frames - REMEMBERED_S * SPEECH.rate:
            self._chunks.popleft()

    def at(self, frame: int) -> int:
        """The timestamp of the chunk with this frame, counted from 1; of the last one where there is none, 0 where
        there is not even that.
        """
        last = self._chunks[-1][1] if self._chunks else 0
        return next((timestamp for end, timestamp in self._chunks if end >= frame), last)


def stamped(chunks: Sequence[tuple[int, int | None]], form: AudioFormat, intake: Intake) -> Sequence[tuple[float, int]]:
    """Of the chunks that ``intake`` gets next: up to which share of them each lasts, and its timestamp, ms; where the
    client sent none, its place in the stream.
    """
    size = chunks[-1][0] or 1
    starts = (0, *(end for end, _ in chunks))
    return [
        (end / size, intake.place_ms(form.frames(start), form) if timestamp is None else timestamp)
        for start, (end, timestamp) in zip(starts, chunks, strict=False)  # the last end starts nothing
    ]
