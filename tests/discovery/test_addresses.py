import pytest

from irene_wyoming.discovery.addresses import (
    InterfaceAddress,
    bound_addresses,
    list_addresses,
    only_loopback,
    reachable,
)

PRESENT = [
    InterfaceAddress(interface, address)
    for interface, address in [
        ("lo", "127.0.0.1"),
        ("lo", "::1"),
        ("eth0", "fd00::2"),
        ("eth0", "fe80::1"),
        ("eth0", "192.168.1.5"),
        ("wlan0", "10.0.0.7"),
        ("wlan0", "2001:db8::7"),
        ("usb0", "169.254.3.4"),
        ("docker0", "172.17.0.1"),
        ("docker_gwbridge", "172.19.0.1"),
        ("br-0123456789ab", "172.18.0.1"),
        ("veth12ab", "172.20.0.9"),
        ("hassio", "172.30.32.1"),
        ("wg0", "10.8.0.1"),
        ("tailscale0", "100.64.0.3"),
    ]
]


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        (["0.0.0.0"], ("192.168.1.5", "10.0.0.7")),
        (["::"], ("192.168.1.5", "10.0.0.7", "fd00::2", "2001:db8::7")),
        (["::", "0.0.0.0"], ("192.168.1.5", "10.0.0.7", "fd00::2", "2001:db8::7")),
        (["10.0.0.7"], ("10.0.0.7",)),
        (["FD00:0:0::2"], ("fd00::2",)),
        (["172.17.0.1"], ("172.17.0.1",)),
        (["127.0.0.1", "10.0.0.7"], ("10.0.0.7",)),
        (["127.0.0.1"], ()),
        (["fe80::1"], ()),
        (["169.254.3.4"], ()),
        (["192.168.1.6"], ()),
        ([], ()),
    ],
)
def test_what_is_announced_for_a_bound_address(bound: list[str], expected: tuple[str, ...]) -> None:
    assert reachable(bound, PRESENT) == expected


@pytest.mark.parametrize(
    "interface", ["br0", "br-lan", "bond0", "enp3s0", "vmbr0", "end0", "wlp2s0", "macvlan0", "zt5u4y"]
)
def test_an_interface_that_may_lead_to_a_hub_is_kept(interface: str) -> None:
    assert reachable(["0.0.0.0"], [InterfaceAddress(interface, "192.168.1.5")]) == ("192.168.1.5",)


def test_an_address_on_two_interfaces_is_announced_once() -> None:
    twice = [InterfaceAddress("eth0", "192.168.1.5"), InterfaceAddress("wlan0", "192.168.1.5")]
    assert reachable(["0.0.0.0"], twice) == ("192.168.1.5",)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("", {"0.0.0.0", "::"}),
        ("0.0.0.0", {"0.0.0.0"}),
        ("::", {"::"}),
        ("192.0.2.1", {"192.0.2.1"}),
        ("fe80::1%1", {"fe80::1"}),
    ],
)
def test_a_host_is_what_asyncio_would_listen_on(host: str, expected: set[str]) -> None:
    assert set(bound_addresses(host)) == expected


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.1.1", "::1", "localhost"])
def test_a_loopback_host_is_for_this_machine_only(host: str) -> None:
    assert only_loopback(bound_addresses(host))


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "192.0.2.1"])
def test_any_other_host_is_for_others_too(host: str) -> None:
    assert not only_loopback(bound_addresses(host))


def test_this_machine_has_a_loopback_address_and_no_scopes() -> None:
    present = list_addresses()
    assert "127.0.0.1" in {entry.address for entry in present}
    assert not any("%" in entry.address for entry in present)
