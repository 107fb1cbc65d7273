"""Announces a server on the local network, so that hubs find it by themselves: ``_wyoming._tcp.local.``."""

import asyncio
import importlib
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from irene_wyoming.discovery.addresses import (
    InterfaceAddress,
    bound_addresses,
    list_addresses,
    only_loopback,
    reachable,
)
from irene_wyoming.errors import DiscoveryError
from irene_wyoming.tasks import ended

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncZeroconf

SERVICE_TYPE = "_wyoming._tcp.local."

# A DNS label holds 63 bytes; 3 are left for the "-2" that a second server of the same name gets.
_NAME_BYTES = 60
# How soon a new address (DHCP, a cable put in) is announced. Listing the addresses takes about 1 ms.
_CHECK_EVERY_S = 60.0
# The farewell is three packets in 0.25 s. A stuck network must not hold up the end of a server.
_WITHDRAW_TIMEOUT_S = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Announcement:
    """A server as hubs see it on the network."""

    name: str
    """The server's name, unique and the same after each restart: hubs know it by that. See ``instance_name``."""
    port: int
    host: str
    """The host that the server listens on: an address, a name, ``0.0.0.0``, ``::``, or empty for both."""


def instance_name(role: str, configured: str = "", hostname: str = "") -> str:
    """Name a server: ``Irene wake on pi``, or ``Kitchen wake`` where the configuration says ``Kitchen``.

    :param role: empty for all servers at one address: ``Irene on pi`` or ``Kitchen``.
    :param hostname: empty: this machine's own.
    """
    tail = f" {role}" if role else ""
    if configured:
        return f"{_clean(configured, _NAME_BYTES - len(tail.encode()))}{tail}"
    lead = f"Irene{tail} on "
    return lead + _clean((hostname or socket.gethostname()).partition(".")[0], _NAME_BYTES - len(lead.encode()))


class Announcer:
    """Keeps one server announced from ``start`` to ``stop``, and follows the machine's addresses.

    Failures are never fatal. They are logged once as a warning, and each check tries again.
    """

    def __init__(
        self,
        announcement: Announcement,
        *,
        addresses: Callable[[], Sequence[InterfaceAddress]] = list_addresses,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """:param pause: waits this many seconds between two looks at the addresses."""
        self._announcement = announcement
        self._list_addresses = addresses
        self._pause = pause
        self._task: asyncio.Task[None] | None = None  # None before start and after stop
        self._warned = False

    async def start(self) -> None:
        """Begin to announce and return at once. A hub sees the server about 2 s later."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep_announced(), name=f"zeroconf {self._announcement.name}")

    async def stop(self) -> None:
        """Withdraw the announcement within 1 s, so that hubs know at once. May be called more than once."""
        task, self._task = self._task, None
        await ended(task)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _keep_announced(self) -> None:
        while True:
            try:
                bound = await asyncio.to_thread(bound_addresses, self._announcement.host)
                if only_loopback(bound):
                    log.debug("%s listens on loopback only: not announced", self._announcement.name)
                    return
                await self._announce_while_unchanged(bound)
            except (DiscoveryError, OSError) as error:
                self._warn(error)
                await self._pause(_CHECK_EVERY_S)

    async def _announce_while_unchanged(self, bound: Sequence[str]) -> None:
        """Announce until the machine's addresses change."""
        addresses = await self._addresses(bound)
        if not addresses:
            raise DiscoveryError(f"this machine has no network address that others reach {self._announcement.host} at")
        async with _registered(self._announcement, addresses):
            self._warned = False
            while await self._addresses(bound) == addresses:
                await self._pause(_CHECK_EVERY_S)
            log.info("%s: the addresses of this machine have changed", self._announcement.name)

    async def _addresses(self, bound: Sequence[str]) -> tuple[str, ...]:
        return reachable(bound, await asyncio.to_thread(self._list_addresses))

    def _warn(self, error: Exception) -> None:
        log.log(
            logging.DEBUG if self._warned else logging.WARNING,
            "%s is not announced over zeroconf: %s. Hubs can be given its address and port %d by hand; "
            "tried again every %.0f s",
            self._announcement.name,
            error,
            self._announcement.port,
            _CHECK_EVERY_S,
        )
        self._warned = True


@asynccontextmanager
async def _registered(announcement: Announcement, addresses: Sequence[str]) -> AsyncIterator[None]:
    """Announce a server on entry and withdraw it on exit.

    :raises DiscoveryError: the network or its port 5353 cannot be used.
    """
    # takes tenths of a second: not on the event loop
    await asyncio.to_thread(importlib.import_module, "zeroconf.asyncio")
    import zeroconf
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

    info = AsyncServiceInfo(
        SERVICE_TYPE,
        f"{announcement.name}.{SERVICE_TYPE}",
        port=announcement.port,
        parsed_addresses=list(addresses),
        # Only the instance name is tried for conflicts. Two machines of one host name would otherwise mix their
        # addresses under one target, so each start gets a target of its own; hubs do not show it.
        server=f"irene-{secrets.token_hex(4)}.local.",
    )
    try:
        responder = AsyncZeroconf(interfaces=list(addresses))
    except (OSError, RuntimeError) as error:  # RuntimeError: an address has just gone
        raise DiscoveryError(f"UDP port 5353 or multicast cannot be used ({error})") from error
    # A stop must not cancel zeroconf's own start, which takes milliseconds: it could not close its sockets any more.
    ready = asyncio.create_task(responder.zeroconf.async_wait_for_start(), name="zeroconf ready")
    try:
        try:
            await asyncio.shield(ready)
            broadcast = await responder.async_register_service(info, allow_name_change=True)
            _log_registered(announcement, info.name.removesuffix(f".{SERVICE_TYPE}"), addresses)
            await broadcast
        except (OSError, zeroconf.Error, TimeoutError) as error:
            raise DiscoveryError(f"{type(error).__name__} {error}".rstrip()) from error
        yield
    finally:
        farewell = asyncio.create_task(_withdraw(announcement, responder, ready), name="zeroconf farewell")
        try:
            await asyncio.wait([farewell])
        except asyncio.CancelledError:  # a stop while starting must not leave the sockets open
            await asyncio.wait([farewell])
            raise


async def _withdraw(announcement: Announcement, responder: "AsyncZeroconf", ready: asyncio.Task[None]) -> None:
    try:
        async with asyncio.timeout(_WITHDRAW_TIMEOUT_S):
            await asyncio.wait([ready])
            await responder.async_close()
    except TimeoutError:
        log.warning("%s: could not be withdrawn from zeroconf in time", announcement.name)


def _log_registered(announcement: Announcement, name: str, addresses: Sequence[str]) -> None:
    if name != announcement.name:
        log.warning("another server here is called %r already: this one is announced as %r", announcement.name, name)
    log.info("announced over zeroconf as %r: %s, port %d", name, ", ".join(addresses), announcement.port)


def _clean(text: str, most_bytes: int) -> str:
    """Make a text fit for a DNS label: a dot would cut it in two, and control characters are forbidden."""
    plain = " ".join("".join(c if c.isprintable() and c != "." else " " for c in text).split())
    return plain.encode()[:most_bytes].decode(errors="ignore").strip()
