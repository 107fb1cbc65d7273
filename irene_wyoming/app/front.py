"""Composition of the front address."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from irene_wyoming.app.listening import listening
from irene_wyoming.config.model import Config
from irene_wyoming.discovery.zeroconf import instance_name
from irene_wyoming.servers.front import Directory, FrontRole
from irene_wyoming.servers.handler import conversations
from irene_wyoming.servers.service import Service
from irene_wyoming.wire.address import Address

log = logging.getLogger(__name__)


def reachable(address: Address) -> Address:
    """The address at which clients on this machine reach a server that listens on ``address``."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}
    return address if address.path else replace(address, host=local.get(address.host, address.host))


def enabled(config: Config) -> dict[str, Address]:
    """The addresses of the enabled servers, by name."""
    servers = {"wake": config.wake, "asr": config.asr, "mic": config.mic}
    return {name: server.address for name, server in servers.items() if server.enabled}


@asynccontextmanager
async def front_server(config: Config, servers: Mapping[str, Address], wait_s: float = 0.0) -> AsyncIterator[Service]:
    """Run the front of ``servers``.

    :param wait_s: seconds to wait at most for all servers to describe themselves before listening.
    :raises AddressUnavailable: the address cannot be used.
    """
    settings = config.front
    name = instance_name("", config.discovery.name)
    directory = Directory({name: reachable(address) for name, address in servers.items()}, name)
    if not await directory.complete(wait_s):
        late = " and ".join(directory.unknown)
        log.warning("front: no sign of %s within %g s; a hub will see the others", late, wait_s)

    serve = conversations(lambda peer, _client: FrontRole(directory, peer), directory.info, settings.limits)
    async with listening("front", config, serve, files_each=2) as service:
        yield service
