"""Times: finds the client's own time of what was heard."""

from collections import deque
from collections.abc import Sequence

from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.engines.wake.live import ROOM_BYTES
from irene_wyoming.servers.intake import Intake

REMEMBERED_S = 2 * SPEECH.seconds(ROOM_BYTES)
"""Seconds of a stream whose timestamps are kept: twice what may wait for the engine. The last given piece, and what a
closed gate gathers, come on top of that.
"""

FINEST = SPEECH.rate // 100
"""Least frames between kept timestamps, 10 ms: a client could send one with every frame."""


class Times:
    """Finds the client's timestamp of a frame that its session hears."""

    def __init__(self) -> None:
        self.frames = 0
        """Number of frames so far."""
        self._chunks: deque[tuple[int, int]] = deque()  # the frame at which each chunk ends, and its timestamp, ms
        self._last = 0  # the frame at which the last chunk begins

    def __len__(self) -> int:
        """The number of kept timestamps."""
        return len(self._chunks)

    def add(self, frames: int, chunks: Sequence[tuple[float, int]]) -> None:
        """Add frames that come from these chunks, given by the share of frames at which each ends, and its timestamp.

        :param chunks: empty: the frames belong to the last chunk before.
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
        """The timestamp of the chunk with this frame, counted from 1; else that of the last chunk, or 0."""
        last = self._chunks[-1][1] if self._chunks else 0
        return next((timestamp for end, timestamp in self._chunks if end >= frame), last)


def stamped(chunks: Sequence[tuple[int, int | None]], form: AudioFormat, intake: Intake) -> Sequence[tuple[float, int]]:
    """For the chunks that ``intake`` gets next: the share of all at which each ends, and its timestamp, ms. A missing
    timestamp is replaced by the place in the stream.
    """
    size = chunks[-1][0] or 1
    starts = (0, *(end for end, _ in chunks))
    return [
        (end / size, intake.place_ms(form.frames(start), form) if timestamp is None else timestamp)
        for start, (end, timestamp) in zip(starts, chunks, strict=False)  # the last end is no start
    ]
