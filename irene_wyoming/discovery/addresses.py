"""Finds the addresses of this machine at which a hub can reach a server."""

import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

# Interfaces between containers or virtual machines and this machine, and tunnels that carry no multicast:
# no hub that hears the announcement could connect through one of them.
_INTERNAL_INTERFACE = re.compile(
    r"docker\d|docker_gwbridge|br-[0-9a-f]{12}$|veth|podman\d|cni|flannel|cali|hassio$|lxcbr|lxdbr|virbr|vnet\d"
    r"|tun\d|wg\d|tailscale"
)


@dataclass(frozen=True, slots=True)
class InterfaceAddress:
    """One address of one network interface."""

    interface: str
    """The interface's name in the system, e.g. ``eth0``."""
    address: str
    """IPv4 or IPv6 address, without a scope."""


def list_addresses() -> Sequence[InterfaceAddress]:
    """List the present addresses of this machine, including loopback.

    :raises OSError: the system does not tell.
    """
    import ifaddr  # comes with zeroconf

    return [
        InterfaceAddress(adapter.name, ip.ip if isinstance(ip.ip, str) else ip.ip[0])
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    ]


def bound_addresses(host: str) -> Sequence[str]:
    """The addresses on which a server with this host listens; empty stands for all of both families.

    Looking up a name may block.

    :raises OSError: the name is not known.
    """
    found = socket.getaddrinfo(host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return [str(sockaddr[0]).partition("%")[0] for *_, sockaddr in found]


def only_loopback(bound: Iterable[str]) -> bool:
    """Whether all addresses are loopback, so that no other machine can connect."""
    return all(ip_address(address).is_loopback for address in bound)


def reachable(bound: Iterable[str], present: Iterable[InterfaceAddress]) -> tuple[str, ...]:
    """Choose the addresses to announce for a server bound to ``bound``, IPv4 first.

    ``0.0.0.0`` stands for every IPv4 address that is ``present`` and ``::`` for every address of both families, less
    those of internal interfaces. An address that was named is taken wherever it is.
    """
    wanted = {ip_address(address) for address in bound}
    everywhere = {address.version for address in wanted if address.is_unspecified}
    if 6 in everywhere:
        everywhere.add(4)
    chosen: dict[IPv4Address | IPv6Address, None] = {}
    for entry in present:
        address = ip_address(entry.address)
        if address.is_loopback or address.is_link_local or address.is_unspecified:
            continue
        internal = _INTERNAL_INTERFACE.match(entry.interface) is not None
        if address in wanted or (address.version in everywhere and not internal):
            chosen[address] = None
    return tuple(str(address) for address in sorted(chosen, key=lambda address: address.version))
