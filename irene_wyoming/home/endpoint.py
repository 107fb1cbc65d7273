"""Where Home Assistant's WebSocket API is, and the token for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from irene_wyoming import files
from irene_wyoming.errors import ConfigError

SUPERVISOR_URL = "ws://supervisor/core/websocket"
"""Address of Home Assistant for add-ons; the Supervisor passes messages on."""

SUPERVISOR_TOKEN_VARIABLE = "SUPERVISOR_TOKEN"
"""Environment variable that the Supervisor sets in an add-on."""

MAX_TOKEN_BYTES = 4_096
"""Most bytes of a token's file. A long-lived token has some 180, so a larger file is another one."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address of Home Assistant's API and its token."""

    url: str
    token: str = field(repr=False)
    remedy: str = (
        "make a new long-lived access token in Home Assistant (your profile, Security) and put it into the file"
    )
    """What a person does when the token is refused."""


def endpoint(url: str | None, token_file: Path | None, environ: Mapping[str, str]) -> Endpoint | None:
    """Find the address and token: as configured, else the Supervisor's in an add-on; None: neither exists.

    It reads the token's file, which may block.

    :raises ConfigError: the token cannot be read, or there is no file for it.
    """
    if url is not None:
        if token_file is None:
            raise ConfigError("home.token_file: null: expected a file with a token, since home.url is set")
        return Endpoint(websocket_url(url), read_token(token_file))
    if token := environ.get(SUPERVISOR_TOKEN_VARIABLE):
        return Endpoint(
            SUPERVISOR_URL, token, "the add-on's manifest needs 'homeassistant_api: true'; restart the add-on"
        )
    return None


def websocket_url(url: str) -> str:
    """Turn ``http://host:8123`` into ``ws://host:8123/api/websocket``; WebSocket addresses stay as they are.

    :raises ConfigError: the address is not one of Home Assistant's kinds.
    """
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https", "ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ConfigError("expected the address of Home Assistant, such as http://homeassistant.local:8123")
    if parts.username or parts.password:
        raise ConfigError(
            "home.url: expected an address without a user and a password; the token is in home.token_file"
        )
    path = parts.path.rstrip("/")
    if not path.endswith("/websocket"):
        path = f"{path.removesuffix('/api')}/api/websocket"
    return f"{'wss' if parts.scheme in ('https', 'wss') else 'ws'}://{parts.netloc}{path}"


def read_token(path: Path) -> str:
    """Read a token; raises ConfigError where the file cannot be read or holds no token."""
    try:
        token = files.read(path, MAX_TOKEN_BYTES + 1).decode("ascii").strip()
    except OSError as error:
        raise ConfigError(f"home.token_file: {path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"home.token_file: {path}: expected a token, which is plain ASCII text") from error
    if not token or len(token) > MAX_TOKEN_BYTES or not token.isprintable() or " " in token:
        raise ConfigError(f"home.token_file: {path}: expected one token on one line")
    return token
