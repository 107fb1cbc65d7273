"""Files that a process may have open at a time; a connection is one of them.

Whoever runs out of them can accept nobody, read no model and write no line. So each server serves no more clients at a
time than there are files for, and tells the others so in words.
"""

import resource
from dataclasses import dataclass

from irene_wyoming.errors import ConfigError

LEAST = 64
"""With fewer there would be hardly any clients."""

OWN = 32
"""For everything else: a server that does nothing has 17 to 23 open, and reads models one after the other."""

MOST = 16_384
"""More than 10,000 clients need, the most that a configuration may ask for."""

CROWD = 64
"""Clients that wait for a place, or are told why there is none."""


@dataclass(frozen=True, slots=True)
class Shares:
    """What one address may have open."""

    clients: int
    crowd: int
    """Those that wait, those in a handshake, and those accepted in one go: up to so many each."""


def ensure() -> None:
    """Take as many as the system gives.

    :raises ConfigError: they are too few to serve anybody.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if allowed() < LEAST:
        raise ConfigError(
            f"only {allowed()} files may be open at a time (ulimit -n), and {LEAST} are the least that a server needs: "
            "start it with 'ulimit -n 1024'; in a systemd unit that is LimitNOFILE=1024, for a container "
            "--ulimit nofile=1024"
        )


def allowed() -> int:
    """How many this process may have open now."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else soft


def shares(clients: int, files_each: int = 1) -> Shares:
    """Half of what is left beside our own files, for one address.

    :param clients: wanted at a time.
    :param files_each: that a client takes.
    """
    half = (allowed() - OWN) // 2
    crowd = min(CROWD, max(1, half // 6))
    return Shares(min(clients, max(1, (half - 3 * crowd) // files_each)), crowd)


def shortage(clients: int, files_each: int = 1) -> str:
    """What a user is told where an address gets fewer clients than it wants; empty: it gets all."""
    found = shares(clients, files_each).clients
    if found >= clients:
        return ""
    enough = OWN + 2 * (clients * files_each + 3 * CROWD)
    return (
        f"{found} clients are served at a time, not {clients} (max_connections): only {allowed()} files may be open "
        f"at a time (ulimit -n), and {enough} would be enough"
    )


def few(wanted: int) -> int:
    """An eighth of what is left, for an address of HTTP.

    :param wanted: connections at a time.
    """
    return min(wanted, max(1, (allowed() - OWN) // 8))
