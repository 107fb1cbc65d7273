"""PROXY protocol version 2: headers of proxies, and headers that are refused."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irene_wyoming.errors import ProtocolError
from irene_wyoming.wire.proxy import HEAD_BYTES, MOST_BYTES, SIGNATURE, client, rest_bytes


def header(source: str, *, command: int = 0x21, more: bytes = b"") -> bytes:
    """A header as HAProxy sends it for a client; ``more``: further fields (TLVs)."""
    packed = ip_address(source).packed
    rest = packed + packed + (50_000).to_bytes(2, "big") + (10_400).to_bytes(2, "big") + more
    family = 0x11 if len(packed) == 4 else 0x21
    return SIGNATURE + bytes([command, family]) + len(rest).to_bytes(2, "big") + rest


@pytest.mark.parametrize("source", ["192.168.1.20", "fd00::20"])
@pytest.mark.parametrize("more", [b"", b"\x04\x00\x05hello"])
def test_the_client_behind_a_proxy_is_told(source: str, more: bytes) -> None:
    sent = header(source, more=more)
    head, rest = sent[:HEAD_BYTES], sent[HEAD_BYTES:]
    assert rest_bytes(head) == len(rest)
    assert client(head, rest) == source


def test_a_proxy_that_asks_for_itself_is_nobody_else() -> None:
    head = SIGNATURE + bytes([0x20, 0]) + bytes(2)
    assert rest_bytes(head) == 0
    assert client(head, b"") is None


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b'{"type": "describe"', "expected the header of PROXY protocol"),
        (b"PROXY TCP4 1.2.3", "expected the header of PROXY protocol version 2"),
        (SIGNATURE + b"\x11\x11\x00\x0c", "version and command 0x11"),
        (SIGNATURE + b"\x22\x11\x00\x0c", "version and command 0x22"),
        (SIGNATURE + b"\x21\x11" + (MOST_BYTES + 1).to_bytes(2, "big"), "at most"),
    ],
)
def test_what_is_no_header_is_refused(head: bytes, said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        rest_bytes(head[:HEAD_BYTES])


@pytest.mark.parametrize(
    ("family", "rest", "said"),
    [
        (0x00, bytes(12), "family 0x00"),
        (0x31, bytes(216), "family 0x31"),
        (0x11, bytes(11), "11 bytes"),
        (0x21, b"", "0"),
    ],
)
def test_addresses_that_are_none_are_refused(family: int, rest: bytes, said: str) -> None:
    with pytest.raises(ProtocolError, match=said):
        client(SIGNATURE + bytes([0x21, family]) + len(rest).to_bytes(2, "big"), rest)


@given(st.binary(min_size=4, max_size=4), st.binary(max_size=MOST_BYTES))
def test_whatever_comes_gives_an_address_or_a_refusal(end: bytes, rest: bytes) -> None:
    head = SIGNATURE + end
    try:
        if rest_bytes(head) <= len(rest) and (host := client(head, rest[: rest_bytes(head)])) is not None:
            ip_address(host)
    except ProtocolError:
        pass
