"""Pace: when the audio is due that a client has not sent yet."""

DRIFT = 0.001
"""A client's clock may be off, or its audio come later from now on: that is followed by a millisecond a second."""

LOOK_EVERY, LOOK_S = 12, 0.004
"""Who looks only when audio is due sees it late, never early. Every so often he is to be there so long before, and
to wait for it."""

EARLY_S = 0.005
"""Audio that comes so much sooner than it could have been spoken was not: more of it may be here at once."""


class Pace:
    """Follows one stream. Audio may come late but never early, so its earliest arrivals show where it stands."""

    def __init__(self) -> None:
        self._start: float | None = None  # when second 0 of the audio was due, s of the clock; None: nothing has come
        self._seconds = 0.0  # of audio that have come
        self._ahead = False  # the last came sooner than it was due
        self._asked = 0  # times

    def arrived(self, seconds: float, now: float) -> None:
        """So much audio has come by ``now`` (s of any clock)."""
        self._seconds += seconds
        start = now - self._seconds
        expected = start if self._start is None else self._start
        self._ahead = start < expected - EARLY_S
        self._start = min(start, expected + DRIFT * seconds)

    def due(self, seconds: float, now: float) -> float:
        """Seconds from ``now`` until so much more audio has come, sometimes less; 0 or less: it should be here, or may
        be.
        """
        if self._start is None or self._ahead:
            return 0.0
        self._asked += 1
        early = 0.0 if self._asked % LOOK_EVERY else LOOK_S
        return self._start + self._seconds + seconds - now - early
