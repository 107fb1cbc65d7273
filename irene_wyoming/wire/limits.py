"""Limits on sizes and times of a peer's events, and the room that large payloads of all clients share."""

from dataclasses import dataclass

from irene_wyoming.checks import number, setting, whole
from irene_wyoming.errors import LimitExceeded

SMALL_BYTES = 65_536
"""Payloads up to this size are not counted against the room of all: satellites send 320 to 2048."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server accepts from the network. default.yaml gives the reason for each number."""

    max_connections: int = setting(whole("a number of connections", 1, 10_000))
    max_connections_per_address: int = setting(whole("a number of connections", 1, 10_000))
    """Most connections from one network address."""
    header_bytes: int = setting(whole("a number of bytes", 1_024, 1_048_576))
    data_bytes: int = setting(whole("a number of bytes", 1_024, 67_108_864))
    payload_bytes: int = setting(whole("a number of bytes", 4_096, 67_108_864))
    total_payload_bytes: int = setting(whole("a number of bytes", 4_096, 1_073_741_824))
    """Most bytes of all clients' payloads together; those up to 64 KiB do not count."""
    event_timeout_s: float = setting(number("seconds", 0.1, 3600))
    """Most seconds from the first byte of an event to its last."""
    write_timeout_s: float = setting(number("seconds", 0.1, 3600))
    """Seconds after which a peer that reads nothing is dropped."""
    idle_timeout_s: float = setting(number("seconds", 0.1, 86_400))
    """Seconds after which a silent peer is dropped, unless its role has a reason to wait longer."""


CLIENT_LIMITS = Limits(
    max_connections=1,
    max_connections_per_address=1,
    header_bytes=1 << 20,  # servers on older versions of the package put all their models into the header line
    data_bytes=1 << 20,
    payload_bytes=4 << 20,
    total_payload_bytes=4 << 20,
    event_timeout_s=10,
    write_timeout_s=10,
    idle_timeout_s=60,
)
"""Limits for servers that we have chosen to talk to."""


class Room:
    """Memory that the large payloads of one server's clients may take together."""

    def __init__(self, total_bytes: int) -> None:
        self._total = total_bytes
        self._held = 0

    def take(self, size: int) -> int:
        """Reserve room for one payload; returns how many bytes to ``give`` back.

        :raises LimitExceeded: there is no room; the client may try again.
        """
        counted = size if size > SMALL_BYTES else 0
        if self._held + counted > self._total:
            raise LimitExceeded(f"payload_length {size}: other clients' audio fills the {self._total} bytes for all")
        self._held += counted
        return counted

    def give(self, counted: int) -> None:
        self._held -= counted
