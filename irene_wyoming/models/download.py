"""Fetches one file: resumes where it broke off, and accepts it only with the right checksum."""

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from irene_wyoming.errors import DownloadFailed
from irene_wyoming.models.catalogue import Remote

Progress = Callable[[int, int | None], None]
"""Called now and then with (bytes fetched, total bytes or None)."""

PIECE = 1 << 20
"""Bytes read at a time."""

LARGEST = 8 << 30
"""Most bytes of a file, twice the largest model in use: a host must not fill the disk."""

TIMEOUT_S = 30.0
"""Seconds without a byte after which the connection is given up and reopened."""

PAUSES_S = (1.0, 3.0, 10.0)
"""Seconds before each further try, which resumes where the last one broke off."""

RANGE_NOT_SATISFIABLE = 416
PARTIAL = 206


class _Broken(Exception):
    """Raised for a broken connection, which is worth another try."""


class _Full(Exception):
    """Raised when the file cannot be written."""


def fetch(remote: Remote, part: Path, progress: Progress, sleep: Callable[[float], None] = time.sleep) -> None:
    """Fetch a file into ``part`` and keep the bytes that are already there.

    A file without a published checksum is accepted; its structure is checked later.

    :raises DownloadFailed: the host does not deliver it, or its checksum is wrong.
    """
    if not remote.url.startswith(("https://", "http://")):
        raise DownloadFailed(f"{remote.url}: expected an address that starts with https:// or http://")
    for pause in (*PAUSES_S, None):
        try:
            _go_on(remote, part, progress)
            break
        except _Broken as error:
            if pause is None:
                there = f"; what is there ({size_of(part)} bytes) is kept, try again later" if size_of(part) else ""
                raise DownloadFailed(f"{remote.url}: {error}{there}") from error
            sleep(pause)
        except ValueError as error:
            raise DownloadFailed(
                f"{remote.url}: its host sends us to an address that cannot be used: {error}"
            ) from error
    if remote.sha256 is None:
        return
    found = sha256_of(part)
    if found != remote.sha256.lower():
        part.unlink()
        raise DownloadFailed(
            f"{remote.url}: the checksum (SHA-256) is {found}, expected {remote.sha256}; the file has been removed"
        )


def _go_on(remote: Remote, part: Path, progress: Progress) -> None:
    """Request the missing bytes and append them."""
    have = size_of(part)
    if remote.size is not None and have > remote.size:
        part.unlink()
        have = 0
    if remote.size is not None and have == remote.size:
        progress(have, remote.size)
        return
    headers = {"User-Agent": "irene-wyoming", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(remote.url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            _append(response, part, have if response.status == PARTIAL else 0, remote, progress)
    except _Full as error:
        part.unlink(missing_ok=True)  # a full disk harms more than this program
        raise DownloadFailed(
            f"{part}: {error}; what had come is removed: make room, or set data_dir to another disk"
        ) from error
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == RANGE_NOT_SATISFIABLE:  # the file is complete or another one: the checksum tells
            return
        if error.code >= 500:
            raise _Broken(f"the host answers {error.code} {error.reason}") from error
        raise DownloadFailed(f"{remote.url}: the host answers {error.code} {error.reason}") from error
    except urllib.error.URLError as error:  # no connection at all: the caller knows better when to try again
        raise DownloadFailed(
            f"{remote.url}: its host cannot be reached ({error.reason}); is the internet there? models.mirror names "
            "another host"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise _Broken(f"{error or type(error).__name__}") from error


def _append(response: http.client.HTTPResponse, part: Path, have: int, remote: Remote, progress: Progress) -> None:
    coming = response.headers.get("Content-Length", "")
    total = remote.size or (have + int(coming) if coming.isdecimal() else None)
    most = remote.size or LARGEST
    with _opened(part, "r+b" if have else "wb") as file:
        file.seek(have)
        while piece := response.read1(PIECE):
            have += len(piece)
            if have > most:
                raise DownloadFailed(f"{remote.url}: larger than {most} bytes, so it is not what is expected")
            _write(file, piece)
            progress(have, total)
    if total is not None and have < total:
        raise _Broken(f"the connection broke off after {have} of {total} bytes")


def _opened(part: Path, mode: str) -> BinaryIO:
    """Open the file unbuffered, so that a failed write is reported at its place."""
    try:
        return cast("BinaryIO", part.open(mode, buffering=0))
    except OSError as error:
        raise DownloadFailed(f"{part}: {error.strerror}") from error


def _write(file: BinaryIO, piece: bytes) -> None:
    left = memoryview(piece)
    try:
        while left:
            left = left[file.write(left) :]
    except OSError as error:
        raise _Full(error.strerror) from error


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
