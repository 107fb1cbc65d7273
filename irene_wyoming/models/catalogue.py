"""The catalogue of models that can be fetched by name: their addresses, sizes and checksums.

It is ``catalogue.json`` beside this module. A user's file in the same form is laid over it, so that a new model needs
no new release. The Vosk and Whisper hosts publish few checksums, so theirs are those that several independent projects
pin. Those of sherpa-onnx are from its release page.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from irene_wyoming import files
from irene_wyoming.checks import Wrong, web_address
from irene_wyoming.errors import ConfigError, UnknownModel
from irene_wyoming.tags import primary

PACKAGED = Path(__file__).with_name("catalogue.json")

FORMAT = 1

LARGEST_FILE = 4 << 20
"""Most bytes of a catalogue file. One model takes 400."""

LARGEST_MODEL = 1 << 40
"""Most bytes of one file: a terabyte is more than any model, and a sum of such sizes is still a number for a disk."""

LONGEST_NAME = 128
"""Most characters of a model's or file's name; file systems take 255 bytes, and we add to it."""

_ENGINE, _TAG = re.compile("[a-z0-9_]{1,32}"), re.compile(r"\*|[A-Za-z0-9_-]{1,35}")
_SHA256 = re.compile("[0-9a-fA-F]{64}")

EVERY = "*"
"""The language of models that understand up to a hundred."""


@dataclass(frozen=True, slots=True)
class Remote:
    """One file to fetch."""

    url: str
    sha256: str | None
    """Checksum; None: nobody publishes one, and the file is judged by its structure alone."""
    size: int | None
    """Size in bytes; None: unknown until it is fetched."""

    @property
    def name(self) -> str:
        """The file's name: the last part of its address."""
        return self.url.split("?")[0].rstrip("/").rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the catalogue: an archive with its folder, or the files of its folder."""

    engine: str
    name: str
    languages: tuple[str, ...]
    licence: str
    files: tuple[Remote, ...]

    @property
    def size(self) -> int:
        """Total bytes to fetch, as far as sizes are known."""
        return sum(file.size or 0 for file in self.files)

    def speaks(self, language: str) -> bool:
        """Whether the model understands a language, given as a tag such as ``de`` or ``de-AT``."""
        return EVERY in self.languages or primary(language) in self.languages


def load(more: Path | None = None, mirror: str | None = None) -> Sequence[Entry]:
    """Load the catalogue of models that can be fetched.

    :param more: the user's own file; its models go before packaged ones of the same engine and name.
    :param mirror: address that replaces every host, such as ``http://nas.local/models``; paths stay as they are.
    :raises ConfigError: the file cannot be read or contains something that is not allowed.
    """
    found = {(entry.engine, entry.name): entry for entry in _read(PACKAGED)}
    if more is not None:
        found |= {(entry.engine, entry.name): entry for entry in _read(more)}
    if mirror is None:
        return tuple(found.values())
    return tuple(_mirrored(entry, mirror) for entry in found.values())


def entry(name: str, catalogue: Sequence[Entry]) -> Entry:
    """Find a model in the catalogue, or raise UnknownModel with the names that there are."""
    for known in catalogue:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in catalogue)
    raise UnknownModel(f"no model {name!r} is known here; known are {names}; any other has to be given by its address")


def _mirrored(entry: Entry, mirror: str) -> Entry:
    files = (Remote(mirror.rstrip("/") + urlsplit(file.url).path, file.sha256, file.size) for file in entry.files)
    return Entry(entry.engine, entry.name, entry.languages, entry.licence, tuple(files))


def _read(path: Path) -> Sequence[Entry]:
    try:
        said = json.loads(files.read(path, LARGEST_FILE))
    except OSError as error:
        raise ConfigError(f"models.catalogue: {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # the latter: brackets without end
        raise ConfigError(f"models.catalogue: {path}: no JSON: {error}") from error
    if not isinstance(said, dict) or said.get("format") != FORMAT or not isinstance(said.get("models"), list):
        raise ConfigError(f'models.catalogue: {path}: expected {{"format": {FORMAT}, "models": [...]}}')
    return [_entry(path, number, row) for number, row in enumerate(said["models"], start=1)]


def _entry(path: Path, number: int, row: Any) -> Entry:
    where = f"models.catalogue: {path}: model {number}"
    texts = isinstance(row, dict) and all(_plain(row.get(key)) for key in ("engine", "name", "licence"))
    if not texts or not _ENGINE.fullmatch(row["engine"]) or not _file_name(row["name"]):
        raise ConfigError(
            f"{where}: expected engine, name and licence as text, the engine in small letters, "
            f"the name without '/' and not longer than {LONGEST_NAME} characters"
        )
    languages, files = row.get("languages"), row.get("files")
    if not isinstance(languages, list) or not all(_plain(tag) and _TAG.fullmatch(tag) for tag in languages):
        raise ConfigError(f"{where}: languages: expected a list of tags such as [en, de]")
    if not isinstance(files, list) or not files or not all(isinstance(file, dict) for file in files):
        raise ConfigError(f"{where}: files: expected a list of {{url, sha256, size}}")
    remotes = tuple(_remote(where, file) for file in files)
    if len({file.name for file in remotes}) < len(remotes):
        raise ConfigError(f"{where}: files: two addresses end with the same name")
    return Entry(row["engine"], row["name"], tuple(languages), row["licence"], remotes)


def _remote(where: str, file: Mapping[str, Any]) -> Remote:
    url, sha256, size = file.get("url"), file.get("sha256"), file.get("size")
    try:
        url = web_address(url)
    except Wrong as wrong:
        raise ConfigError(f"{where}: url: {url!r}: {wrong}") from wrong
    if urlsplit(url).username is not None:
        raise ConfigError(f"{where}: url: expected an address without a name and a password, which the log would show")
    if not _file_name(Remote(url, None, None).name):
        raise ConfigError(f"{where}: url: {url[:200]!r}: expected an address that ends with the name of a file")
    if sha256 is not None and not (isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
        raise ConfigError(f"{where}: sha256: {sha256!r}: expected 64 hexadecimal digits, or null")
    if size is not None and (type(size) is not int or not 0 < size <= LARGEST_MODEL):
        raise ConfigError(f"{where}: size: {size!r}: expected bytes, at most {LARGEST_MODEL}, or null")
    return Remote(url, None if sha256 is None else sha256.lower(), size)


def _file_name(name: str) -> bool:
    """Whether a name can be that of a file or folder of ours, and leads nowhere else."""
    return 0 < len(name) <= LONGEST_NAME and name == name.strip() and name[0] != "." and not set(name) & set("/\\")


def _plain(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()
