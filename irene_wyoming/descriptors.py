"""Limits on the files that a process may have open at a time; a connection is one of them.

A process without free files accepts no client and reads no model. So each server serves only as many clients as there
are files for, and tells the others so.
"""

import resource
from dataclasses import dataclass

from irene_wyoming.errors import ConfigError

LEAST = 64
"""Least number of open files: with fewer there would be hardly any clients."""

OWN = 32
"""Files kept for other uses than clients: an idle server has 17 to 23 open, and opens models one by one."""

MOST = 16_384
"""Most files to ask for: more than 10,000 clients need, the most in a configuration."""

CROWD = 64
"""Most clients that wait for a place, or are told why there is none."""


@dataclass(frozen=True, slots=True)
class Shares:
    """The connections that one address may have open."""

    clients: int
    crowd: int
    """Most clients that wait, most in a handshake, and most accepted in one go: this many each."""


def ensure() -> None:
    """Raise the limit of open files as far as the system allows.

    :raises ConfigError: the limit is too low to serve anybody.
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
    """How many files this process may have open now."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else soft


def shares(clients: int, files_each: int = 1) -> Shares:
    """The share of one address: half of the files left beside our own.

    :param clients: wanted clients at a time.
    :param files_each: files that a client takes.
    """
    half = (allowed() - OWN) // 2
    crowd = min(CROWD, max(1, half // 6))
    return Shares(min(clients, max(1, (half - 3 * crowd) // files_each)), crowd)


def shortage(clients: int, files_each: int = 1) -> str:
    """A message for users where an address gets fewer clients than it wants; empty: it gets all."""
    found = shares(clients, files_each).clients
    if found >= clients:
        return ""
    enough = OWN + 2 * (clients * files_each + 3 * CROWD)
    return (
        f"{found} clients are served at a time, not {clients} (max_connections): only {allowed()} files may be open "
        f"at a time (ulimit -n), and {enough} would be enough"
    )


def few(wanted: int) -> int:
    """The share of an HTTP address: an eighth of the files left beside our own.

    :param wanted: connections at a time.
    """
    return min(wanted, max(1, (allowed() - OWN) // 8))
