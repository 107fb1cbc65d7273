"""Sender: whether a client speaks live or sends a recording, and so what becomes of audio that waits for too long."""

FAST_SHARE = 0.8
"""Of the longest lag: who is so far ahead of the time that has passed sends a recording. A satellite that sends what it
had kept before it connected has one or two seconds of it."""


class Sender:
    """One stream. Pure: the clock's time is given."""

    def __init__(self, max_lag_s: float) -> None:
        self.live = True
        """False: audio comes faster than it can be spoken. It may wait for as long as it must, and is never dropped."""
        self._most_s = FAST_SHARE * max_lag_s
        self._began: float | None = None  # None: nothing has come
        self._seconds = 0.0

    def arrived(self, seconds: float, now: float) -> None:
        """So much audio has come by ``now``, s of any clock."""
        if self._began is None:
            self._began = now
        self._seconds += seconds
        if self._seconds - (now - self._began) > self._most_s:
            self.live = False
