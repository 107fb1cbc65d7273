"""Stops a server within conversations: when does its client get an error, and when does it serve again?"""

import asyncio
import os
import signal
import time
from dataclasses import dataclass, field

from wyoming.audio import AudioStart
from wyoming.ping import Ping
from wyoming.wake import Detect

from irene_wyoming.errors import ProtocolError
from irene_wyoming.wire.client import connect, expect
from tests.attack.process import Program, answers, running

PATIENCE_S = 60.0


@dataclass
class Outcome:
    told_s: list[float] = field(default_factory=list)
    """Seconds from SIGSTOP until a client of the front gets an error."""
    back_s: list[float] = field(default_factory=list)
    """Seconds from SIGSTOP until the server answers again."""
    killed_s: list[float] = field(default_factory=list)
    """Seconds from SIGKILL until the server answers again."""


async def hang(rounds: int) -> Outcome:
    outcome = Outcome()
    async with running(ASR__ENABLED="false") as program:
        for _ in range(rounds):
            await stand_still(program, outcome)
            began, killed = time.monotonic(), program.pids()["wake"]
            os.kill(killed, signal.SIGKILL)
            while program.pids().get("wake", killed) == killed:  # noqa: ASYNC110  # no event tells of the restart
                await asyncio.sleep(0.01)
            await answers(program.addresses["wake"])
            outcome.killed_s.append(time.monotonic() - began)
    return outcome


async def stand_still(program: Program, outcome: Outcome) -> None:
    async with connect(program.addresses["front"]) as client:
        await client.write(Detect(names=None))
        await client.write(AudioStart(16_000, 2, 1))
        await client.write(Ping())
        await expect(client, PATIENCE_S)  # the server is listening
        began = time.monotonic()
        os.kill(program.pids()["wake"], signal.SIGSTOP)
        try:
            await expect(client, PATIENCE_S)
        except ProtocolError:
            outcome.told_s.append(time.monotonic() - began)
    await answers(program.addresses["wake"])
    outcome.back_s.append(time.monotonic() - began)
