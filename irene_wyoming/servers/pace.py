"""The pace of reading: a socket is read when what a client is about to send can matter, many events at a time.

A wake-up of the event loop costs as much as ten chunks, and a wake word is looked for every 80 to 150 ms only.
"""

import asyncio
import math
import time
from collections.abc import Callable

from wyoming.event import Event

from irene_wyoming.servers.role import Role
from irene_wyoming.wire.audio import audio_format, chunks, is_audio
from irene_wyoming.wire.connection import Connection

DRIFT = 0.001
"""A client's clock may be off, or its audio come later from now on: that is followed by a millisecond a second."""

OVERDUE_S = 0.05
"""Audio that was counted on and is so late may not come: the client may have sent a question, or less audio."""

LOOK_EVERY, LOOK_S = 12, 0.004
"""Who looks only when audio is due sees it late, never early. Every so often he is to be there so long before, and
to wait for it."""

EARLY_S = 0.005
"""Audio that comes so much sooner than it could have been spoken was not: more of it may be here at once."""

PUNCTUAL_S = 0.001
"""Audio that was due a moment ago is here: to look for it once more would cost more than this wait."""

LEAST_REST_S = 0.006
"""A shorter rest is not worth setting a timer for it. It is more than ``LOOK_S``: who comes early waits."""

TURN_S = 0.002
"""For so long a client that has sent much at once keeps the event loop; then others have their turn."""

AMID_AUDIO = frozenset({"audio-chunk", "describe", "ping"})
"""Events that leave a stream as it is; every other one may begin a new one."""


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


class PacedReader:
    """Reads the events of one conversation, at the pace at which its role has a use for them.

    On TCP the kernel wakes us at the byte that matters. Elsewhere a clock tells when it is due.
    """

    def __init__(self, connection: Connection, role: Role, clock: Callable[[], float] = time.monotonic) -> None:
        """:param clock: seconds, never going back."""
        self._connection = connection
        self._role = role
        self._clock = clock
        self._pace = Pace()
        self._chunk_s = 0.0  # of audio in one chunk, the newest; 0: none has come
        self._chunk_bytes = 0.0  # that such a chunk takes on the way
        self._before = 0  # bytes of all events before it
        self._turn = clock() + TURN_S  # until when this client may keep the loop

    async def read(self, idle_timeout_s: float | None) -> Event | None:
        """The next event, as ``Connection.read`` gives it; audio that came together as one where the role takes that.

        :raises ProtocolError: as ``Connection.read``.
        :raises UnsupportedFormat: of audio.
        """
        await self._pause()
        event = await self._connection.read(idle_timeout_s, runs=self._role.takes_runs)
        if event is not None and self._role.takes_runs:
            self._follow(event)
        return event

    async def _pause(self) -> None:
        """Leave the socket alone until more can matter; leave the loop to others where this client has had its turn."""
        if not self._connection.buffered:
            if self._connection.counts_bytes:
                self._count(self._role.missing_s)
            elif (missing_s := self._role.missing_s) > 0:
                quiet_s = self._pace.due(missing_s, self._clock()) + PUNCTUAL_S
                if quiet_s >= LEAST_REST_S:
                    await self._connection.rest(quiet_s)
            self._turn = self._clock() + TURN_S
            return
        self._connection.hurry()
        if self._clock() > self._turn:  # reading what is here already does not yield
            await asyncio.sleep(0)
            self._turn = self._clock() + TURN_S

    def _count(self, missing_s: float) -> None:
        """Have the next read wait for the chunk that brings what is missing: for half of its bytes, since chunks come
        whole and their headers differ by a digit.
        """
        chunks_missing = math.ceil(missing_s / self._chunk_s - 0.01) if self._chunk_s else 0
        if chunks_missing > 1:
            self._connection.expect(int((chunks_missing - 0.5) * self._chunk_bytes), missing_s + OVERDUE_S)
        else:
            self._connection.hurry()

    def _follow(self, event: Event) -> None:
        before, self._before = self._before, self._connection.taken_bytes
        if is_audio(event.type):
            form, parts, now = audio_format(event.data), chunks(event), self._clock()
            first, size = parts[0][0], parts[-1][0]
            self._chunk_s, self._chunk_bytes = form.seconds(first), (self._before - before) / len(parts)
            self._pace.arrived(form.seconds(first), now)
            if first < size:  # the rest came at the same time, so sooner than it was spoken
                self._pace.arrived(form.seconds(size - first), now)
        elif event.type not in AMID_AUDIO:
            self._pace = Pace()
            self._chunk_s = 0.0
