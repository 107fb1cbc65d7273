"""Looks for Wyoming servers on the local network, as a hub does."""

import asyncio

from irene_wyoming.discovery.zeroconf import SERVICE_TYPE
from irene_wyoming.errors import DiscoveryError

BROWSE_S = 3.0
"""Seconds to wait for answers. They come within one; a server that just started announces itself after two."""

INFO_TIMEOUT_MS = 1_000

MAX_SERVERS = 64
"""Most servers that are taken from answers. A household has some five."""


async def found_servers(browse_s: float = BROWSE_S) -> set[int]:
    """Find the ports of all Wyoming servers that announce themselves on the network.

    :raises DiscoveryError: the network cannot be listened to.
    """
    from zeroconf import ServiceStateChange, Zeroconf
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

    names: set[str] = set()

    def changed(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        del zeroconf, service_type
        if state_change is not ServiceStateChange.Removed and len(names) < MAX_SERVERS:
            names.add(name)

    try:
        network = AsyncZeroconf()
    except OSError as error:
        raise DiscoveryError(f"the local network cannot be listened to: {error.strerror or error}") from error
    try:
        browser = AsyncServiceBrowser(network.zeroconf, SERVICE_TYPE, handlers=[changed])
        await asyncio.sleep(browse_s)
        await browser.async_cancel()
        ports = set()
        for name in names:
            info = AsyncServiceInfo(SERVICE_TYPE, name)
            if await info.async_request(network.zeroconf, INFO_TIMEOUT_MS) and info.port:
                ports.add(info.port)
        return ports
    finally:
        await network.async_close()
