"""Who may connect to a server, and how the connection is protected."""

import ssl
from ipaddress import IPv6Address, ip_address

from irene_wyoming.config.model import Access, Address, Network
from irene_wyoming.errors import ConfigError, ServerUnavailable


def is_local(host: str) -> bool:
    """Programs of this machine, the front address among them, which brings the clients of many.

    :param host: an address; empty for a unix socket.
    """
    return not host or ip_address(host).is_loopback


def is_allowed(host: str, networks: tuple[Network, ...]) -> bool:
    """Whether a client may connect from there; this machine's own programs always may."""
    if is_local(host):
        return True
    address = ip_address(host)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)


def server_context(access: Access) -> ssl.SSLContext:
    """What a server needs for TLS. Reads files: not on the event loop.

    :raises ConfigError: there is no certificate, or it cannot be used.
    """
    if access.certificate is None:
        raise ConfigError("a tls:// address needs access.certificate and access.key")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(access.certificate, access.key, password="")  # else a locked key asks a terminal
    except (OSError, ssl.SSLError) as error:  # SSLError is an OSError; a missing file has no name in its text
        raise ConfigError(f"access.certificate {access.certificate}, key {access.key}: {error.strerror}") from error
    return context


def client_context(address: Address) -> ssl.SSLContext:
    """What a client needs for TLS. Reads files: not on the event loop.

    A server of our own is known by its certificate, whatever name that was made for; others by the system's
    authorities, or those in the file that the variable SSL_CERT_FILE names.

    :raises ServerUnavailable: the certificate cannot be read.
    """
    if address.trust is None:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    try:
        context.load_verify_locations(address.trust)
    except (OSError, ssl.SSLError) as error:
        raise ServerUnavailable(f"{address.uri}: certificate {address.trust}: {error.strerror}") from error
    return context
