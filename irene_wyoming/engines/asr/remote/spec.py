"""remote: the speech-to-text of another machine, or of several, over Wyoming or OpenAI's API."""

import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from irene_wyoming import files
from irene_wyoming.checks import Fault, Wrong, boolean, guarded, list_of, or_null, secret, secret_path, variable_name
from irene_wyoming.engines.asr.options import languages, seconds, text
from irene_wyoming.engines.base import AsrEngine, EngineContext, EngineSpec, Option
from irene_wyoming.errors import ConfigError, EngineUnavailable
from irene_wyoming.wire.address import Address

if TYPE_CHECKING:
    from irene_wyoming.engines.asr.remote.engine import Server
    from irene_wyoming.engines.asr.remote.http import HttpServer
    from irene_wyoming.engines.asr.remote.realtime import RealtimeServer

NAME = "remote"

PREFIX = "asr.providers.remote"

EXPECTED = "expected tcp://host:port (Wyoming), http(s)://host:port/v1 or ws(s)://host:port/v1 (OpenAI's API)"

MAX_ADDRESSES = 16
"""Most servers of a pool: each is asked directly, and for more there are proxies."""

_HOST_PORT = re.compile(r"[\w.-]+:[0-9]{1,5}(?:/v1)?/?")

GRACE_S = 0.5
"""Seconds that a session waits longer than its pool, so that the pool reports who was late."""

MAX_KEY_BYTES = 4_096
"""Most bytes of a file with an API key: keys have 50 to 200 characters, signed tokens up to 2,000."""


def create(values: Mapping[str, Any], context: EngineContext) -> AsrEngine:
    """Make the engine, which waits at most ``connect_timeout_s`` for the other machine.

    :raises ConfigError: there is no ``uri``.
    :raises EngineUnavailable: the API key is missing.
    """
    from irene_wyoming.engines.asr.elsewhere import model_elsewhere
    from irene_wyoming.engines.asr.remote.engine import Remote

    if not values["uri"]:
        raise ConfigError(f"{PREFIX}.uri: {EXPECTED}")
    addresses = [values["uri"]] if isinstance(values["uri"], str) else list(values["uri"])
    servers = {address: _server(address, values, context) for address in addresses}
    patience_s = values["response_timeout_s"]
    server = servers[addresses[0]]
    if len(servers) > 1:
        server = _pool(servers, values)
        patience_s += GRACE_S
    return Remote(
        NAME,
        server,
        model_elsewhere(_model(addresses[0], values), ", ".join(addresses)),
        language=context.language,
        languages=values["languages"],
        patience_s=patience_s,
        first_look_s=values["connect_timeout_s"],
    )


def _pool(servers: "Mapping[str, Server]", values: Mapping[str, Any]) -> "Server":
    from irene_wyoming.engines.asr.remote.pool import Member, Pool

    members = [Member(number, guarded(uri), server) for number, (uri, server) in enumerate(servers.items(), 1)]
    return Pool(NAME, members, hedge_s=values["hedge_s"], patience_s=values["response_timeout_s"])


def _model(address: str, values: Mapping[str, Any]) -> str:
    """The name of the default model at an address."""
    from irene_wyoming.engines.asr.remote.api import DEFAULT_MODEL

    return str(values["model"]) or (NAME if address.startswith("tcp:") else DEFAULT_MODEL)


def _server(address: str, values: Mapping[str, Any], context: EngineContext) -> "Server":
    """Make the client of a server; raises EngineUnavailable where the API key is missing."""
    key = api_key(values["api_key"], values["api_key_env"], values["api_key_file"])
    if address.startswith("tcp:"):
        return _wyoming(address, key or "", values)
    return _openai(address)(
        NAME,
        address,
        model=values["model"] or None,
        vocabulary=context.vocabulary,
        key=key,
        connect_timeout_s=values["connect_timeout_s"],
        verify=ssl.create_default_context() if values["verify_tls"] else False,  # the system's certificates
    )


def _openai(address: str) -> "type[HttpServer] | type[RealtimeServer]":
    if address.startswith("ws"):
        from irene_wyoming.engines.asr.remote.realtime import RealtimeServer

        return RealtimeServer
    from irene_wyoming.engines.asr.remote.http import HttpServer

    return HttpServer


def _wyoming(address: str, token: str, values: Mapping[str, Any]) -> "Server":
    from irene_wyoming.engines.asr.remote.wyoming import WyomingServer

    parts = urlsplit(address)
    assert parts.hostname
    assert parts.port
    there = Address(host=parts.hostname, port=parts.port, token=token)
    return WyomingServer(NAME, there, model=values["model"] or None, connect_timeout_s=values["connect_timeout_s"])


def api_key(given: str, variable: str, file: Path | None) -> str | None:
    """Find the API key, which never appears in a message.

    :param given: the key itself; empty: look in the variable and the file.

    :raises EngineUnavailable: the variable or the file has no key.
    """
    if given:
        return str.__str__(given)
    if variable:
        where, key = f"{PREFIX}.api_key_env: the environment variable {variable}", os.environ.get(variable, "")
    elif file:
        where = f"{PREFIX}.api_key_file: {file}"
        try:
            key = files.read(file, MAX_KEY_BYTES).decode("ascii", "replace")
        except OSError as error:
            raise EngineUnavailable(f"{where}: {error.strerror}") from error
    else:
        return None
    key = key.strip()
    if not key or not key.isascii() or not key.isprintable():
        raise EngineUnavailable(f"{where} holds no key (one line of printable ASCII)")
    return key


def uri(value: Any) -> str | tuple[str, ...]:
    """Check one or several addresses, without a slash at their ends; empty: none yet."""
    if not isinstance(value, list | tuple):
        return one_uri(value)
    found = tuple(dict.fromkeys(list_of(some_uri, what=f"{EXPECTED}, or a list of them", at_least=1)(value)))
    if len(found) > MAX_ADDRESSES:
        raise ValueError(f"expected at most {MAX_ADDRESSES} addresses; put a proxy before more")
    return found[0] if len(found) == 1 else found


def some_uri(value: Any) -> str:
    """Check an address that is not empty."""
    if not (found := one_uri(value)):
        raise ValueError(EXPECTED)
    return found


def one_uri(value: Any) -> str:
    """Check one address; empty: none yet."""
    if value in ("", None):
        return ""
    if isinstance(value, str) and "://" not in value and not _HOST_PORT.fullmatch(value):
        raise Wrong(faults=(Fault((), EXPECTED, shown=False),))  # it may be the key, or begin with a password
    if not isinstance(value, str) or not value.isprintable() or any(c.isspace() for c in value):
        raise ValueError(EXPECTED)
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError(EXPECTED) from None
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(f"{EXPECTED}, without a user name, ? or #; a key goes into {PREFIX}.api_key")
    complete = bool(parts.hostname) and (bool(port) and parts.path in ("", "/") if parts.scheme == "tcp" else port != 0)
    if parts.scheme not in ("tcp", "http", "https", "ws", "wss") or not complete:
        raise ValueError(EXPECTED)
    return value.rstrip("/").removesuffix("/realtime" if parts.scheme.startswith("ws") else "/audio/transcriptions")


SPEC = EngineSpec(
    name=NAME,
    kind="asr",
    summary="Another machine decodes, or several: Wyoming servers, or such with OpenAI's API.",
    url="https://github.com/rhasspy/wyoming",
    author="irene_wyoming",
    requires=(),
    install="pip install irene-wyoming",
    create=create,
    options={
        "uri": Option("", uri, EXPECTED.removeprefix("expected "), needed=True),
        "model": Option("", text, "model to ask for; empty: the server's default"),
        "languages": Option([], languages, "languages that it understands, where the server does not say"),
        "api_key": Option("", secret, "API key or token; empty: none, or the two below"),
        "api_key_env": Option("", variable_name, "environment variable that holds the API key or token; empty: none"),
        "api_key_file": Option(None, or_null(secret_path), "file that holds the API key or token; null: none"),
        "connect_timeout_s": Option(1.0, seconds, "seconds to connect, 0.1 to 120"),
        "response_timeout_s": Option(5.0, seconds, "seconds from the end of the audio to the transcript, 0.1 to 120"),
        "hedge_s": Option(2.0, or_null(seconds), "seconds after which a second address is asked, too; null: never"),
        "verify_tls": Option(True, boolean, "whether the certificate of an https server is checked"),
    },
)
