"""What is taken from a peer: sizes and times."""

from dataclasses import dataclass

from irene_wyoming.checks import number, setting, whole


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server accepts from the network. default.yaml gives the reason of each number."""

    max_connections: int = setting(whole("a number of connections", 1, 10_000))
    max_connections_per_address: int = setting(whole("a number of connections", 1, 10_000))
    """From one network address."""
    header_bytes: int = setting(whole("a number of bytes", 1_024, 1_048_576))
    data_bytes: int = setting(whole("a number of bytes", 1_024, 67_108_864))
    payload_bytes: int = setting(whole("a number of bytes", 4_096, 67_108_864))
    total_payload_bytes: int = setting(whole("a number of bytes", 4_096, 1_073_741_824))
    """Of all clients together, those up to 64 KiB not counted."""
    event_timeout_s: float = setting(number("seconds", 0.1, 3600))
    """From the first byte of an event to its last."""
    write_timeout_s: float = setting(number("seconds", 0.1, 3600))
    """A peer that reads nothing for so long is dropped."""
    idle_timeout_s: float = setting(number("seconds", 0.1, 86_400))
    """Silence of a peer after which it is dropped, where a role has no reason to wait longer."""
