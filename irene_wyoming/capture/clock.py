"""SampleClock: when the frames of a live stream were captured."""

_DRIFT = 0.0005
"""Most drift of a clock that is followed. Sound cards are within 200 ppm, so twice that never falls behind one."""

_STALL_S = 0.5
"""Seconds of delay from which a stream counts as stopped. Its missing audio is lost, and its clock starts anew."""


class SampleClock:
    """Counts the frames of a stream and tells when each was captured, though blocks arrive late by a varying amount.

    A block may come late but never early, so the earliest arrivals show where the stream stands on the clock. They are
    followed slowly, because a sound card's own clock drifts. Times never go back.
    """

    def __init__(self, rate: int) -> None:
        """:param rate: nominal sample rate, Hz."""
        self.position = 0
        """Index of the next frame to arrive."""
        self._rate = rate
        self._origin: float | None = None  # clock time of frame 0, s; None before the first block
        self._last_ms: int | None = None  # None before the first block

    def arrived(self, frames: int, now: float) -> int:
        """Count ``frames`` captured by ``now`` (s); returns when the first of them was captured, ms."""
        first = self.position
        self.position += frames
        latest = now - self.position / self._rate
        if self._origin is None or latest - self._origin > _STALL_S:
            self._origin = latest
        else:
            self._origin = min(latest, self._origin + _DRIFT * frames / self._rate)
        ms = round((self._origin + first / self._rate) * 1000)
        self._last_ms = ms if self._last_ms is None else max(ms, self._last_ms)
        return self._last_ms

    def lost(self, frames: int, now: float) -> None:
        """Skip as many lost frames as a block of ``frames`` captured by ``now`` (s) is late.

        Call ``arrived`` for that block next.
        """
        if self._origin is not None:
            late = now - (self.position + frames) / self._rate - self._origin
            self.position += max(0, round(late * self._rate))
