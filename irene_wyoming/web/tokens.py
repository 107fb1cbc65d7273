"""Reads the files of tokens that clients must show over HTTP."""

from pathlib import Path

from irene_wyoming import files
from irene_wyoming.errors import ConfigError
from irene_wyoming.wire.token import TOKEN_CHARS


def read_token(path: Path | None, section: str) -> str:
    """The token in a file; empty where there is no file. Blocks.

    :param section: section of the configuration, for messages: ``web`` or ``metrics``.
    :raises ConfigError: the file is missing, or holds no token.
    """
    if path is None:
        return ""
    try:
        token = files.read(path, TOKEN_CHARS.stop + 2).decode("ascii", "replace").strip()
    except OSError as error:
        raise ConfigError(f"{section}.token_file: {path}: cannot be read: {error.strerror}") from error
    if not token.isascii() or not token.isprintable() or len(token) not in TOKEN_CHARS:
        some = f"{TOKEN_CHARS.start} to {TOKEN_CHARS.stop - 1} printable ASCII characters"
        raise ConfigError(f"{section}.token_file: {path}: expected {some}; openssl rand -hex 32 makes a token")
    return token
