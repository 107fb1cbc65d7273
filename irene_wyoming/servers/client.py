"""The client's side: connecting to a Wyoming server, asking it for its Info."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info

from irene_wyoming.config.model import Address, Limits
from irene_wyoming.errors import ProtocolError, ServerUnavailable
from irene_wyoming.servers.access import client_context, show
from irene_wyoming.servers.wire import Wire

CLIENT_LIMITS = Limits(
    max_connections=1,
    max_connections_per_address=1,
    header_bytes=1 << 20,  # servers on older versions of the package put all their models into the header line
    data_bytes=1 << 20,
    payload_bytes=4 << 20,
    total_payload_bytes=4 << 20,
    event_timeout_s=10,
    write_timeout_s=10,
    idle_timeout_s=60,
)
"""What we take from a server that we have chosen to talk to."""


@asynccontextmanager
async def connect(address: Address, timeout_s: float = 5.0) -> AsyncIterator[Wire]:
    """A connection to a server, closed in the end.

    :raises ServerUnavailable: nobody answers there.
    """
    try:
        async with asyncio.timeout(timeout_s):
            if address.path:
                reader, writer = await asyncio.open_unix_connection(address.path, limit=CLIENT_LIMITS.header_bytes)
            else:
                context = await asyncio.to_thread(client_context, address) if address.tls else None
                reader, writer = await asyncio.open_connection(
                    address.host, address.port, limit=CLIENT_LIMITS.header_bytes, ssl=context
                )
    except (OSError, TimeoutError) as error:
        reason = str(error) or f"no answer within {timeout_s:g} s"
        raise ServerUnavailable(f"cannot reach {address.uri}: {reason}") from error
    wire = Wire(reader, writer, CLIENT_LIMITS)
    try:
        if address.token:
            await wire.write(show(address.token))
        yield wire
    finally:
        await wire.close()


async def describe(address: Address, timeout_s: float = 5.0) -> Info:
    """What a server says of itself.

    :raises ServerUnavailable: nobody answers there, or not with an Info in time.
    """
    try:
        async with asyncio.timeout(timeout_s), connect(address, timeout_s) as wire:
            await wire.write(Describe())
            while True:
                event = await expect(wire)
                if Info.is_type(event.type):
                    return Info.from_event(event)
    except (TimeoutError, ProtocolError, OSError, KeyError, TypeError) as error:
        reason = str(error) or f"no Info within {timeout_s:g} s"
        raise ServerUnavailable(f"{address.uri} does not describe itself: {reason}") from error


async def expect(wire: Wire, timeout_s: float | None = None) -> Event:
    """The next event of a server.

    :raises ProtocolError: the server ended the connection, or answered with an error.
    :raises LimitExceeded: nothing came in time.
    """
    event = await wire.read(timeout_s)
    if event is None:
        raise ProtocolError("the server ended the connection")
    if Error.is_type(event.type):
        code = event.data.get("code")
        raise ProtocolError(f"the server says: {event.data.get('text')}" + (f" ({code})" if code else ""))
    return event
