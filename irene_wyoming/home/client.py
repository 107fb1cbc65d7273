"""A conversation with Home Assistant over its WebSocket API, with limits on all sizes and waits."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from irene_wyoming.errors import HomeRefused, HomeUnavailable
from irene_wyoming.home.endpoint import Endpoint

CLOSE_TIMEOUT_S = 2.0
"""Seconds to wait for the other side's close before the connection is cut."""

HEARTBEAT_S = 30.0
"""Seconds between pings. A hub that does not answer within half of this has gone without closing."""

MAX_MESSAGE_BYTES = 16_777_216
"""Most bytes of a message, enough for the states of 20,000 entities; those of 5,000 take 4 MB."""

LARGE_CHARS = 65_536
"""Least characters of a message that is parsed on a thread: 4 MB take 50 ms, too long for the event loop."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for Home Assistant."""

    connect_s: float = 10.0
    """Seconds for connecting and the handshake; a hub in the same home takes milliseconds."""
    answer_s: float = 30.0
    """Seconds to wait for an answer: a hub that has just started is busy for so long."""


PATIENT = Patience()


class Conversation:
    """Commands and events over one connection. One task uses it at a time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, version: str, answer_s: float) -> None:
        self.version = version
        """Version of Home Assistant."""
        self._socket = socket
        self._answer_s = answer_s
        self._number = 0
        self._told = False  # a subscribed event has come since the last call of changed()

    async def call(self, command: str, **fields: Any) -> Any:
        """Send a command and return its result.

        :raises HomeRefused: Home Assistant refuses the command.
        :raises HomeUnavailable: there is no answer.
        """
        self._number += 1
        number = self._number
        async with self._patience(f"did not answer {command}"):
            await self._socket.send_json({"id": number, "type": command, **fields})
            while True:
                message = await receive(self._socket)
                self._note_event(message)
                if message.get("type") == "result" and message.get("id") == number:
                    return result_of(command, message)

    async def changed(self) -> None:
        """Return when an event of a subscription has come since the last call.

        :raises HomeUnavailable: the connection has ended.
        """
        while not self._told:
            self._note_event(await receive(self._socket))
        self._told = False

    def _note_event(self, message: dict[str, Any]) -> None:
        self._told = self._told or message.get("type") == "event"

    @asynccontextmanager
    async def _patience(self, what: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._answer_s):
                yield
        except TimeoutError:
            raise HomeUnavailable(f"Home Assistant {what} within {self._answer_s:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise HomeUnavailable(f"the connection to Home Assistant broke: {said(error)}") from error


@asynccontextmanager
async def conversation(endpoint: Endpoint, patience: Patience = PATIENT) -> AsyncIterator[Conversation]:
    """Connect to Home Assistant and authenticate; closes the connection in the end.

    :raises HomeRefused: the token is refused.
    :raises HomeUnavailable: nobody answers, or something else than Home Assistant.
    """
    # No system proxy: the hub is in the home, and the token is for nobody else.
    async with aiohttp.ClientSession(trust_env=False) as session:
        try:
            async with asyncio.timeout(patience.connect_s):
                socket = await session.ws_connect(
                    endpoint.url,
                    heartbeat=HEARTBEAT_S,
                    max_msg_size=MAX_MESSAGE_BYTES,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
                )
        except TimeoutError:
            raise HomeUnavailable(f"{endpoint.url} did not answer within {patience.connect_s:g} s") from None
        except aiohttp.WSServerHandshakeError as error:
            raise HomeUnavailable(
                f"{endpoint.url} answered {error.status} and no WebSocket; is it Home Assistant?"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise HomeUnavailable(f"{endpoint.url} cannot be reached: {said(error)}") from error
        try:
            yield Conversation(socket, await let_in(socket, endpoint, patience.connect_s), patience.answer_s)
        finally:
            await socket.close()


async def let_in(socket: aiohttp.ClientWebSocketResponse, endpoint: Endpoint, within_s: float) -> str:
    """Authenticate with the token; returns Home Assistant's version.

    :raises HomeRefused: the token is refused.
    :raises HomeUnavailable: the other side does not speak like Home Assistant.
    """
    try:
        async with asyncio.timeout(within_s):
            wanted = await receive(socket)
            if wanted.get("type") != "auth_required":
                raise HomeUnavailable(f"{endpoint.url} does not ask for a token; is it Home Assistant?")
            await socket.send_json({"type": "auth", "access_token": endpoint.token})
            answer = await receive(socket)
    except TimeoutError:
        raise HomeUnavailable(f"{endpoint.url} did not answer to the token within {within_s:g} s") from None
    except (aiohttp.ClientError, OSError) as error:
        raise HomeUnavailable(f"{endpoint.url} broke off: {said(error)}") from error
    if answer.get("type") == "auth_invalid":
        raise HomeRefused(f"Home Assistant at {endpoint.url} refuses the token: {endpoint.remedy}")
    if answer.get("type") != "auth_ok":
        raise HomeUnavailable(f"{endpoint.url} does not take the token; is it Home Assistant?")
    version = answer.get("ha_version", wanted.get("ha_version"))
    return version[:40] if isinstance(version, str) else ""


async def receive(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    """Read the next message.

    :raises HomeUnavailable: the connection has ended, or it sends no message of Home Assistant's.
    """
    received = await socket.receive()
    if received.type is not aiohttp.WSMsgType.TEXT:
        too_large = socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
        raise HomeUnavailable(
            f"Home Assistant sent a message of more than {MAX_MESSAGE_BYTES >> 20} MiB"
            if too_large
            else "Home Assistant has ended the connection; is it being started anew?"
        )
    text: str = received.data
    try:
        message = json.loads(text) if len(text) < LARGE_CHARS else await asyncio.to_thread(json.loads, text)
    except (ValueError, RecursionError) as error:
        raise HomeUnavailable("what answers there sends no JSON; is it Home Assistant?") from error
    if not isinstance(message, dict):
        raise HomeUnavailable("what answers there sends no messages of Home Assistant's")
    return message


def result_of(command: str, message: dict[str, Any]) -> Any:
    """The result in the answer to a command; raises HomeRefused with Home Assistant's code and words."""
    if message.get("success") is True:
        return message.get("result")
    error = message.get("error")
    told = error if isinstance(error, dict) else {}
    code = str(told.get("code", "unknown"))[:40]
    raise HomeRefused(f"{command}: {str(told.get('message', 'no reason given'))[:200]}", code)


def said(error: Exception) -> str:
    """A network error in one line; those without a text get the name of their class."""
    reason = getattr(error, "os_error", error)
    return (getattr(reason, "strerror", None) or str(reason) or type(error).__name__).splitlines()[0][:200]
