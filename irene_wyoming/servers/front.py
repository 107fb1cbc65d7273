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
"""A hub of older years gives us 1 s for an Info; a server that is down must not use it up."""

FIRST_DESCRIBE_PAUSE_S = 0.1

FRESH_S = 0.5
"""For so long an answer serves everybody: who asks again and again must not use up the servers' connections."""

CONNECT_TIMEOUT_S = 2.0
"""For a server that is being started anew, too: it is tried again for so long."""

CONNECT_PAUSE_S = 0.1
"""Between two tries."""

END_TIMEOUT_S = 40.0
"""For the answers to a client that has closed its side. A transcript takes a second or two on a slow machine, and half
a minute where many speak at once; a server that stands still is noticed sooner."""


OPENS_WITH = {
    Detect.is_type: "wake",
    AudioStart.is_type: "wake",  # audio without a request means: listen for the default words
    AudioChunk.is_type: "wake",
    is_transcribe: "asr",
}


def server_of(event: Event) -> str | None:
    """The server whose conversations begin with such an event."""
    return next((server for is_type, server in OPENS_WITH.items() if is_type(event.type)), None)


class Directory:
    """The servers behind the front address, and what they last said of themselves."""

    def __init__(self, servers: Mapping[str, Address], name: str = "") -> None:
        """:param name: of the first program of each kind, which is what hubs show. Empty: as its server calls it."""
        self.servers = servers
        self.name = name
        self.pulses = {one: Pulse(one, address) for one, address in servers.items()}
        self._known: dict[str, Info] = {}
        self._asking = asyncio.Lock()
        self._asked_at = -FRESH_S  # when all of them were asked last, by the loop's clock

    async def info(self) -> Info:
        """The joined Info; of a server that does not answer in time, what it said last."""
        async with self._asking:
            if asyncio.get_running_loop().time() - self._asked_at >= FRESH_S:
                await asyncio.gather(*(self._ask(name) for name in self.servers))
                self._asked_at = asyncio.get_running_loop().time()
        return self._named(joined(self._known[name] for name in self.servers if name in self._known))

    def _named(self, info: Info) -> Info:
        """With our name for the first program of each kind, which is the one that hubs use."""
        if self.name:
            info.asr = [replace(program, name=self.name) for program in info.asr[:1]] + info.asr[1:]
            info.wake = [replace(program, name=self.name) for program in info.wake[:1]] + info.wake[1:]
        return info

    @property
    def unknown(self) -> list[str]:
        """Servers that have not described themselves so far."""
        return [name for name in self.servers if name not in self._known]

    async def complete(self, timeout_s: float) -> bool:
        """Wait until every server has described itself once; False: some have not in time.

        A hub that asks before would set up a home without ears, and not ask again.
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
    """Relays a conversation; a later request for another server moves the connection over to that one."""

    def __init__(self, directory: Directory, peer: Peer) -> None:
        self._directory = directory
        self._peer = peer
        self._name: str | None = None  # the server that the conversation is with; None before the first request
        self._server: Connection | None = None
        self._speaks = False  # audio has gone to speech-to-text
        self._selection: Event | None = None  # select-program, kept until the request shows which server it is for
        self._connection = AsyncExitStack()
        self._answers: asyncio.Task[None] | None = None
        self._pulse: asyncio.Task[None] | None = None  # ends the conversation when the server stands still

    @property
    def idle_ok(self) -> bool:
        """True while relaying: the server behind it knows better, and ends its own idle conversations."""
        return self._server is not None

    @property
    def answers_ping(self) -> bool:
        """True while relaying: an answer must come after everything that was sent before the ping."""
        return self._server is not None

    @property
    def owes_answer(self) -> bool:
        """True from a command's first audio on: its transcript is still to come."""
        return self._speaks and self._server is not None

    async def on_event(self, event: Event) -> bool:
        if Describe.is_type(event.type):
            return True
        if SelectProgram.is_type(event.type) and fields.name(event.data, "name") == self._directory.name:
            self._selection = None  # our name of the first program, which is used without a selection
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
        """The server behind it is stopped with the front, and ends its conversations when nobody loses anything."""
        if self._server is None:
            return False
        assert self._answers is not None
        await asyncio.wait([self._answers])
        return True

    async def on_end(self) -> None:
        """Pass the end on, and wait for the answers that are still to come."""
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
        """A connection to a server, which may be on its way up.

        :raises ServerUnavailable: it does not take one in time.
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
        """Send on what the server answers; when it ends the conversation, so do we."""
        while True:
            try:
                event = await server.read()
            except (OSError, ProtocolError) as error:
                raise ServerUnavailable(f"the connection to the {name} server was lost: {error}") from error
            if event is None:
                return
            await self._peer.send(event)


def traced(event: Event) -> Event:
    """The event that opens a conversation, with the id under which our log has it."""
    in_context = Detect.is_type(event.type) or is_transcribe(event.type)
    return Event(event.type, trace.carried(event.data, in_context=in_context), event.payload)


def is_audio(event: Event) -> bool:
    """Audio belongs to the conversation that is under way, whichever it is."""
    return AudioStart.is_type(event.type) or AudioChunk.is_type(event.type)
