"""Looks: takes second looks at wake words for another process, with the model of this one."""

import asyncio
import logging
from contextlib import suppress

from wyoming.error import Error

from irene_wyoming.engines.wake.asked import AT_ONCE, MOST_AUDIO, asked, told
from irene_wyoming.engines.wake.recogniser import Recogniser
from irene_wyoming.errors import EngineError, IreneError
from irene_wyoming.servers.arrival import Client
from irene_wyoming.wire.connection import Connection, Event
from irene_wyoming.wire.limits import Limits

log = logging.getLogger(__name__)

LIMITS = Limits(
    max_connections=2 * AT_ONCE,  # connections of a killed wake server may still be open when the next one asks
    max_connections_per_address=2 * AT_ONCE,
    header_bytes=1_024,
    data_bytes=65_536,  # 64 phrases of 128 characters, each of which may take six in JSON
    payload_bytes=MOST_AUDIO,
    total_payload_bytes=2 * AT_ONCE * MOST_AUDIO,
    event_timeout_s=5,  # a process of this machine sends at once
    write_timeout_s=5,
    idle_timeout_s=5,
)
"""Limits for the process that asks."""


class Looks:
    """Serves one look per connection.

    :param recogniser: takes the looks.
    """

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser

    async def serve(self, connection: Connection, _client: Client) -> None:
        """Answer one question; a look that nobody waits for any more is not taken. Raises nothing."""
        with suppress(OSError, IreneError):  # the asking process has gone, or is none of ours
            event = await connection.read(LIMITS.idle_timeout_s)
            if event is not None:
                await self._answer(connection, event)

    async def _answer(self, connection: Connection, event: Event) -> None:
        looking = asyncio.create_task(self._looked(event), name="a look")
        leaving = asyncio.create_task(connection.read(), name="end of who asks")
        try:
            await asyncio.wait([looking, leaving], return_when=asyncio.FIRST_COMPLETED)
            if looking.done():
                await connection.write(looking.result())
        finally:
            looking.cancel()
            leaving.cancel()
            await asyncio.gather(looking, leaving, return_exceptions=True)

    async def _looked(self, event: Event) -> Event:
        try:
            audio, phrases = asked(event)
            return told(await self._recogniser.look(audio, phrases))
        except IreneError as error:
            log.log(logging.DEBUG if isinstance(error, EngineError) else logging.WARNING, "a look: %s", error)
            return Error(text=str(error), code=error.code).event()
