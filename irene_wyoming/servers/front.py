"""The front address: one Info for all servers, and a relay to the one whose request opens the conversation.

Home Assistant's Supervisor announces one address per add-on, so a hub that knows only this one gets everything. The
microphone has no request event and is reached on its own port.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace

from wyoming.audio import AudioChunk, AudioStart
from wyoming.event import Event
from wyoming.info import Describe, Info, SelectProgram
from wyoming.wake import Detect

from irene_wyoming import trace
from irene_wyoming.errors import ProtocolError, ServerUnavailable
from irene_wyoming.servers.info import joined
from irene_wyoming.servers.pulse import Pulse
from irene_wyoming.servers.role import Peer, Role
from irene_wyoming.tasks import ended
from irene_wyoming.wire import fields
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import connect, describe
from irene_wyoming.wire.connection import Connection
from irene_wyoming.wire.fields import is_transcribe

log = logging.getLogger(__name__)

DESCRIBE_TIMEOUT_S = 0.4
"""Seconds to wait for a server's Info: older hubs give us 1 s, which a dead server must not use up."""

FIRST_DESCRIBE_PAUSE_S = 0.1

FRESH_S = 0.5
"""Seconds for which an Info serves every client, so that frequent questions do not use up connections."""

CONNECT_TIMEOUT_S = 2.0
"""Seconds in which a connection to a server is tried, since the server may be restarting."""

CONNECT_PAUSE_S = 0.1
"""Seconds between two tries to connect."""

END_TIMEOUT_S = 40.0
"""Seconds to wait for answers to a client that has closed its side. A transcript takes a second or two on a slow
machine, and half a minute where many speak. A server that stands still is noticed sooner.
"""


OPENS_WITH = {
    Detect.is_type: "wake",
    AudioStart.is_type: "wake",  # audio without a request asks for the default words
    AudioChunk.is_type: "wake",
    is_transcribe: "asr",
}


def server_of(event: Event) -> str | None:
    """The server whose conversations begin with this event."""
    return next((server for is_type, server in OPENS_WITH.items() if is_type(event.type)), None)


class Directory:
    """The servers behind the front, and the last Info of each."""

    def __init__(self, servers: Mapping[str, Address], name: str = "") -> None:
        """:param name: name of the first program of each kind, which hubs show; empty: the server's own name."""
        self.servers = servers
        self.name = name
        self.pulses = {one: Pulse(one, address) for one, address in servers.items()}
        self._known: dict[str, Info] = {}
        self._asking = asyncio.Lock()
        self._asked_at = -FRESH_S  # loop time of the last question to all servers

    async def info(self) -> Info:
        """The joined Info; a server that does not answer in time is in it with its last one."""
        async with self._asking:
            if asyncio.get_running_loop().time() - self._asked_at >= FRESH_S:
                await asyncio.gather(*(self._ask(name) for name in self.servers))
                self._asked_at = asyncio.get_running_loop().time()
        return self._named(joined(self._known[name] for name in self.servers if name in self._known))

    def _named(self, info: Info) -> Info:
        """Rename the first program of each kind, which is the one that hubs show."""
        if self.name:
            info.asr = [replace(program, name=self.name) for program in info.asr[:1]] + info.asr[1:]
            info.wake = [replace(program, name=self.name) for program in info.wake[:1]] + info.wake[1:]
        return info

    @property
    def unknown(self) -> list[str]:
        """Servers that have not described themselves yet."""
        return [name for name in self.servers if name not in self._known]

    async def complete(self, timeout_s: float) -> bool:
        """Wait until every server has described itself once; False: some have not in time.

        A hub that asks earlier would set up a home without speech, and not ask again.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        while True:
            await asyncio.gather(*(self._ask(name) for name in self.unknown))
            if not self.unknown:
                return True
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(FIRST_DESCRIBE_PAUSE_S)

    async def _ask(self, name: str) -> None:
        try:
            self._known[name] = await describe(self.servers[name], DESCRIBE_TIMEOUT_S)
        except ServerUnavailable as error:
            log.debug("front: %s", error)


class FrontRole(Role):
    """Relays a conversation to a server; a later request for another server moves the connection there."""

    def __init__(self, directory: Directory, peer: Peer) -> None:
        self._directory = directory
        self._peer = peer
        self._name: str | None = None  # the server of this conversation; None before the first request
        self._server: Connection | None = None
        self._speaks = False  # whether audio has gone to speech-to-text
        self._selection: Event | None = None  # select-program, kept until a request shows which server it is for
        self._connection = AsyncExitStack()
        self._answers: asyncio.Task[None] | None = None
        self._pulse: asyncio.Task[None] | None = None  # ends the conversation when the server stands still

    @property
    def idle_ok(self) -> bool:
        """Whether the client may be silent: while relaying, yes, since the server ends its own idle conversations."""
        return self._server is not None

    @property
    def answers_ping(self) -> bool:
        """Whether the role answers pings: while relaying, since an answer must come after all earlier events."""
        return self._server is not None

    @property
    def owes_answer(self) -> bool:
        """Whether a transcript is owed: from a command's first audio on."""
        return self._speaks and self._server is not None

    async def on_event(self, event: Event) -> bool:
        if Describe.is_type(event.type):
            return True
        if SelectProgram.is_type(event.type) and fields.name(event.data, "name") == self._directory.name:
            self._selection = None  # our own name of the first program, which needs no selection
            return True
        name = server_of(event)
        if name is not None and name != self._name and (self._name is None or not is_audio(event)):
            await self._open(name)
            event = traced(event)
        if self._server is not None:
            self._speaks = self._name == "asr" and (self._speaks or is_audio(event))
            await self._forward(self._server, event)
        elif SelectProgram.is_type(event.type):
            self._selection = SelectProgram(name=fields.name(event.data, "name") or "").event()
        return True

    async def pause(self) -> bool:
        """Wait for the end: the server behind is stopped too, and ends its conversations when nothing is lost."""
        if self._server is None:
            return False
        assert self._answers is not None
        await asyncio.wait([self._answers])
        return True

    async def on_end(self) -> None:
        """Pass the client's end on, and wait for the answers still to come."""
        if self._server is not None and self._answers is not None:
            await self._server.end()
            await asyncio.wait([self._answers], timeout=END_TIMEOUT_S)

    async def close(self) -> None:
        await ended(self._answers, self._pulse)
        self._answers = self._pulse = self._server = None
        await self._connection.aclose()

    async def _open(self, name: str) -> None:
        if name not in self._directory.servers:
            raise ServerUnavailable(f"the {name} server is not enabled here")
        await self.close()
        server = await self._reached(self._directory.servers[name])
        self._answers = self._peer.spawn(self._relay_answers(name, server), f"answers of the {name} server")
        self._pulse = self._peer.spawn(self._directory.pulses[name].watch(), f"pulse of the {name} server, watched")
        self._name, self._server = name, server
        if self._selection is not None:
            await self._forward(server, self._selection)

    async def _reached(self, address: Address) -> Connection:
        """Connect to a server, which may still be starting.

        :raises ServerUnavailable: it does not accept a connection in time.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + CONNECT_TIMEOUT_S
        while True:
            left_s = max(deadline - clock(), CONNECT_PAUSE_S)
            try:
                return await self._connection.enter_async_context(connect(address, left_s))
            except ServerUnavailable:
                if clock() + CONNECT_PAUSE_S >= deadline:
                    raise
            await asyncio.sleep(CONNECT_PAUSE_S)

    async def _forward(self, server: Connection, event: Event) -> None:
        try:
            await server.write(event)
        except OSError as error:
            log.debug("front: the %s server has ended the conversation: %s", self._name, error)

    async def _relay_answers(self, name: str, server: Connection) -> None:
        """Send the server's answers on; when it ends the conversation, so does the front."""
        while True:
            try:
                event = await server.read()
            except (OSError, ProtocolError) as error:
                raise ServerUnavailable(f"the connection to the {name} server was lost: {error}") from error
            if event is None:
                return
            await self._peer.send(event)


def traced(event: Event) -> Event:
    """Add our log's id to the event that opens a conversation."""
    in_context = Detect.is_type(event.type) or is_transcribe(event.type)
    return Event(event.type, trace.carried(event.data, in_context=in_context), event.payload)


def is_audio(event: Event) -> bool:
    """Whether an event is audio, which belongs to the conversation under way."""
    return AudioStart.is_type(event.type) or AudioChunk.is_type(event.type)
