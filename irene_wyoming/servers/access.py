"""Access: which clients may connect to a server, and how the connection is protected."""

import ssl
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from irene_wyoming import files
from irene_wyoming.config.checks import Network
from irene_wyoming.config.server import Access
from irene_wyoming.errors import ConfigError
from irene_wyoming.wire.token import TOKEN_CHARS


def is_local(host: str) -> bool:
    """Whether a connection comes from this machine, such as the front, which relays for many clients.

    :param host: the client's address; empty for a unix socket.
    """
    return not host or parsed(host).is_loopback


def is_allowed(host: str, networks: tuple[Network, ...]) -> bool:
    """Whether a client may connect from this address; programs of this machine always may."""
    return is_local(host) or _within(host, networks)


def is_proxy(host: str, proxies: tuple[Network, ...]) -> bool:
    """Whether connections from this address begin with the PROXY protocol's header; never over a unix socket."""
    return bool(host and proxies) and _within(host, proxies)


def _within(host: str, networks: tuple[Network, ...]) -> bool:
    address = parsed(host)
    return any(address in network for network in networks)


@lru_cache(256)
def parsed(host: str) -> IPv4Address | IPv6Address:
    """A client's address; IPv4 where it is written as IPv6, so that reconnects have the same one."""
    address = ip_address(host)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def server_token(access: Access) -> str:
    """Read the token that opens a server to clients from everywhere; empty: there is none. Not on the event loop.

    :raises ConfigError: the file is missing, or holds no token.
    """
    if access.token_file is None:
        return ""
    try:
        token = files.read(access.token_file, 2 * TOKEN_CHARS.stop).decode("ascii", "replace").strip()
    except OSError as error:
        raise ConfigError(f"access.token_file {access.token_file}: {error.strerror}") from error
    if not token.isascii() or not token.isprintable() or len(token) not in TOKEN_CHARS:
        raise ConfigError(
            f"access.token_file {access.token_file} holds no token: expected {TOKEN_CHARS.start} to"
            f" {TOKEN_CHARS.stop - 1} printable ASCII characters; openssl rand -hex 32 makes one"
        )
    return token


def server_context(access: Access) -> ssl.SSLContext:
    """Make the TLS context of a server. It reads files: not on the event loop.

    :raises ConfigError: the certificate is missing or cannot be used.
    """
    if access.certificate is None:
        raise ConfigError("a tls:// address needs access.certificate and access.key")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        for path in (access.certificate, access.key or access.certificate):
            files.require(path)  # opening a pipe would wait for ever
        # an empty password, else an encrypted key would ask on the terminal
        context.load_cert_chain(access.certificate, access.key, password="")
    except (OSError, ssl.SSLError) as error:  # SSLError is an OSError; a missing file has no name in its text
        raise ConfigError(f"access.certificate {access.certificate}, key {access.key}: {error.strerror}") from error
    return context
