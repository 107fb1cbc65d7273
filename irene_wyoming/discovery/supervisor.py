"""Tells Home Assistant's Supervisor where the servers of this add-on are.

The Supervisor keeps one message per add-on and service, so only the front address is told.
"""

import asyncio
import json
import logging
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from http.client import HTTPException, HTTPMessage
from typing import IO

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
    try:
        request = _request(f"{base_url.rstrip('/')}/discovery", uri, token)
    except ValueError as error:
        raise DiscoveryError(f"the Supervisor's address {base_url!r} is not an http URL") from error
    for number, delay_s in enumerate([*delays_s, None], start=1):
        try:
            await _on_daemon_thread(lambda: _post(request, token, timeout_s))
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


def _request(url: str, uri: str, token: str) -> urllib.request.Request:
    message = {"service": "wyoming", "config": {"uri": uri}}
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return urllib.request.Request(url, json.dumps(message).encode(), headers, method="POST")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirects: the Supervisor sends none, and the token must not go to another host."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        del req, fp, code, msg, headers, newurl


def _post(request: urllib.request.Request, token: str, timeout_s: float) -> None:
    """Send once. Raises _TryAgain, or DiscoveryError where another attempt is useless."""
    # No proxy: the Supervisor is in the container's own network, and the token is for nobody else.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    try:
        with opener.open(request, timeout=timeout_s) as answer:
            answer.read(_ANSWER_BYTES)
    except urllib.error.HTTPError as error:
        with error:
            what = f"the Supervisor answered {error.code}: {_said(error, token)}"
        if error.code == 429 or error.code >= 500:
            raise _TryAgain(what) from None
        raise DiscoveryError(f"{what}. The add-on's manifest needs 'discovery: [wyoming]'") from None
    except (OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise _TryAgain(f"the Supervisor cannot be reached ({reason})") from error
    except ValueError:  # the error's text holds the header with the token, so it is dropped
        raise DiscoveryError(f"{TOKEN_VARIABLE} holds characters that an HTTP header cannot hold") from None


def _said(error: urllib.error.HTTPError, token: str) -> str:
    try:
        body = error.read(_ANSWER_BYTES).decode(errors="replace")
    except (OSError, HTTPException):
        body = ""
    printable = "".join(c if c.isprintable() else " " for c in body.replace(token, "***"))
    return printable.strip()[:200] or str(error.reason)


async def _on_daemon_thread(call: Callable[[], None]) -> None:
    """Run ``call`` off the event loop.

    Unlike asyncio.to_thread, the end of the process does not wait for this thread: a hanging Supervisor must not hold
    up our stop. Its timeout ends it.
    """
    outcome: Future[None] = Future()
    outcome.set_running_or_notify_cancel()  # from here on the caller cannot cancel it while the thread runs

    def run() -> None:
        try:
            call()
        except Exception as error:  # any error is raised in the calling task
            outcome.set_exception(error)
        else:
            outcome.set_result(None)

    threading.Thread(target=run, name="supervisor discovery", daemon=True).start()
    await asyncio.wrap_future(outcome)
