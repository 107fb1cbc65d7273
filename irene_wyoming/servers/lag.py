"""Sender: tells live clients from senders of recordings, whose waiting audio is not dropped."""

FAST_SHARE = 0.8
"""Share of the longest lag by which a sender of a recording is ahead of time. A satellite that sends audio kept before
it connected is one or two seconds ahead.
"""


class Sender:
    """Follows one stream. Pure: the time is an argument."""

    def __init__(self, max_lag_s: float) -> None:
        self.live = True
        """Whether the client is live. False: audio comes faster than speech, waits as long as it must, and is never
        dropped.
        """
        self._most_s = FAST_SHARE * max_lag_s
        self._began: float | None = None  # time of the first arrival; None: nothing has come
        self._seconds = 0.0

    def arrived(self, seconds: float, now: float) -> None:
        """Count seconds of audio that have come by ``now``, s of any clock."""
        if self._began is None:
            self._began = now
        self._seconds += seconds
        if self._seconds - (now - self._began) > self._most_s:
            self.live = False
