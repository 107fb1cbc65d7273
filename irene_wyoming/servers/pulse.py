"""Pulse: checks that the server behind a relay still answers, as long as a conversation with it lasts."""

import asyncio
from contextlib import suppress

from wyoming.ping import Ping, Pong

from irene_wyoming.errors import IreneError, ProtocolError, ServerUnavailable
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import connect, expect
from irene_wyoming.wire.connection import Connection

EVERY_S = 1.5
"""Seconds between an answer and the next question, and before the first one. A question costs a fraction of a
millisecond, and most conversations are shorter.
"""

ANSWER_S = 3.0
"""Seconds to wait for the answer. With the pause before, a still server is known in 4.5 s."""


LATE_S = 0.3
"""Least seconds by which our own timer is late when this process stood still; then nothing is known of the other."""


class Still(IreneError):
    """Raised where a server takes connections and answers nothing."""

    code = ServerUnavailable.code


class Pulse:
    """Asks one server on a connection of its own, while somebody watches. A server that stands still accepts
    connections and audio, so clients cannot notice.
    """

    def __init__(self, name: str, address: Address, answer_s: float = ANSWER_S, every_s: float = EVERY_S) -> None:
        self._name = name
        self._address = address
        self._answer_s = answer_s
        self._every_s = every_s
        self._watchers = 0
        self._beating: asyncio.Task[None] | None = None  # None: nobody watches

    async def watch(self) -> None:
        """Watch the server for ever.

        :raises Still: the server stands still.
        """
        self._watchers += 1
        if self._beating is None or self._beating.done():
            self._beating = asyncio.create_task(self._beat(), name=f"pulse of the {self._name} server")
        beating = self._beating
        try:
            await asyncio.wait([beating])
            beating.result()
        finally:
            self._watchers -= 1
            if not self._watchers:
                beating.cancel()
                with suppress(asyncio.CancelledError, Still):
                    await beating

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            # A server that refuses us, or ends the connection since it stops, does not stand still.
            with suppress(ProtocolError, ConnectionError, ServerUnavailable):
                await self._converse()

    async def _converse(self) -> None:
        """Ask again and again on one connection.

        :raises Still: the server has not answered.
        :raises ProtocolError, ConnectionError, ServerUnavailable: the server refuses or ends the connection.
        """
        now = asyncio.get_running_loop().time
        due = now() + self._answer_s
        try:
            async with asyncio.timeout_at(due) as patience, connect(self._address, 2 * self._answer_s) as here:
                while True:
                    await self._ask(here)
                    patience.reschedule(None)
                    await asyncio.sleep(self._every_s)
                    due = now() + self._answer_s
                    patience.reschedule(due)
        except TimeoutError:
            if now() - due < LATE_S:  # otherwise this process stood still, and the answer may be here
                raise Still(f"the {self._name} server has not answered for {self._answer_s:g} s") from None

    async def _ask(self, connection: Connection) -> None:
        await connection.write(Ping())
        while not Pong.is_type((await expect(connection)).type):
            pass
