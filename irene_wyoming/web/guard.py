"""The page's guard: it admits this machine's browsers, Home Assistant's ingress, and clients with the token.

It refuses requests from other sites' pages in the same browser, known by their origin. Without a token it answers only
to host names that no stranger can make point here.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from aiohttp import web

from irene_wyoming.config.checks import Network

INGRESS = "172.30.32.2"
"""Address of Home Assistant's Supervisor in an add-on's network, from which it passes browsers on."""

COOKIE = "irene_session"

MAX_SESSIONS = 100
"""Browsers that are remembered after showing the token; the oldest has to show it again."""

LOCAL_NAMES = ("localhost", ".local", ".lan", ".home", ".home.arpa", ".internal")
"""Host names, or their ends, that are answered without a token: nobody can register such a name."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The rules of one page."""

    networks: Sequence[Network] = ()
    """Networks that browsers may come from, besides this machine."""
    token: str = field(default="", repr=False)
    """The token that browsers must show; empty: only this machine's browsers come in."""
    ingress: str = ""
    """The address of Home Assistant's ingress; empty: there is none."""
    sessions: dict[str, None] = field(default_factory=dict, repr=False)

    def may_connect(self, host: str) -> bool:
        """Whether a connection from this address is accepted at all."""
        address = ip_address(host) if host else None
        if address is None or address.is_loopback or host == self.ingress:
            return True
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self.networks)

    def check(self, request: web.Request) -> None:
        """Check that a request may open the page.

        :raises web.HTTPForbidden: another site's page asks, or the host name is not ours.
        :raises web.HTTPUnauthorized: the token has not been shown.
        """
        self.check_site(request)
        if self.token and not self.by_ingress(request) and request.cookies.get(COOKIE) not in self.sessions:
            raise web.HTTPUnauthorized(text="show the token first\n")

    def check_site(self, request: web.Request) -> None:
        """Check a request's origin and host; raises web.HTTPForbidden where it is of another site or name."""
        hosts = {request.host}
        if self.by_ingress(request):
            hosts |= {host.strip() for host in request.headers.get("X-Forwarded-Host", "").split(",")}
        elif not self.token and not is_local_name(request.host):
            raise web.HTTPForbidden(text="open the page by this machine's address, or set web.token_file\n")
        origin = request.headers.get("Origin")
        if origin is not None and place(origin) not in hosts:
            raise web.HTTPForbidden(text="another page may not ask this one\n")

    def by_ingress(self, request: web.Request) -> bool:
        """Whether Home Assistant's ingress has sent the browser."""
        return bool(self.ingress) and request.remote == self.ingress

    def opens(self, shown: str) -> bool:
        """Whether this is the token, compared in constant time; False where there is none."""
        return bool(self.token) and secrets.compare_digest(shown.encode(errors="replace"), self.token.encode())

    def let_in(self, shown: str) -> str | None:
        """Open a session for this token; None: it is wrong."""
        if not self.opens(shown):
            return None
        while len(self.sessions) >= MAX_SESSIONS:
            del self.sessions[next(iter(self.sessions))]
        session = secrets.token_urlsafe(32)
        self.sessions[session] = None
        return session


def place(origin: str) -> str | None:
    """Host and port of an ``Origin`` header; None: it is not valid."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def is_local_name(host: str) -> bool:
    """Whether a ``Host`` header is an address, or a name that only exists at home."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:  # brackets around something else than an IPv6 address
        return False
    try:
        ip_address(name)
    except ValueError:
        return "." not in name or name.endswith(LOCAL_NAMES)
    return True
