"""Clients of a fleet: satellites that connect again when they are let go, and people who give commands."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field

from wyoming.audio import AudioChunk
from wyoming.ping import Ping, Pong
from wyoming.wake import Detection

from irene_wyoming.demo.speech import COMMAND, packaged
from irene_wyoming.errors import IreneError
from irene_wyoming.household.satellites import Track, ask
from irene_wyoming.tasks import beside
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import connect, expect
from irene_wyoming.wire.connection import Connection
from irene_wyoming.wire.hear import transcribe

CHUNK_MS = 40
"""Milliseconds per chunk: usual for satellites, and cheap for many of them. A track of whole seconds has whole chunks.
"""

AGAIN_S = 0.1
"""Seconds before a satellite that was refused tries again."""

HELD_UP_S = 0.3
"""Seconds of delay in sending a chunk from which this process, not a server, lacked the processor."""

BETWEEN_S = 0.5
"""Seconds from a person's transcript to their next command."""


@dataclass(frozen=True, slots=True)
class Said:
    """A word or a command that was said. Times are those of time.monotonic()."""

    ended_at: float
    """The time at which it had been spoken."""
    delay_s: float | None
    """Seconds until it was reported; None: it never was, or wrongly."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which no server listened to a satellite, or it sent nothing."""

    began_at: float
    seconds: float


@dataclass(slots=True)
class Satellite:
    """Streams one track again and again at the pace of speech, over one connection after another."""

    address: Address
    track: Track
    start: float
    """The time at which its first chunk begins."""
    gaps: list[Gap] = field(default_factory=list)
    held_up: list[Gap] = field(default_factory=list)
    """Delays of chunks that were sent HELD_UP_S late or more."""
    false: int = 0
    """Detections of something else, or of one word twice."""
    listening: bool = False
    _heard: dict[int, float] = field(default_factory=dict)

    async def run(self) -> None:
        """Stream for ever."""
        lost_at: float | None = None
        while True:
            with suppress(IreneError, OSError):
                async with connect(self.address) as wire:
                    await ask(wire, None, self.track.word)
                    await wire.write(Ping())
                    async with beside(self._note(wire, lost_at), "what a satellite is told") as reader:
                        await self._stream(wire, reader)
            if self.listening:
                lost_at, self.listening = time.monotonic(), False
            else:
                await asyncio.sleep(AGAIN_S)

    async def _stream(self, wire: Connection, reader: "asyncio.Task[None]") -> None:
        chunks = self.track.chunks(CHUNK_MS)
        number = max(0, int((time.monotonic() - self.start) * 1_000 / CHUNK_MS))
        while True:
            number += 1  # a chunk can be sent once its last frame is spoken
            due = self.start + number * CHUNK_MS / 1_000
            await asyncio.wait([reader], timeout=max(0.0, due - time.monotonic()))
            if reader.done():
                return
            if (late_s := time.monotonic() - due) >= HELD_UP_S:
                self.held_up.append(Gap(due, late_s))
            at = number - 1
            await wire.write(AudioChunk(16_000, 2, 1, chunks[at % len(chunks)], timestamp=at * CHUNK_MS))

    async def _note(self, wire: Connection, lost_at: float | None) -> None:
        while True:
            event = await expect(wire)
            if Pong.is_type(event.type):
                self.listening = True
                if lost_at is not None:
                    self.gaps.append(Gap(lost_at, time.monotonic() - lost_at))
            elif Detection.is_type(event.type):
                found = Detection.from_event(event)
                period = int((found.timestamp or 0) / 1_000 / self.track.period_s)
                if found.name == self.track.word and period not in self._heard:
                    self._heard[period] = time.monotonic() - self._end_of(period)
                else:
                    self.false += 1

    def said(self, now: float) -> list[Said]:
        """All words said so far."""
        words: list[Said] = []
        while (end := self._end_of(len(words))) < now:
            words.append(Said(end, self._heard.get(len(words))))
        return words

    def _end_of(self, period: int) -> float:
        return self.start + period * self.track.period_s + self.track.word_end_s


@dataclass(slots=True)
class Speaker:
    """Gives one command after the other."""

    address: Address
    said: list[Said] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Give commands for ever."""
        command = await asyncio.to_thread(packaged, COMMAND)
        while True:
            began = time.monotonic()
            delay_s = None
            try:
                heard = await transcribe(self.address, command, realtime=True)
                if heard.text.casefold().strip(" .") == COMMAND:
                    delay_s = heard.delay_s
                else:
                    self.failures.append(f"understood {heard.text!r}")
            except (IreneError, OSError) as error:
                self.failures.append(str(error))
            self.said.append(Said(began + command.seconds, delay_s))
            await asyncio.sleep(BETWEEN_S)
