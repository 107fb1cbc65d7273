"""Ends and restarts the program amid its work: how long does it take, and which commands are answered?"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field

from wyoming.client import AsyncClient
from wyoming.wake import Detect

from irene_wyoming.wire.address import Address
from irene_wyoming.wire.hear import HeardText, Recording, transcribe
from tests.attack.process import Program, running
from tests.servers.clients import audio_start, chunks

SATELLITES = 8
SPEAKERS = 4
CHUNK_MS = 40


@dataclass
class Outcome:
    ended_s: list[float] = field(default_factory=list)
    """Seconds from SIGTERM to the end of the process."""
    codes: list[int] = field(default_factory=list)
    """Exit codes of the program."""
    begun: int = 0
    """Number of commands that were being spoken at SIGTERM."""
    transcribed: int = 0
    """Number of these commands whose transcript came and was right."""
    back_s: list[float] = field(default_factory=list)
    """Seconds from a start, right after SIGKILL, until all servers answer."""


async def stop(rounds: int, word: Recording, command: Recording, text: str) -> Outcome:
    outcome = Outcome()
    async with running() as program:
        for _ in range(rounds):
            await terminate(program, word, command, text, outcome)
            await program.start_again()
            await program.ready()
            program.process.kill()
            started = time.monotonic()
            await program.process.wait()
            await program.start_again()
            await program.ready()
            outcome.back_s.append(time.monotonic() - started)
    return outcome


async def terminate(program: Program, word: Recording, command: Recording, text: str, outcome: Outcome) -> None:
    """Stop the program while satellites listen and commands are spoken."""
    wake, asr = program.addresses["wake"], program.addresses["asr"]
    listening = [asyncio.create_task(listen(wake, word)) for _ in range(SATELLITES)]
    speaking = [asyncio.create_task(transcribe(asr, command, realtime=True)) for _ in range(SPEAKERS)]
    await asyncio.sleep(command.seconds / 2)  # at half of each command
    asked = time.monotonic()
    program.process.terminate()
    outcome.codes.append(await program.process.wait())
    outcome.ended_s.append(time.monotonic() - asked)
    outcome.begun += SPEAKERS
    heard = await asyncio.gather(*speaking, return_exceptions=True)
    outcome.transcribed += sum(isinstance(one, HeardText) and one.text == text for one in heard)
    await asyncio.gather(*listening)


async def listen(address: Address, word: Recording) -> None:
    """Say the word again and again at the pace of speech, until the server has gone."""
    with suppress(OSError):
        async with AsyncClient.from_uri(address.uri) as client:
            await client.write_event(Detect().event())
            await client.write_event(audio_start(word).event())
            while True:
                for chunk in chunks(word, CHUNK_MS):
                    await client.write_event(chunk.event())
                    await asyncio.sleep(CHUNK_MS / 1000)
