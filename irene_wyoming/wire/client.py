"""The client's side: connect to a Wyoming server and ask it for its Info."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import AsrProgram, Describe, Info, WakeProgram

from irene_wyoming.errors import ProtocolError, ServerUnavailable
from irene_wyoming.wire.address import Address, reason
from irene_wyoming.wire.connection import Connection
from irene_wyoming.wire.fields import cleaned
from irene_wyoming.wire.limits import CLIENT_LIMITS
from irene_wyoming.wire.token import show


@asynccontextmanager
async def connect(
    address: Address, timeout_s: float = 5.0, conversation_bytes: int | None = None
) -> AsyncIterator[Connection]:
    """Connect to a server; the connection is closed at the end of the context.

    :param conversation_bytes: most bytes taken from the server in all; None: no limit.
    :raises ServerUnavailable: nobody answers there.
    """
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await _open(address)
    except TimeoutError as error:
        raise ServerUnavailable(f"cannot reach {address.uri}: no connection within {timeout_s:g} s") from error
    except (OSError, UnicodeError) as error:  # UnicodeError: a host name that cannot be looked up
        raise ServerUnavailable(f"cannot reach {address.uri}: no connection: {reason(error)}") from error
    connection = Connection(reader, writer, CLIENT_LIMITS, conversation_bytes=conversation_bytes)
    try:
        if address.token:
            await connection.write(show(address.token))
        yield connection
    finally:
        await connection.close()


async def _open(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.path:
        return await asyncio.open_unix_connection(address.path)
    context = await asyncio.to_thread(client_context, address) if address.tls else None
    return await asyncio.open_connection(address.host, address.port, ssl=context)


def client_context(address: Address) -> ssl.SSLContext:
    """Make the TLS context of a client. It reads files: not on the event loop.

    A server with a configured certificate is known by that, whatever its name. Others are checked against the system's
    authorities, or those in the file that the variable SSL_CERT_FILE names.

    :raises ServerUnavailable: the certificate cannot be read.
    """
    if address.trust is None:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    try:
        context.load_verify_locations(address.trust)
    except (OSError, ssl.SSLError) as error:
        raise ServerUnavailable(f"{address.uri}: certificate {address.trust}: {error.strerror}") from error
    return context


async def describe(address: Address, timeout_s: float = 5.0, conversation_bytes: int | None = None) -> Info:
    """Ask a server for its Info.

    :param conversation_bytes: most bytes taken from the server in all; None: no limit.
    :raises ServerUnavailable: nobody answers there, or not with an Info in time.
    """
    try:
        async with asyncio.timeout(timeout_s), connect(address, timeout_s, conversation_bytes) as connection:
            await connection.write(Describe())
            while True:
                event = await expect(connection)
                if Info.is_type(event.type):
                    return _info(event)
    except (TimeoutError, ProtocolError, OSError) as error:
        why = str(error) or f"no Info within {timeout_s:g} s"
        raise ServerUnavailable(f"{address.uri} does not describe itself: {why}") from error


def _info(event: Event) -> Info:
    """The Info of an event; languages that are no text are left out.

    :raises ProtocolError: the event holds something else.
    """
    try:
        info = Info.from_event(event)
        programs: tuple[WakeProgram | AsrProgram, ...] = (*info.wake, *info.asr)
        for program in programs:
            for model in program.models:
                if not (isinstance(program.name, str) and isinstance(model.name, str)):
                    raise TypeError("a name is no text")
                model.languages = [tag for tag in model.languages if isinstance(tag, str)]
        for mic in info.mic:
            form = mic.mic_format
            if not all(isinstance(number, int | float) for number in (form.rate, form.width, form.channels)):
                raise TypeError("an audio format holds something else than numbers")
        return info
    except Exception as error:  # a library that checks nothing reads what a stranger has sent
        raise ProtocolError("its Info lacks what the protocol asks for, or has it in another form") from error


async def expect(connection: Connection, timeout_s: float | None = None) -> Event:
    """Read a server's next event.

    :raises ProtocolError: the server ended the connection, or answered with an error.
    :raises LimitExceeded: nothing came in time.
    """
    event = await connection.read(timeout_s)
    if event is None:
        raise ProtocolError("the server ended the connection")
    if (said := complaint(event)) is not None:
        raise ProtocolError(f"the server says: {said}")
    return event


def complaint(event: Event) -> str | None:
    """The message of an ``error`` event on one line, with its code in brackets; None: the event is another one."""
    if not Error.is_type(event.type):
        return None
    code = event.data.get("code")
    return cleaned(event.data.get("text")) + (f" ({cleaned(code)})" if code else "")
