"""The client's side of a microphone: the audio that a server streams."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from wyoming.audio import AudioChunk as AudioEvent
from wyoming.audio import AudioStop
from wyoming.event import Event

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.errors import LimitExceeded, ProtocolError
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.audio import audio_format, timestamp
from irene_wyoming.wire.client import connect, expect
from irene_wyoming.wire.connection import Connection

PATIENCE_S = 15.0
"""Seconds to wait for the next chunk: opening a device may take some, and replugging one takes 3."""

GAP_MS = 10
"""Least jump of timestamps, ms, that counts as lost audio. Rounding and clock drift stay below it."""


@asynccontextmanager
async def listening(address: Address) -> AsyncIterator[AsyncIterator[AudioChunk]]:
    """Iterate over the audio of a microphone server until its stream ends. ``start`` jumps over lost audio.

    :raises ServerUnavailable: nobody answers there.
    :raises ProtocolError: from the iteration, when the server ends the connection, or sends nothing for PATIENCE_S.
    """
    async with connect(address) as connection, aclosing(chunks(connection)) as stream:
        yield stream


async def next_event(connection: Connection) -> Event:
    """Read the next event of a microphone server.

    :raises ProtocolError: it ends the connection, answers with an error, or sends nothing for PATIENCE_S.
    """
    try:
        return await expect(connection, PATIENCE_S)
    except LimitExceeded as error:
        raise ProtocolError(
            f"no audio came for {PATIENCE_S:g} s: on the server's machine, the log and irene-wyoming devices say"
            " whether there is a microphone"
        ) from error


async def chunks(connection: Connection) -> AsyncGenerator[AudioChunk, None]:
    start = 0
    due_ms: float | None = None  # timestamp of the next chunk if nothing is lost before it; None: not known
    while True:
        event = await next_event(connection)
        if AudioStop.is_type(event.type):
            return
        if not AudioEvent.is_type(event.type):
            continue
        form, pcm, stamp = audio_format(event.data), event.payload or b"", timestamp(event.data)
        pcm = pcm[: len(pcm) - len(pcm) % form.frame_bytes]
        if stamp is not None and due_ms is not None and stamp - due_ms > GAP_MS:
            start += round((stamp - due_ms) * form.rate / 1000)
        chunk = AudioChunk(form, pcm, start, stamp or 0)
        start += chunk.frames
        due_ms = None if stamp is None else stamp + 1000 * chunk.frames / form.rate
        yield chunk
