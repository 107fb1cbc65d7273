"""remote: another machine's speech-to-text, over Wyoming or OpenAI's HTTP API."""

import os
import ssl
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from irene_wyoming.checks import boolean, secret
from irene_wyoming.engines.asr.options import languages, path, seconds, text
from irene_wyoming.engines.base import AsrEngine, EngineContext, EngineSpec, Option
from irene_wyoming.errors import ConfigError, EngineUnavailable
from irene_wyoming.wire.address import Address

if TYPE_CHECKING:
    from irene_wyoming.engines.asr.remote.engine import Server

NAME = "remote"

PREFIX = "asr.providers.remote"

API = "/audio/transcriptions"

MAX_KEY_BYTES = 4_096
"""Of a file with an API key: keys have 50 to 200 characters, signed tokens up to 2,000."""


def create(values: Mapping[str, Any], context: EngineContext) -> AsrEngine:
    """Waits for the other machine at most ``connect_timeout_s``, and does without it.

    :raises ConfigError: no ``uri``.
    :raises EngineUnavailable: the API key or the package for HTTP is missing.
    """
    from irene_wyoming.engines.asr.elsewhere import model_elsewhere
    from irene_wyoming.engines.asr.remote.engine import Remote

    if not values["uri"]:
        raise ConfigError(f"{PREFIX}.uri: expected tcp://host:port or http://host:port/v1")
    server, model = _http(values, context) if values["uri"].startswith("http") else _wyoming(values)
    return Remote(
        NAME,
        server,
        model_elsewhere(model, values["uri"]),
        language=context.language,
        languages=values["languages"],
        patience_s=values["response_timeout_s"],
        first_look_s=values["connect_timeout_s"],
    )


def _wyoming(values: Mapping[str, Any]) -> "tuple[Server, str]":
    from irene_wyoming.engines.asr.remote.wyoming import WyomingServer

    parts = urlsplit(values["uri"])
    assert parts.hostname
    assert parts.port
    token = api_key(values["api_key"], values["api_key_env"], values["api_key_file"]) or ""
    address = Address(host=parts.hostname, port=parts.port, token=token)
    model = values["model"] or None
    server = WyomingServer(NAME, address, model=model, connect_timeout_s=values["connect_timeout_s"])
    return server, model or NAME


def _http(values: Mapping[str, Any], context: EngineContext) -> "tuple[Server, str]":
    if find_spec("httpx") is None:
        raise EngineUnavailable(f"{NAME}: httpx is not installed; pip install 'irene-wyoming[remote]'")
    from irene_wyoming.engines.asr.remote.http import DEFAULT_MODEL, HttpServer

    server = HttpServer(
        NAME,
        values["uri"],
        model=values["model"] or None,
        vocabulary=context.vocabulary,
        key=api_key(values["api_key"], values["api_key_env"], values["api_key_file"]),
        connect_timeout_s=values["connect_timeout_s"],
        verify=ssl.create_default_context() if values["verify_tls"] else False,  # the system's certificates
    )
    return server, values["model"] or DEFAULT_MODEL


def api_key(given: str, variable: str, file: str | None) -> str | None:
    """The key, which never appears in a message.

    :param given: the key itself; empty: it is elsewhere, or there is none.

    :raises EngineUnavailable: it is not where it should be.
    """
    if given:
        return str.__str__(given)
    if variable:
        where, key = f"{PREFIX}.api_key_env: the environment variable {variable}", os.environ.get(variable, "")
    elif file:
        where = f"{PREFIX}.api_key_file: {file}"
        try:
            with Path(file).expanduser().open("rb") as opened:
                key = opened.read(MAX_KEY_BYTES).decode("ascii", "replace")
        except OSError as error:
            raise EngineUnavailable(f"{where}: {error.strerror}") from error
    else:
        return None
    key = key.strip()
    if not key or not key.isascii() or not key.isprintable():
        raise EngineUnavailable(f"{where} holds no key (one line of printable ASCII)")
    return key


def uri(value: Any) -> str:
    """A server's address, without a slash at its end; empty: none yet."""
    if value in ("", None):
        return ""
    expected = "expected tcp://host:port (Wyoming) or http(s)://host:port/v1 (OpenAI's API)"
    if not isinstance(value, str) or not value.isprintable() or any(c.isspace() for c in value):
        raise ValueError(expected)
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError(expected) from None
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(f"{expected}, without a user name, ? or #; a key goes into {PREFIX}.api_key")
    complete = bool(parts.hostname) and (bool(port) and parts.path in ("", "/") if parts.scheme == "tcp" else port != 0)
    if parts.scheme not in ("tcp", "http", "https") or not complete:
        raise ValueError(expected)
    return value.rstrip("/").removesuffix(API)


SPEC = EngineSpec(
    name=NAME,
    kind="asr",
    summary="Another machine decodes: a Wyoming server, or one with OpenAI's HTTP API.",
    url="https://github.com/rhasspy/wyoming",
    author="irene_wyoming",
    requires=(),  # httpx only where the uri is http
    install="pip install 'irene-wyoming[remote]'",
    create=create,
    streams=True,
    options={
        "uri": Option("", uri, "tcp://host:port (Wyoming) or http(s)://host:port/v1 (OpenAI's API)", needed=True),
        "model": Option("", text, "model to ask for; empty: the server's default"),
        "languages": Option([], languages, "languages that it understands, where the server does not say"),
        "api_key": Option("", secret, "API key or token; empty: none, or the two below"),
        "api_key_env": Option("", text, "environment variable that holds the API key or token; empty: none"),
        "api_key_file": Option(None, path, "file that holds the API key or token; null: none"),
        "connect_timeout_s": Option(1.0, seconds, "seconds to connect, 0.1 to 120"),
        "response_timeout_s": Option(5.0, seconds, "seconds from the end of the audio to the transcript, 0.1 to 120"),
        "verify_tls": Option(True, boolean, "whether the certificate of an https server is checked"),
    },
)
