"""Handler: one connection of one server, from accept to close."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from wyoming.error import Error
from wyoming.event import Event, Eventable
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong

from irene_wyoming import trace
from irene_wyoming.errors import IreneError, LimitExceeded
from irene_wyoming.metrics import REFUSED
from irene_wyoming.servers.arrival import Client
from irene_wyoming.servers.pace import PacedReader
from irene_wyoming.servers.role import Peer, Role, RoleFactory
from irene_wyoming.servers.service import Serve
from irene_wyoming.tasks import beside, ended
from irene_wyoming.wire.audio import is_audio
from irene_wyoming.wire.connection import Connection
from irene_wyoming.wire.fields import text
from irene_wyoming.wire.limits import Limits

log = logging.getLogger(__name__)

FIRST_EVENT_S = 0.3
"""Seconds before a stop within which a new client may still be heard: its request is on its way."""

FINISH_PATIENCE_S = 1.0
"""Seconds that a peer gets to read our last event and to hang up."""

InfoSource = Callable[[], Awaitable[Event | Info]]


class Handler:
    """Reads events, answers common ones, gives the rest to a role, and tells the peer of errors before it closes.

    It is its role's Peer.
    """

    def __init__(
        self, connection: Connection, client: Client, make_role: RoleFactory, info: InfoSource, limits: Limits
    ) -> None:
        self._connection = connection
        self._client = client
        self._role = make_role(self)
        self._info = info
        self._limits = limits
        self._began = asyncio.get_running_loop().time()
        # result: how the conversation ended
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def send(self, event: Event | Eventable) -> None:
        await self._connection.write(event)

    async def send_encoded(self, encoded: bytes) -> None:
        await self._connection.write_encoded(encoded)

    def spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._task_ended)
        return task

    def hurry(self) -> None:
        self._connection.hurry()

    async def run(self) -> None:
        """Serve the connection to its end. Raises only CancelledError."""
        try:
            if await self._until_over():
                await self._connection.finish(FINISH_PATIENCE_S)
        except IreneError as error:
            log.warning("%s was sent away: %s (%s)", self._client, error, error.code)
            REFUSED.labels(self._client.server, error.code).inc()
            await self._refuse(str(error), error.code)
        except OSError as error:
            log.debug("%s: connection lost: %s", self._client, error)
        except Exception:
            REFUSED.labels(self._client.server, IreneError.code).inc()
            log.exception("%s: a bug in this server; the connection is closed", self._client)
            await self._refuse("internal error, see the server's log", IreneError.code)
        finally:
            await self._role.close()
            await self._connection.close()
            del self._role  # breaks a cycle that would keep the conversation in memory until the next collection

    async def _until_over(self) -> bool:
        """Converse to the end; False: it was cut short, since the server stops while the peer does nothing."""
        conversation = self.spawn(self._converse(), f"conversation with {self._client}")
        stopping = asyncio.create_task(self._client.stopping.wait(), name="server stops")
        try:
            either: list[asyncio.Future[Any]] = [self._over, stopping]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not self._over.done():
                await self._just_begun()
            if not self._over.done() and not self._role.owes_answer:
                return await self._pause()
            await self._over
        finally:
            await ended(conversation, stopping)
        return True

    async def _just_begun(self) -> None:
        """Wait for the first event of a client that has just connected."""
        left_s = self._began + FIRST_EVENT_S - asyncio.get_running_loop().time()
        if left_s > 0 and not self._connection.taken_bytes and not self._role.idle_ok:
            await asyncio.wait([self._over], timeout=left_s)

    async def _pause(self) -> bool:
        """Wait until the conversation can end without loss for the peer; False: the peer does nothing anyway."""
        async with beside(self._role.pause(), f"pause of {self._client}") as pausing:
            either: list[asyncio.Future[Any]] = [self._over, pausing]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._over.done():
                self._over.result()
                return True
            return pausing.result()

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if self._over.done():
            log.debug("%s: after the conversation: %s", self._client, error)
        elif error is None:
            self._over.set_result(None)
        else:
            self._over.set_exception(error)

    async def _converse(self) -> None:
        self._connection.at_leisure = True
        await self._role.opened()
        reader = PacedReader(self._connection, self._role)
        while (event := await reader.read(self._patience())) is not None:
            await self._answer(event)
            if not await self._role.on_event(event):
                return
        await self._role.on_end()

    def _patience(self) -> float | None:
        """Seconds that the peer may be silent now; None: for ever."""
        return None if self._role.idle_ok else min(self._limits.idle_timeout_s, self._role.patience_s)

    async def _answer(self, event: Event) -> None:
        if not is_audio(event.type):
            trace.adopt(event.data)
        if Describe.is_type(event.type):
            await self._connection.write(await self._info())
        elif Ping.is_type(event.type) and not self._role.answers_ping:
            await self._connection.write(Pong(text=text(event.data, "text")))
        elif not Ping.is_type(event.type):
            self._connection.at_leisure = False

    async def _refuse(self, why: str, code: str) -> None:
        """Send an error, then end: an older hub ignores it and would wait for ever on an open connection."""
        try:
            await self._connection.write(Error(text=why, code=code))
            await self._connection.finish(FINISH_PATIENCE_S)
        except (OSError, LimitExceeded) as error:
            log.debug("%s: could not be told: %s", self._client, error)


def conversations(make_role: Callable[[Peer, Client], Role], info: InfoSource, limits: Limits) -> Serve:
    """Make the function that serves each connection of a service with a new role."""

    async def serve(connection: Connection, client: Client) -> None:
        await Handler(connection, client, lambda peer: make_role(peer, client), info, limits).run()

    return serve
