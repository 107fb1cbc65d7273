"""Checks of values that occur only in configurations: addresses, networks, permissions, channels, languages."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from irene_wyoming.audio.format import FIRST, LOUDEST, MAX_CHANNELS, MAX_RATE, MEAN, MIN_RATE, Mix
from irene_wyoming.checks import Wrong, any_text, discreet, list_of, text, whole
from irene_wyoming.errors import ConfigError
from irene_wyoming.home.endpoint import websocket_url
from irene_wyoming.wire.address import MAX_PORT, Address

Network = IPv4Network | IPv6Network

PRIVATE = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",  # the three of RFC 1918
            "100.64.0.0/10",  # RFC 6598: providers' own and VPNs such as Tailscale
            "169.254.0.0/16",
            "fe80::/10",  # link-local
            "fc00::/7",  # RFC 4193: the private ones of IPv6
        ),
    )
)
ANY = (ip_network("0.0.0.0/0"), ip_network("::/0"))

PORT = whole("a port", 0, MAX_PORT)
RATE = whole("a rate in Hz", MIN_RATE, MAX_RATE)
WIDTH = whole("bytes per sample", 1, 4)
CHANNELS = whole("a number of channels", 1, MAX_CHANNELS)
CHUNK_SIZE = whole("a number of frames", 80, MAX_RATE)
"""Check of a chunk's frames: at least 5 ms at the usual 16 kHz, at most a second at the highest rate."""


def mix(value: Any) -> Mix:
    """Check how several channels become one."""
    if value in (MEAN, FIRST, LOUDEST) or (type(value) is int and 0 <= value < MAX_CHANNELS):
        return value  # type: ignore[no-any-return]  # it is one of those now
    raise Wrong(f"expected {MEAN}, {FIRST}, {LOUDEST}, or the index of a channel, 0 to {MAX_CHANNELS - 1}")


def language(value: Any) -> str:
    """Check a language tag (BCP 47)."""
    if not isinstance(value, str) or not re.fullmatch("[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", value):
        raise Wrong("expected a language tag such as 'en' or 'en-GB'")
    return value


def networks(value: Any) -> tuple[Network, ...]:
    """Check a list of ``private``, ``any``, addresses and networks such as 192.168.1.0/24."""
    listed: tuple[tuple[Network, ...], ...] = list_of(_network, what="a list of networks")(value)
    return tuple(network for networks in listed for network in networks)


def _network(value: Any) -> tuple[Network, ...]:
    words: dict[Any, tuple[Network, ...]] = {"private": PRIVATE, "any": ANY}
    if isinstance(value, str) and value in words:
        return words[value]
    written = text(value)
    try:
        return (ip_network(written),)
    except ValueError as error:
        raise Wrong("expected private, any, or a network such as 192.168.1.0/24 or fd00::/8") from error


def permissions(value: Any) -> int:
    """Check a file's permissions in the form of ``chmod``: three octal digits."""
    if not isinstance(value, str) or not re.fullmatch("0?[0-7]{3}", value):
        raise Wrong('expected three octal digits in quotes, such as "660"')
    return int(value, 8)


def uri(value: Any) -> Address:
    """Check the address at which a server listens."""
    written = text(value)
    try:
        return Address.parse(written)
    except ConfigError as error:
        raise Wrong(str(error).removeprefix(f"{discreet(written)!r}: ")) from error


def home_url(value: Any) -> str:
    """Check the address of a Home Assistant."""
    written = text(value)
    try:
        websocket_url(written)
    except ConfigError as error:
        raise Wrong(str(error)) from error
    return written


def device(value: Any) -> str:
    """Check the name, part of a name, or index of a sound input; returns text."""
    return str(value) if type(value) is int and value >= 0 else any_text(value)
