"""Who may open the page: this machine's browsers, Home Assistant's ingress, and whoever shows the token.

A page of somebody else's, open in the same browser, may not: what comes with another origin is refused, and without a
token only names that cannot be made to point here are answered to.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from aiohttp import web

from irene_wyoming.config.checks import Network

INGRESS = "172.30.32.2"
"""Where Home Assistant's Supervisor passes browsers on from, in an add-on's network."""

COOKIE = "irene_session"

MAX_SESSIONS = 100
"""Browsers that have shown the token and are remembered; the oldest is asked again."""

LOCAL_NAMES = ("localhost", ".local", ".lan", ".home", ".home.arpa", ".internal")
"""What a name must be, or end in, to be answered to without a token: nobody can register such a one."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The rules of one page."""

    networks: Sequence[Network] = ()
    """Where browsers may come from, besides this machine."""
    token: str = field(default="", repr=False)
    """What they must show; empty: only this machine's browsers come in."""
    ingress: str = ""
    """The address of Home Assistant's ingress; empty: there is none."""
    sessions: dict[str, None] = field(default_factory=dict, repr=False)

    def may_connect(self, host: str) -> bool:
        """Whether a connection is taken at all."""
        address = ip_address(host) if host else None
        if address is None or address.is_loopback or host == self.ingress:
            return True
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self.networks)

    def check(self, request: web.Request) -> None:
        """:raises web.HTTPForbidden: another page asks, or under a name that is not ours.
        :raises web.HTTPUnauthorized: the token has not been shown.
        """
        self.check_site(request)
        if self.token and not self.by_ingress(request) and request.cookies.get(COOKIE) not in self.sessions:
            raise web.HTTPUnauthorized(text="show the token first\n")

    def check_site(self, request: web.Request) -> None:
        """:raises web.HTTPForbidden: another page asks, or under a name that is not ours."""
        hosts = {request.host}
        if self.by_ingress(request):
            hosts |= {host.strip() for host in request.headers.get("X-Forwarded-Host", "").split(",")}
        elif not self.token and not is_local_name(request.host):
            raise web.HTTPForbidden(text="open the page by this machine's address, or set web.token_file\n")
        origin = request.headers.get("Origin")
        if origin is not None and place(origin) not in hosts:
            raise web.HTTPForbidden(text="another page may not ask this one\n")

    def by_ingress(self, request: web.Request) -> bool:
        """Home Assistant has let the browser in."""
        return bool(self.ingress) and request.remote == self.ingress

    def opens(self, shown: str) -> bool:
        """Whether it is the token, in a time that tells nothing about it; never where there is none."""
        return bool(self.token) and secrets.compare_digest(shown.encode(errors="replace"), self.token.encode())

    def let_in(self, shown: str) -> str | None:
        """A new session for whoever shows this token; None: it is another one."""
        if not self.opens(shown):
            return None
        while len(self.sessions) >= MAX_SESSIONS:
            del self.sessions[next(iter(self.sessions))]
        session = secrets.token_urlsafe(32)
        self.sessions[session] = None
        return session


def place(origin: str) -> str | None:
    """Host and port of an ``Origin`` header; None: it is no address."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def is_local_name(host: str) -> bool:
    """Whether a ``Host`` header is an address, or a name that only means something at home."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:  # brackets around nothing that belongs there
        return False
    try:
        ip_address(name)
    except ValueError:
        return "." not in name or name.endswith(LOCAL_NAMES)
    return True
