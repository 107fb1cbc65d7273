"""The header that a proxy puts before a connection, so that a server sees the real client: PROXY protocol, version 2.

Source: the specification that comes with HAProxy, proxy-protocol.txt, section 2.2. Pure: bytes in, an address out.
"""

from ipaddress import ip_address

from irene_wyoming.errors import ProtocolError

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"

HEAD_BYTES = 16
"""Bytes of the header's fixed part: signature, version and command, family, and the length of the rest."""

MOST_BYTES = 520
"""Most bytes behind the head. Addresses take at most 216; proxies may add fields, which are skipped."""

LOCAL, PROXY = 0x20, 0x21
"""Version 2 and a command: the proxy connects for itself, or for a client."""

TCP4, TCP6 = 0x11, 0x21

UNIQUE_ID = 0x05
"""Type of the field that holds the proxy's id of the connection (PP2_TYPE_UNIQUE_ID)."""

SIZES = {TCP4: 4, TCP6: 16}
"""Bytes of one address by family; the source's comes first."""


def rest_bytes(head: bytes) -> int:
    """The number of bytes that follow the head.

    :param head: HEAD_BYTES bytes.
    :raises ProtocolError: it is no PROXY header, or too long.
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
    """The address of the client behind the proxy; None: the proxy speaks for itself, as in a health check.

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
    """The connection's id in the proxy's log; empty: it sends none. Malformed fields are skipped.

    :param head, rest: the two parts of a header that ``client`` has accepted.
    """
    place = 2 * SIZES.get(head[13], 0) + 4
    while place + 3 <= len(rest):
        length = int.from_bytes(rest[place + 1 : place + 3], "big")
        if rest[place] == UNIQUE_ID:
            return rest[place + 3 : place + 3 + length].decode("ascii", "replace")
        place += 3 + length
    return ""
