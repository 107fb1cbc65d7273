"""A role's properties take effect on a socket."""

from collections.abc import Callable

from wyoming.info import Info

from irene_wyoming.config.model import Config
from irene_wyoming.servers.arrival import Client
from irene_wyoming.servers.handler import Handler
from irene_wyoming.servers.info import Kept
from irene_wyoming.servers.role import Role
from irene_wyoming.servers.service import Service
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import connect
from irene_wyoming.wire.connection import Connection, Event


class Impatient(Role):
    """A role that takes everything, and waits less than the configuration allows."""

    patience_s = 0.05

    async def on_event(self, _event: Event) -> bool:
        return True


async def test_a_role_may_have_less_patience_than_the_configuration(configured: Callable[..., Config]) -> None:
    limits = configured().wake.limits

    async def serve(connection: Connection, client: Client) -> None:
        await Handler(connection, client, lambda _peer: Impatient(), Kept(Info), limits).run()

    async with Service("wake", Address("127.0.0.1", 0), limits, serve) as service, connect(service.address) as client:
        error = await client.read(5)
        assert error is not None
        assert error.data == {"text": "nothing was sent for 0.05 s", "code": "limit-exceeded"}
