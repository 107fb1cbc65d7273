"""A satellite: sound comes in, the text of each command goes out.

    arecord -q -t raw -r 16000 -f S16_LE -c 1 | python satellite.py tcp://127.0.0.1:10700

It needs the package ``wyoming`` only. It reads 16 kHz 16 bit mono from its standard input. The server listens for the
wake word. After the word, what is said goes to speech-to-text until the server finds the end of the command, which it
looks for where ``asr.endpointing.enabled`` is true, or for 5 seconds.
"""

import asyncio
import sys
from collections.abc import AsyncIterator

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.wake import Detect, Detection

FORMAT = {"rate": 16_000, "width": 2, "channels": 1}
CHUNK_BYTES = 1_280  # 40 ms
LONGEST_S = 5.0  # for one command


async def microphone() -> AsyncIterator[bytes]:
    """Pieces of standard input as they come."""
    while pcm := await asyncio.to_thread(sys.stdin.buffer.read, CHUNK_BYTES):
        yield pcm


async def until(kind: str, uri: str, ask: Event, sound: AsyncIterator[bytes], longest_s: float) -> Event | None:
    """Send sound to a server until it answers with an event of that kind. None: the sound, or the time, is over."""
    async with AsyncClient.from_uri(uri) as server:
        await server.write_event(ask)
        await server.write_event(AudioStart(**FORMAT).event())
        answer = asyncio.create_task(answered(kind, server))
        sent_s = 0.0
        while not answer.done() and sent_s < longest_s and (pcm := await anext(sound, None)):
            await server.write_event(AudioChunk(**FORMAT, audio=pcm).event())
            sent_s += CHUNK_BYTES / 32_000
        await server.write_event(AudioStop().event())
        return await asyncio.wait_for(answer, 30)


async def answered(kind: str, server: AsyncClient) -> Event | None:
    while (event := await server.read_event()) is not None and event.type not in (kind, "not-detected"):
        pass
    return event if event is not None and event.type == kind else None


async def main(uri: str) -> None:
    sound = microphone()
    while word := await until("detection", uri, Detect().event(), sound, float("inf")):
        print(f"heard {Detection.from_event(word).name}", flush=True)
        command = await until("transcript", uri, Transcribe().event(), sound, LONGEST_S)
        print(Transcript.from_event(command).text if command else "nothing was understood", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
