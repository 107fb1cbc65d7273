"""The header that a proxy puts before a connection, so that a server sees the real client: PROXY protocol, version 2.

Source: the specification that comes with HAProxy, proxy-protocol.txt, section 2.2. Pure: bytes in, an address out.
"""

from ipaddress import ip_address

from irene_wyoming.errors import ProtocolError

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"

HEAD_BYTES = 16
"""The signature, version and command, family, and the length of what follows."""

MOST_BYTES = 520
"""Behind the head. Addresses take at most 216 bytes; the rest has room for what proxies add, and is skipped."""

LOCAL, PROXY = 0x20, 0x21
"""Version 2, and the command: the proxy speaks for itself, or for a client."""

TCP4, TCP6 = 0x11, 0x21

UNIQUE_ID = 0x05
"""Type of the field behind the addresses with the id that the proxy has given the connection (PP2_TYPE_UNIQUE_ID)."""

SIZES = {TCP4: 4, TCP6: 16}
"""Bytes of one address, of the source's first."""


def rest_bytes(head: bytes) -> int:
    """How many bytes follow the head.

    :param head: HEAD_BYTES bytes.
    :raises ProtocolError: it is no such header, or longer than any is.
    """
    if not head.startswith(SIGNATURE):
        raise ProtocolError("expected the header of PROXY protocol version 2, since access.proxies names this address")
    if head[12] not in (LOCAL, PROXY):
        raise ProtocolError(f"PROXY protocol: version and command {head[12]:#04x} are unknown")
    length = int.from_bytes(head[14:16], "big")
    if length > MOST_BYTES:
        raise ProtocolError(f"PROXY protocol: a header of {length} bytes, at most {MOST_BYTES} are taken")
    return length


def client(head: bytes, rest: bytes) -> str | None:
    """The address of the client that the proxy speaks for; None: the proxy speaks for itself, as to check our health.

    :param rest: as many bytes as ``rest_bytes`` says.
    :raises ProtocolError: the address is missing, or of another family than TCP over IPv4 or IPv6.
    """
    if head[12] == LOCAL:
        return None
    size = SIZES.get(head[13])
    if size is None:
        raise ProtocolError(f"PROXY protocol: family {head[13]:#04x} is no TCP over IPv4 or IPv6")
    if len(rest) < 2 * size + 4:
        raise ProtocolError(f"PROXY protocol: {len(rest)} bytes of addresses, expected {2 * size + 4}")
    return str(ip_address(rest[:size]))


def connection_id(head: bytes, rest: bytes) -> str:
    """What the proxy calls the connection, in its log; empty: it does not say so. Whatever is not well made is skipped.

    :param head, rest: as ``client`` has taken them.
    """
    place = 2 * SIZES.get(head[13], 0) + 4
    while place + 3 <= len(rest):
        length = int.from_bytes(rest[place + 1 : place + 3], "big")
        if rest[place] == UNIQUE_ID:
            return rest[place + 3 : place + 3 + length].decode("ascii", "replace")
        place += 3 + length
    return ""
