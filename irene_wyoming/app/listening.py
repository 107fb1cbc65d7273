"""Makes one server's address from the configuration: access, limits, and a warning where the internet can reach it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from ipaddress import ip_address

from irene_wyoming import descriptors
from irene_wyoming.config.model import Config
from irene_wyoming.discovery.addresses import bound_addresses, list_addresses
from irene_wyoming.news import NEWS
from irene_wyoming.servers.service import Serve, Service
from irene_wyoming.wire.address import Address

log = logging.getLogger(__name__)

EVERYWHERE = {"0.0.0.0": {4}, "::": {4, 6}}


@asynccontextmanager
async def listening(
    server: str,
    config: Config,
    serve: Serve,
    *,
    name: str | None = None,
    address: Address | None = None,
    silent: bool = False,
    files_each: int = 1,
) -> AsyncIterator[Service]:
    """Listen at a server's address, with its access rules and limits.

    :param server: name of its section in the configuration.
    :param name, address: those of a further address; None: the server's own.
    :param silent: its clients send nothing.
    :param files_each: files that a client has open here.
    :raises AddressUnavailable: the address cannot be used.
    :raises ConfigError: the certificate cannot be used.
    """
    settings = getattr(config, server)
    where, timing = address or settings.address, config.supervise
    limits, access, notice_s = settings.limits, settings.access, timing.notice_s
    async with Service(
        name or server,
        where,
        limits,
        serve,
        access,
        timing.drain_s,
        notice_s=notice_s,
        silent=silent,
        files_each=files_each,
    ) as service:
        if shortage := descriptors.shortage(limits.max_connections, files_each):
            log.warning("%s: %s", service.name, shortage)
        if public := await asyncio.to_thread(public_addresses, service.address):
            allowed = ", ".join(map(str, settings.access.allow)) or "nobody but this machine"
            log.warning(
                "%s: %s can be reached from the internet where no firewall is; it answers: %s",
                service.name,
                ", ".join(public),
                allowed,
            )
        with NEWS.shown(
            "service", lambda: {"name": service.name, "clients": service.connections, "uri": service.address.uri}
        ):
            yield service


def public_addresses(address: Address) -> list[str]:
    """The addresses of a server that the whole internet can reach. Name look-ups may block."""
    if address.path:
        return []
    try:
        bound = set(bound_addresses(address.host))
        present = [found.address for found in list_addresses()] if bound & EVERYWHERE.keys() else []
    except OSError:  # listening reports its own error
        return []
    return public_of(bound, present)


def public_of(bound: Iterable[str], present: Iterable[str]) -> list[str]:
    """:param present: this machine's addresses, for which ``0.0.0.0`` and ``::`` stand."""
    families = {family for host in bound for family in EVERYWHERE.get(host, ())}
    heard = [ip_address(host) for host in bound if host not in EVERYWHERE]
    heard += [found for found in map(ip_address, present) if found.version in families]
    return sorted({str(found) for found in heard if found.is_global and not found.is_multicast})
