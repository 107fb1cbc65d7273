"""Unpacks an archive from the network safely: only within its folder, no links, a bounded size."""

import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from irene_wyoming.errors import DownloadFailed

MOST_FILES = 10_000
"""Most files in an archive. A model has about 20."""

MOST_BYTES = 16 << 30
"""Most bytes after unpacking: twice what may be fetched, since models hardly compress."""

MOST_TIMES, SMALL_BYTES = 20, 64 << 20
"""Most bytes after unpacking, as a multiple of the archive and what a small one may hold besides. Words and text
compress to a fifth; what becomes a thousandfold fills a disk.
"""

BROKEN = (
    *(zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error),
    *(EOFError, OSError, NotImplementedError, RuntimeError),
)
"""Exceptions of the standard library for damaged archives, including those of the decompressors."""


@dataclass(frozen=True, slots=True)
class Member:
    """A plain file of an archive."""

    name: str
    size: int
    """Size in bytes, as stated by the archive."""
    file: IO[bytes]


ENCRYPTED = 1
"""The bit of a zip archive's member that wants a password."""


def is_archive(path: Path) -> bool:
    """Whether a file is an archive, judged by its bytes: its address may not tell."""
    try:
        return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)
    except BROKEN:  # one that is cut short; unpacking it tells that
        return True


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack into a new folder; returns where the model is: there, or in the only folder inside.

    :raises DownloadFailed: the archive is broken or contains something that no model needs.
    """
    folder.mkdir()
    used, most = 0, min(MOST_BYTES, archive.stat().st_size * MOST_TIMES + SMALL_BYTES)
    try:
        for count, member in enumerate(members(archive), start=1):
            used += member.size
            if count > MOST_FILES or used > most:
                raise DownloadFailed(f"{archive.name}: more than {MOST_FILES} files or {most} bytes inside")
            target = folder / inside(archive, member.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as out:
                shutil.copyfileobj(member.file, out)
    except BROKEN as error:
        why = str(error).partition("\n")[0]  # tarfile tells of each kind of compression that it is not
        raise DownloadFailed(f"{archive.name}: cannot be unpacked: {why}") from error
    found = list(folder.iterdir())
    return found[0] if len(found) == 1 and found[0].is_dir() else folder


def inside(archive: Path, name: str) -> PurePosixPath:
    """Check a member's name and return its path below the folder.

    :raises DownloadFailed: the path leads out of the folder.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or not path.parts:
        raise DownloadFailed(f"{archive.name}: a file named {name!r} leads out of the folder")
    return path


def members(archive: Path) -> Iterator[Member]:
    """Iterate over all files; links, devices and other special members are refused."""
    with _opened(archive) as opened:
        if isinstance(opened, zipfile.ZipFile):
            for entry in opened.infolist():
                kind = stat.S_IFMT(entry.external_attr >> 16)
                if entry.is_dir():
                    continue
                if kind not in (0, stat.S_IFREG):
                    raise DownloadFailed(f"{archive.name}: {entry.filename!r} is not a plain file")
                if entry.flag_bits & ENCRYPTED:
                    raise DownloadFailed(f"{archive.name}: {entry.filename!r} is encrypted")
                with opened.open(entry) as file:
                    yield Member(entry.filename, entry.file_size, file)
            return
        for item in opened:
            if item.isdir():
                continue
            file_inside = opened.extractfile(item) if item.isreg() else None
            if file_inside is None:
                raise DownloadFailed(f"{archive.name}: {item.name!r} is not a plain file")
            yield Member(item.name, item.size, file_inside)


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile | tarfile.TarFile]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            yield zipped
    else:
        with tarfile.open(archive, "r:*") as tar:
            yield tar
