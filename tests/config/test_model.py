"""Addresses as people write them."""

import pytest

from irene_wyoming.errors import ConfigError
from irene_wyoming.wire.address import Address


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("tcp://0.0.0.0:10400", Address("0.0.0.0", 10400)),
        ("tcp://kitchen.local:0", Address("kitchen.local", 0)),
        ("tcp://[::]:10400", Address("::", 10400)),
        ("tcp://[fe80::1%eth0]:65535", Address("fe80::1%eth0", 65535)),
        ("unix:///run/irene/wake.sock", Address(path="/run/irene/wake.sock")),
    ],
)
def test_an_address_reads_what_it_prints(uri: str, address: Address) -> None:
    assert Address.parse(uri) == address
    assert address.uri == uri


def test_a_closing_slash_changes_nothing() -> None:
    assert Address.parse("tcp://localhost:1/") == Address("localhost", 1)


FORM = "expected tcp://host:port, with an IPv6 address in brackets, or unix:///path/of/socket"
SOCKET = "expected the absolute path of a socket, with three slashes: unix:///run/wake.sock"


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("", FORM),
        ("10400", FORM),
        ("localhost:10400", FORM),
        ("http://localhost:10400", FORM),
        ("tcp://localhost", FORM),
        ("tcp://:10400", FORM),
        ("tcp://::1:10400", FORM),
        ("tcp://***@localhost:10400", FORM),
        ("tcp://localhost:10400/path", FORM),
        ("tcp://localhost:ten", FORM),
        ("tcp://localhost:-1", FORM),
        ("tcp://localhost:99999", "expected a port, 0 to 65535"),
        ("tcp://[kitchen]:1", "expected an IPv6 address in the brackets"),
        ("unix://", SOCKET),
        ("unix://wake.sock", SOCKET),
        ("unix:///", SOCKET),
        ("unix:///run/\0", SOCKET),
        ("unix:///" + "x" * 107, "expected a path of at most 107 bytes"),
    ],
)
def test_a_wrong_address_is_named_with_what_is_allowed(uri: str, problem: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        Address.parse(uri)
    assert str(refusal.value) == f"{uri!r}: {problem}"
