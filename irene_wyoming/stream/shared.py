"""SharedStream: one live source in as many formats as its readers want, each converted once."""

from collections import deque
from collections.abc import Callable, Iterator

from irene_wyoming.audio.adaptive import AdaptivePolicy
from irene_wyoming.audio.cache import CacheStats
from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import MEAN, AudioFormat, Mix
from irene_wyoming.stream.fanout import FanOut, Subscription

_Key = tuple[AudioFormat, str | AdaptivePolicy, int]


class SharedStream:
    """Publishes a source's chunks to its readers, converted once per view in use.

    A view is a format, a quality and a chunk size. Readers that ask for the same one share it; it ends with its last
    reader. In each view ``start`` counts on in the view's frames and ``timestamp`` stays on the source's clock: it is
    the time at which the chunk's first frame was captured, whatever the conversion held back.

    Where the source has a gap (its ``start`` does not follow on), changes its format or is interrupted, what was
    captured before is given out, its last chunk filled up with silence. Then the conversion starts anew. The missing
    time is not filled: ``start`` and ``timestamp`` jump over it.

    :param mix: how the source's channels become one in views that have one.
    """

    def __init__(self, mix: Mix = MEAN) -> None:
        self._mix = mix
        self._views: dict[_Key, _View] = {}
        self._closed = False
        self._joined = self._opened = 0  # readers that joined a view in use, and those that opened one

    @property
    def views(self) -> int:
        """Number of conversions in use."""
        return len(self._views)

    @property
    def readers(self) -> int:
        return sum(view.fanout.readers for view in self._views.values())

    def stats(self) -> CacheStats:
        """Hits are readers that joined a view in use, misses those that opened one. No audio is kept."""
        return CacheStats(cache_hits=self._joined, cache_misses=self._opened, cache_size=self.views)

    def view(
        self, audio_format: AudioFormat, quality: str | AdaptivePolicy, *, capacity: int, chunk_frames: int = 0
    ) -> Subscription[AudioChunk]:
        """Read the stream in this format from now on, at most ``capacity`` chunks behind.

        ``chunk_frames``: frames of every chunk; 0 gives them as the conversion makes them.
        """
        key = (audio_format, quality, chunk_frames)
        view = self._views.get(key)
        if view is None:
            view = _View(audio_format, quality, self._mix, chunk_frames, on_empty=lambda: self._forget(key))
        if self._closed:
            view.fanout.close()
        subscription = view.fanout.subscribe(capacity)
        if view.fanout.readers:
            self._joined += key in self._views
            self._opened += key not in self._views
            self._views[key] = view
        return subscription

    def publish(self, chunk: AudioChunk) -> None:
        """Take the source's next chunk, in any format."""
        for view in self._views.values():
            view.publish(chunk)

    def interrupt(self) -> None:
        """Give out what is held back, since the source has stopped for now or for good."""
        for view in self._views.values():
            view.interrupt()

    def close(self) -> None:
        """End every reader's iteration after the chunks that it has queued."""
        if self._closed:
            return
        self.interrupt()
        self._closed = True
        for view in self._views.values():
            view.fanout.close()

    def _forget(self, key: _Key) -> None:
        self._views.pop(key, None)


class _View:
    """One conversion of a shared stream, and its readers."""

    def __init__(
        self,
        audio_format: AudioFormat,
        quality: str | AdaptivePolicy,
        mix: Mix,
        chunk_frames: int,
        on_empty: Callable[[], None],
    ) -> None:
        self.fanout = FanOut[AudioChunk](on_empty)
        self._format = audio_format
        self._quality = quality
        self._mix = mix
        self._chunk_frames = chunk_frames
        self._start = 0  # first frame of the next chunk, counted in the view
        self._end_ms: int | None = None  # capture time of that chunk if nothing is lost, ms; None before the first run
        self._run: _Run | None = None  # None: no chunk since the start or an interruption

    def publish(self, chunk: AudioChunk) -> None:
        if self._run is None or not self._run.continues_with(chunk):
            self.interrupt()
            if self._end_ms is not None:
                self._start += max(0, chunk.timestamp - self._end_ms) * self._format.rate // 1000
            self._run = _Run(chunk, self._format, self._quality, self._mix, self._chunk_frames)
        for pcm, timestamp in self._run.push(chunk):
            self._give(pcm, timestamp)

    def interrupt(self) -> None:
        if self._run is None:
            return
        for pcm, timestamp in self._run.finish():
            self._give(pcm, timestamp)
        self._end_ms = self._run.end_ms
        self._run = None

    def _give(self, pcm: bytes, timestamp: int) -> None:
        self.fanout.publish(AudioChunk(self._format, pcm, self._start, timestamp))
        self._start += self._format.frames(len(pcm))


class _Run:
    """A stretch of the source without a gap, converted and cut into blocks that have a time of capture."""

    def __init__(
        self, first: AudioChunk, target: AudioFormat, quality: str | AdaptivePolicy, mix: Mix, chunk_frames: int
    ) -> None:
        self._source = first.format
        self._target = target
        self._converter = Converter(first.format, target, quality, mix=mix)
        self._block = chunk_frames * target.frame_bytes  # bytes of a block; 0: blocks as the conversion gives them
        self._origin = first.start
        self._expected = first.start
        self._held = bytearray()  # an incomplete block
        self._made = 0  # frames given out
        # Source chunks that are not yet given out in full: (first frame, counted from the origin; its ms).
        self._marks: deque[tuple[int, int]] = deque([(0, first.timestamp)])

    @property
    def end_ms(self) -> int:
        """Time of capture, ms, of the frame after the last one given out."""
        return self._captured(self._made)

    def continues_with(self, chunk: AudioChunk) -> bool:
        return chunk.start == self._expected and chunk.format == self._source

    def push(self, chunk: AudioChunk) -> Iterator[tuple[bytes, int]]:
        """Give the blocks that are now whole, each with its time of capture, ms."""
        if chunk.start > self._origin:
            self._marks.append((chunk.start - self._origin, chunk.timestamp))
        self._expected = chunk.start + chunk.frames
        return self._cut(self._converter.push(chunk.pcm))

    def finish(self) -> Iterator[tuple[bytes, int]]:
        """Give what the conversion held back, with the last block filled up with silence."""
        yield from self._cut(self._converter.flush())
        if self._held:
            silence = b"\x80" if self._target.width == 1 else b"\x00"
            yield self._stamp(bytes(self._held.ljust(self._block, silence)))
            self._held.clear()

    def _cut(self, pcm: bytes) -> Iterator[tuple[bytes, int]]:
        if not pcm:
            return
        if not self._block or (len(pcm) == self._block and not self._held):
            yield self._stamp(pcm)  # shared as it is: no copy
            return
        self._held += pcm
        while len(self._held) >= self._block:
            block = bytes(self._held[: self._block])
            del self._held[: self._block]
            yield self._stamp(block)

    def _stamp(self, pcm: bytes) -> tuple[bytes, int]:
        timestamp = self._captured(self._made)
        self._made += self._target.frames(len(pcm))
        return pcm, timestamp

    def _captured(self, frame: int) -> int:
        """Time of capture of a frame of this run, ms. Ask in rising order of frames.

        A conversion keeps the stream's length and start, so frame ``n`` stands at ``n / rate`` in both formats. It
        counts in whole numbers, since a float would lose the millisecond after some hours.
        """
        position = frame * self._source.rate
        while len(self._marks) > 1 and self._marks[1][0] * self._target.rate <= position:
            self._marks.popleft()
        start, ms = self._marks[0]
        ahead = position - start * self._target.rate
        return ms + ahead * 1000 // (self._source.rate * self._target.rate)
