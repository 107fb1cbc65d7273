"""Tells Home Assistant's Supervisor where the servers of this add-on are.

The Supervisor keeps one message per add-on and service, so only the front address is told.
"""

import asyncio
import logging
import socket
from collections.abc import Sequence

import aiohttp

from irene_wyoming.errors import DiscoveryError

TOKEN_VARIABLE = "SUPERVISOR_TOKEN"
"""Environment variable with an add-on's token; where it is not set, this is no add-on."""

# Delays of about two minutes in all: a Supervisor that restarts for its own update is back by then.
_DELAYS_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0)
# Bytes read of an answer, which is a short JSON object; a piece of anything else is enough for the log.
_ANSWER_BYTES = 4096

log = logging.getLogger(__name__)


class _TryAgain(DiscoveryError):
    """Raised where the same message may be accepted later."""


async def tell_supervisor(
    port: int,
    token: str,
    *,
    hostname: str = "",
    base_url: str = "http://supervisor",
    timeout_s: float = 10.0,
    delays_s: Sequence[float] = _DELAYS_S,
) -> None:
    """Announce ``tcp://hostname:port`` to Home Assistant. Call it once the front address listens.

    Waits ``delays_s`` between the attempts, one more attempt than there are delays.

    :param hostname: empty: this container's own, which Home Assistant can reach.
    :raises DiscoveryError: it was refused, or no attempt got an answer. The message never holds the token.
    """
    uri = f"tcp://{hostname or socket.gethostname()}:{port}"
    if not token:
        raise DiscoveryError(f"{TOKEN_VARIABLE} is empty: the Supervisor would not listen")
    if not (token.isascii() and token.isprintable()):
        raise DiscoveryError(f"{TOKEN_VARIABLE} holds characters that an HTTP header cannot hold")
    # No proxy: the Supervisor is in the container's own network, and the token is for nobody else.
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(timeout_s)) as session:
        for number, delay_s in enumerate([*delays_s, None], start=1):
            try:
                await _post(session, base_url, uri, token)
            except _TryAgain as error:
                if delay_s is None:
                    raise DiscoveryError(
                        f"Home Assistant was not told of {uri}: gave up after {number} attempts, the last: {error}"
                    ) from error
                log.info("the Supervisor did not take the discovery message (%s): next try in %g s", error, delay_s)
                await asyncio.sleep(delay_s)
            else:
                log.info("Home Assistant was told: %s", uri)
                return


async def _post(session: aiohttp.ClientSession, base_url: str, uri: str, token: str) -> None:
    """Send once. Raises _TryAgain, or DiscoveryError where another attempt is useless."""
    message = {"service": "wyoming", "config": {"uri": uri}}
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{base_url.rstrip('/')}/discovery"
    try:
        # The Supervisor never redirects, and the token must not follow to another host.
        async with session.post(url, json=message, headers=headers, allow_redirects=False) as answer:
            said = await answer.content.read(_ANSWER_BYTES)
    except aiohttp.InvalidURL as error:
        raise DiscoveryError(f"the Supervisor's address {base_url!r} is not an http URL") from error
    except (aiohttp.ClientError, OSError) as error:
        raise _TryAgain(f"the Supervisor cannot be reached ({str(error) or type(error).__name__})") from error
    if answer.status < 300:
        return
    printable = "".join(c if c.isprintable() else " " for c in said.decode(errors="replace").replace(token, "***"))
    what = f"the Supervisor answered {answer.status}: {printable.strip()[:200] or answer.reason}"
    if answer.status == 429 or answer.status >= 500:
        raise _TryAgain(what)
    raise DiscoveryError(f"{what}. The add-on's manifest needs 'discovery: [wyoming]'")
