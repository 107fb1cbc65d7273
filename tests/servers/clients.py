"""A client written on the wyoming package, like hubs and satellites."""

import asyncio

from wyoming.audio import AudioChunk, AudioStart
from wyoming.client import AsyncClient
from wyoming.event import Event, async_read_event

from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.hear import Recording

WAIT_S = 60
"""Seconds to wait for any answer: long, since only a failure takes them."""

STREAM = ("transcript-start", "transcript-chunk", "transcript-stop")
"""Types of events that clients without streamed transcripts ignore."""


def converted(recording: Recording, rate: int, width: int, channels: int) -> Recording:
    """The same speech from a microphone with another format."""
    form = AudioFormat(rate, width, channels)
    converter = Converter(recording.format, form)
    return Recording(form, converter.push(recording.pcm) + converter.flush())


def chunks(recording: Recording, ms: int, timestamp: int | None = 0) -> list[AudioChunk]:
    """Cut a recording into chunks with timestamps from this one on, ms; None: without timestamps."""
    form = recording.format
    step = form.rate * ms // 1000 * form.frame_bytes
    return [
        AudioChunk(
            rate=form.rate,
            width=form.width,
            channels=form.channels,
            audio=recording.pcm[start : start + step],
            timestamp=None if timestamp is None else timestamp + index * ms,
        )
        for index, start in enumerate(range(0, len(recording.pcm), step))
    ]


def audio_start(recording: Recording) -> AudioStart:
    form = recording.format
    return AudioStart(rate=form.rate, width=form.width, channels=form.channels)


async def read(client: AsyncClient) -> Event:
    """Read the next event that a client without streamed transcripts knows; fails when there is none."""
    while (event := await read_any(client)).type in STREAM:
        pass
    return event


async def read_any(client: AsyncClient) -> Event:
    """Read the next event; fails when there is none."""
    event = await asyncio.wait_for(client.read_event(), WAIT_S)
    assert event is not None
    return event


async def is_closed(client: AsyncClient) -> bool:
    """Whether the server sends nothing more than the end of a stream."""
    while (event := await asyncio.wait_for(client.read_event(), WAIT_S)) is not None:
        if event.type not in STREAM:
            return False
    return True


async def answers(client: AsyncClient) -> list[Event]:
    """Read all events until the server answers a ping."""
    await client.write_event(Event("ping", {"text": "done"}))
    events = []
    while (event := await read(client)).type != "pong":
        events.append(event)
    return events


async def asked(address: Address, before: bytes) -> Event:
    """The server's answer to a ``describe`` that follows these bytes."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(before + b'{"type":"describe"}\n')
        event = await asyncio.wait_for(async_read_event(reader), WAIT_S)
        assert event is not None
        return event
    finally:
        writer.close()
        await writer.wait_closed()
