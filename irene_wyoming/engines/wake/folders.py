"""Folders of a user's own models: the files in them, and names of words by file names. No judgement of files."""

import errno
import logging
import os
import re
import stat
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from irene_wyoming.engines.base import EngineContext, Option
from irene_wyoming.engines.wake.words import PHRASES

log = logging.getLogger(__name__)

MAX_FILES = 200
"""Most files per folder. Each becomes up to 1 kB of every description, of which a hub takes 256 kB."""

MAX_NAME = 64
"""Most characters of a word's name."""


class Stamp(NamedTuple):
    """Facts that change when a file is written or replaced. No inode, since some network drives change it."""

    size: int
    modified_ns: int
    changed_ns: int


class Folders:
    """The folders of one engine, in order of preference. One that does not exist is empty."""

    def __init__(self, paths: Sequence[Path], suffixes: Collection[str]) -> None:
        """:param suffixes: suffixes of the files that matter, e.g. ``.tflite``."""
        self.paths = tuple(paths)
        self._suffixes = frozenset(suffixes)
        self._last: dict[Path, dict[Path, Stamp]] = {path: {} for path in self.paths}
        self._told: dict[Path, str | None] = {}
        self.unreadable: dict[Path, str] = {}
        """Files that the last look could not examine, with the reasons."""

    def scan(self) -> dict[Path, Stamp]:
        """Stamps of all files that matter, by folder and name. A folder that cannot be read now keeps its earlier
        files.
        """
        unreadable: dict[Path, str] = {}
        for folder in self.paths:
            try:
                names = listed(folder, self._suffixes)
                self._last[folder] = stamped(folder, names[:MAX_FILES], unreadable)
                problem = f"only the first {MAX_FILES} files are looked at" if len(names) > MAX_FILES else None
            except OSError as error:
                problem = error.strerror or str(error)
            if problem is not None and self._told.get(folder) != problem:
                log.warning("wake: %s: %s", folder, problem)
            self._told[folder] = problem
        self.unreadable = unreadable
        return {path: stamp for files in self._last.values() for path, stamp in files.items()}


def listed(folder: Path, suffixes: Collection[str]) -> list[str]:
    """List the names that matter. Hidden files belong to other programs: ``._x.tflite`` of macOS, ``.x.tflite`` of a
    download.

    :raises OSError: the folder cannot be read.
    """
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    return [name for name in names if not name.startswith(".") and Path(name).suffix.lower() in suffixes]


ONE_FILE = frozenset({errno.ELOOP, errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.ENOTDIR})
"""Errors of one file or link; all others are errors of the drive."""


def stamped(folder: Path, names: Sequence[str], unreadable: dict[Path, str]) -> dict[Path, Stamp]:
    """Make the stamps of files.

    :param unreadable: gets each file that is useless by itself, such as a circular link, with the reason.
    :raises OSError: existing files cannot be examined: the drive is away.
    """
    files: dict[Path, Stamp] = {}
    for name in names:
        try:
            found = os.stat(folder / name)
        except FileNotFoundError:
            continue  # gone since, or a broken link
        except OSError as error:
            if error.errno not in ONE_FILE:
                raise
            unreadable[folder / name] = f"cannot be read: {error.strerror}"
            continue
        if stat.S_ISREG(found.st_mode):  # reading a pipe would wait for ever
            files[folder / name] = Stamp(found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return files


def word_name(path: Path) -> str:
    """The name of a file's word: letters, digits, dots, dashes and underscores of the file's name, ``_`` for others.
    Empty: none is left.
    """
    stem = unicodedata.normalize("NFC", path.stem)
    return re.sub(r"[^\w.-]+", "_", stem).strip("_.-")[:MAX_NAME]


def phrase_of(name: str) -> str:
    """The phrase as far as a name shows it: ``Hey Zelda`` for ``hey_zelda_v0.1``."""
    words = re.split(r"[_\s-]+", re.sub(r"_v\d+(\.\d+)*$", "", name))
    return PHRASES.get(name) or " ".join(word[:1].upper() + word[1:] for word in words if word)


def version_of(name: str) -> str | None:
    """The version in a name: ``0.1`` for ``hey_zelda_v0.1``."""
    found = re.search(r"_v(\d+(?:\.\d+)*)$", name)
    return found[1] if found else None


def _paths(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, list | tuple):
        raise ValueError("expected a list of folders")
    for path in value:
        if not isinstance(path, str) or not path.strip() or not path.isprintable():
            raise ValueError("expected a list of folders, each as text")
    return tuple(value)


def options() -> dict[str, Option]:
    """The option of every engine for users' own models."""
    return {"folders": Option([], _paths, "folders with models of your own, besides wake/ENGINE under data_dir")}


def folders_of(values: Mapping[str, Any], context: EngineContext, engine: str) -> list[Path]:
    """The folders of the checked options, then the engine's own one under the data folder, which is created."""
    paths = [Path(path).expanduser() for path in values["folders"]]
    if context.data_dir is not None:
        own = context.data_dir / "wake" / engine
        try:
            own.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            log.warning(
                "wake: %s: cannot be made: %s; models of your own can go elsewhere: folders", own, error.strerror
            )
        paths.append(own)
    return list(dict.fromkeys(paths))
