"""Throttle: slows a program that makes audio faster than the pace of speech."""

SURPLUS = 1.01
"""Pace that is never delayed, as a share of the pace of speech. Sound cards are up to 0.02 % fast."""

BURST_S = 5.0
"""Seconds of audio that may arrive at once, as after a pause of the program or of this machine."""


class Throttle:
    """Follows one stream. Pure: the time is an argument."""

    def __init__(self) -> None:
        self._ahead_s = -BURST_S  # seconds of audio ahead of the allowed pace
        self._seen: float | None = None  # time of the last arrival; None: there was none

    def arrived(self, seconds: float, now: float) -> float:
        """Count seconds of audio that arrived at ``now`` (s, any clock); returns the seconds to delay it, mostly 0."""
        passed = 0.0 if self._seen is None else now - self._seen
        self._seen = now
        self._ahead_s = max(-BURST_S, self._ahead_s - passed * SURPLUS) + seconds
        return max(0.0, self._ahead_s)
