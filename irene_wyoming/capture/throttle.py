"""Throttle: keeps a program that makes audio faster than anybody speaks at the pace of speech."""

SURPLUS = 1.01
"""Pace that is never held up, as a share of speech's. Sound cards are up to 0.02 % fast."""

BURST_S = 5.0
"""So much may come at once, after a pause of the program or of this machine: it is what was said meanwhile."""


class Throttle:
    """Follows one stream. Pure: the clock's time is given."""

    def __init__(self) -> None:
        self._ahead_s = -BURST_S  # of what may have come by now
        self._seen: float | None = None  # None: nothing has come

    def arrived(self, seconds: float, now: float) -> float:
        """So much audio has come by ``now``, s of any clock. Gives for how long it is to wait, s; mostly 0."""
        passed = 0.0 if self._seen is None else now - self._seen
        self._seen = now
        self._ahead_s = max(-BURST_S, self._ahead_s - passed * SURPLUS) + seconds
        return max(0.0, self._ahead_s)
