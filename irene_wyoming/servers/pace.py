"""The pace of reading: a socket is read when its next audio can matter, many events at a time.

A wake-up of the event loop costs as much as ten chunks, and engines look for wake words only every 80 to 150 ms.
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
"""Seconds per second by which a client's clock may drift, or its audio may come later."""

OVERDUE_S = 0.05
"""Seconds of delay after which expected audio may not come: the client may have sent something else."""

LOOK_EVERY, LOOK_S = 12, 0.004
"""Every LOOK_EVERY readings, wait for audio from LOOK_S seconds before it is due. Readings at the due time alone would
never find it early.
"""

EARLY_S = 0.005
"""Least seconds by which audio comes sooner than it can be spoken; then more may be here at once."""

PUNCTUAL_S = 0.001
"""Seconds of lateness within which audio is taken to be here: another look would cost more."""

LEAST_REST_S = 0.006
"""Least seconds of a rest: setting a timer for less is not worthwhile. More than ``LOOK_S``, so an early look waits."""

TURN_S = 0.002
"""Seconds that a client with much audio may keep the event loop before others have their turn."""

AMID_AUDIO = frozenset({"audio-chunk", "describe", "ping"})
"""Events that leave a stream as it is; every other event may begin a new one."""


class Pace:
    """Follows one stream's timing. Audio comes late but never early, so the earliest arrivals show where it stands."""

    def __init__(self) -> None:
        self._start: float | None = None  # clock time at which second 0 of the audio was due; None: nothing has come
        self._seconds = 0.0  # seconds of audio received
        self._ahead = False  # whether the last audio came sooner than due
        self._asked = 0  # number of calls of due()

    def arrived(self, seconds: float, now: float) -> None:
        """Count seconds of audio received by ``now`` (s of any clock)."""
        self._seconds += seconds
        start = now - self._seconds
        expected = start if self._start is None else self._start
        self._ahead = start < expected - EARLY_S
        self._start = min(start, expected + DRIFT * seconds)

    def due(self, seconds: float, now: float) -> float:
        """Seconds from ``now`` until ``seconds`` more of audio are due, sometimes less; 0 or less: they may be here."""
        if self._start is None or self._ahead:
            return 0.0
        self._asked += 1
        early = 0.0 if self._asked % LOOK_EVERY else LOOK_S
        return self._start + self._seconds + seconds - now - early


class PacedReader:
    """Reads the events of one conversation when its role has a use for them.

    On TCP the kernel wakes us at the byte that matters; elsewhere a timer does when it is due.
    """

    def __init__(self, connection: Connection, role: Role, clock: Callable[[], float] = time.monotonic) -> None:
        """:param clock: monotonic seconds."""
        self._connection = connection
        self._role = role
        self._clock = clock
        self._pace = Pace()
        self._chunk_s = 0.0  # seconds of audio in the newest chunk; 0: none has come
        self._chunk_bytes = 0.0  # bytes of such a chunk with its header
        self._before = 0  # bytes of all events before it
        self._flows = False  # the last event was audio
        self._turn = clock() + TURN_S  # until when this client may keep the loop

    async def read(self, idle_timeout_s: float | None) -> Event | None:
        """Read the next event; chunks that came together are one ``AudioRun`` where the role takes that.

        :raises ProtocolError: the peer sent something else than an event, or nothing in time.
        :raises UnsupportedFormat: audio has an invalid format.
        """
        await self._pause()
        event = await self._connection.read(idle_timeout_s, runs=self._role.takes_runs)
        if event is not None and self._role.takes_runs:
            self._follow(event)
        return event

    async def _pause(self) -> None:
        """Leave the socket alone until more can matter; yield where this client has had its turn.

        Behind an event without audio everything matters: audio may have stopped.
        """
        if not self._connection.buffered:
            if not self._flows:
                self._connection.hurry()
            elif self._connection.counts_bytes:
                self._count(self._role.missing_s)
            elif (missing_s := self._role.missing_s) > 0:
                quiet_s = self._pace.due(missing_s, self._clock()) + PUNCTUAL_S
                if quiet_s >= LEAST_REST_S:
                    await self._connection.rest(quiet_s)
            self._turn = self._clock() + TURN_S
            return
        self._connection.hurry()
        if self._clock() > self._turn:  # reading bytes that are here already does not yield
            await asyncio.sleep(0)
            self._turn = self._clock() + TURN_S

    def _count(self, missing_s: float) -> None:
        """Let the next read wait for half of the chunk that brings the missing audio: headers differ by a digit.

        It does not wait for the rest of a chunk: less than one is here where a question may have come.
        """
        chunks_missing = math.ceil(missing_s / self._chunk_s - 0.01) if self._chunk_s else 0
        if chunks_missing > 1 and not 0 < self._connection.waiting_bytes < self._chunk_bytes / 2:
            self._connection.expect(int((chunks_missing - 0.5) * self._chunk_bytes), missing_s + OVERDUE_S)
        else:
            self._connection.hurry()

    def _follow(self, event: Event) -> None:
        before, self._before = self._before, self._connection.taken_bytes
        self._flows = is_audio(event.type)
        if self._flows:
            form, parts, now = audio_format(event.data), chunks(event), self._clock()
            first, size = parts[0][0], parts[-1][0]
            self._chunk_s, self._chunk_bytes = form.seconds(first), (self._before - before) / len(parts)
            self._pace.arrived(form.seconds(first), now)
            if first < size:  # the rest came at the same time, so earlier than it was due
                self._pace.arrived(form.seconds(size - first), now)
        elif event.type not in AMID_AUDIO:
            self._pace = Pace()
            self._chunk_s = 0.0
