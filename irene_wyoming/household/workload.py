"""Clients that keep a server as busy as a household does while something else is measured."""

import asyncio

from irene_wyoming.demo.speech import COMMAND, WORD, packaged
from irene_wyoming.household import satellites
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.hear import transcribe
from irene_wyoming.wire.listen import listening


async def wake(address: Address, clients: int, seconds: float) -> None:
    """Run satellites that stream at the pace of speech, each with a word every few seconds."""
    await satellites.live(address, None, satellites.Track.of(WORD, packaged(WORD).pcm), clients, seconds, chunk_ms=20)


async def asr(address: Address, clients: int, seconds: float) -> None:
    """Run clients that give one command after the other."""
    command = packaged(COMMAND)
    end = asyncio.get_running_loop().time() + seconds

    async def speak() -> None:
        while asyncio.get_running_loop().time() < end:
            await transcribe(address, command, realtime=True)

    await asyncio.gather(*(speak() for _ in range(clients)))


async def mic(address: Address, clients: int, seconds: float) -> None:
    """Run clients that listen to the microphone."""

    async def listen() -> None:
        async with listening(address) as chunks:
            async for _ in chunks:
                pass

    listeners = [asyncio.create_task(listen()) for _ in range(clients)]
    _, waiting = await asyncio.wait(listeners, timeout=seconds)
    for listener in waiting:
        listener.cancel()
    for ended in await asyncio.gather(*listeners, return_exceptions=True):
        if isinstance(ended, Exception):  # a client that was not cancelled lost its server
            raise ended


def play(server: str, address: Address, clients: int, seconds: float) -> None:
    """Keep a server busy for so many seconds. It blocks, so run it in a process of its own."""
    asyncio.run({"wake": wake, "asr": asr, "mic": mic}[server](address, clients, seconds))
