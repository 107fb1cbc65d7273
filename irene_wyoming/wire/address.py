"""Addresses of servers, and in words why one cannot be reached."""

import ipaddress
import os
import re
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from irene_wyoming.checks import discreet
from irene_wyoming.errors import ConfigError

MAX_PORT = 65_535

MAX_SOCKET_PATH = 107
"""Most bytes of a unix socket's path: Linux has room for 108, the closing zero included."""

_TCP = re.compile(r"(?P<scheme>tcp|tls)://(?:\[(?P<ipv6>[^\[\]]+)\]|(?P<host>[^\s:/@?#\[\]]+)):(?P<port>[0-9]{1,5})/?")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens: TCP host and port, or a unix socket."""

    host: str = ""
    port: int = 0
    """TCP port; 0: any free port (tests)."""
    path: str = ""
    """Path of the unix socket; empty for TCP."""
    tls: bool = False
    trust: Path | None = None
    """With TLS: file with the server's certificate. None: any certificate that the system trusts."""
    token: str = field(default="", repr=False)
    """The token that a client shows first; empty: none."""

    @property
    def uri(self) -> str:
        if self.path:
            return f"unix://{self.path}"
        scheme = "tls" if self.tls else "tcp"
        return f"{scheme}://[{self.host}]:{self.port}" if ":" in self.host else f"{scheme}://{self.host}:{self.port}"

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Read ``tcp://host:port`` or ``tls://host:port`` (IPv6 in brackets), or ``unix:///absolute/path``.

        :raises ConfigError: naming the address and what is wrong with it.
        """
        if uri.startswith("unix://"):
            return cls(path=_socket_path(uri, uri.removeprefix("unix://")))
        found = _TCP.fullmatch(uri)
        if not found:
            raise ConfigError(
                f"{discreet(uri)!r}: expected tcp://host:port, with an IPv6 address in brackets, or unix:///path/of/socket"
            )
        if int(found["port"]) > MAX_PORT:
            raise ConfigError(f"{discreet(uri)!r}: expected a port, 0 to {MAX_PORT}")
        host = found["host"] or _ipv6(uri, found["ipv6"])
        return cls(host=host, port=int(found["port"]), tls=found["scheme"] == "tls")


def _socket_path(uri: str, path: str) -> str:
    if not path.startswith("/") or path.endswith("/") or not path.isprintable():
        raise ConfigError(
            f"{discreet(uri)!r}: expected the absolute path of a socket, with three slashes: unix:///run/wake.sock"
        )
    if len(path.encode()) > MAX_SOCKET_PATH:
        raise ConfigError(f"{discreet(uri)!r}: expected a path of at most {MAX_SOCKET_PATH} bytes")
    return path


def _ipv6(uri: str, host: str) -> str:
    try:
        return str(ipaddress.IPv6Address(host))
    except ValueError as error:
        raise ConfigError(f"{discreet(uri)!r}: expected an IPv6 address in the brackets") from error


def reason(error: OSError | UnicodeError) -> str:
    """What went wrong in words, without the address, which asyncio repeats in its own texts.

    Failed look-ups of a name and TLS have error numbers of their own. An invalid host name gives a UnicodeError.
    """
    import ssl  # here, so that reading a configuration does not pay for it

    if not isinstance(error, OSError) or isinstance(error, ssl.SSLError):
        return str(error)
    if isinstance(error, socket.gaierror) or not error.errno:
        return error.strerror or str(error)
    return os.strerror(error.errno)
