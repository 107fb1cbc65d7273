"""Installs a model from its catalogue entry: fetch, check, and move into place in one step."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from irene_wyoming import files
from irene_wyoming.errors import DownloadFailed, EngineUnavailable
from irene_wyoming.models.archive import is_archive, unpack
from irene_wyoming.models.catalogue import Entry
from irene_wyoming.models.check import check
from irene_wyoming.models.download import Progress, fetch, sha256_of, size_of
from irene_wyoming.models.folder import models_dir

MANIFEST = ".irene-wyoming.json"
"""File in a fetched model's folder with its origin and the checksums of its files."""

LARGEST_MANIFEST = 4 << 20
"""Most bytes of a manifest: 10,000 files, the most that a model may have."""

UNPACKED = 3
"""Free space needed, as a multiple of the bytes to fetch: for the archive and its contents."""


def install(entry: Entry, data_dir: Path, progress: Progress) -> Path:
    """Fetch a model and return its folder. It replaces a folder of the same name only once it is complete.

    After a failure the fetched files stay for the next try. Two programs that want the same model fetch it once: the
    second waits for the first.

    :raises DownloadFailed: it cannot be fetched, or fails its checks.
    """
    parent = models_dir(data_dir, entry.engine)
    target, work = parent / entry.name, parent / f".{entry.name}.partial"
    with _named(parent), _alone(parent.parent / ".locks" / f"{entry.engine}-{entry.name}") as first:
        if not first and target.is_dir():  # another program has fetched it while this one waited
            return target
        work.mkdir(parents=True, exist_ok=True)
        there = sum(size_of(work / file.name) for file in entry.files)
        _room(parent, (entry.size - there) * (UNPACKED if len(entry.files) == 1 else 1))
        made = _fetched(entry, work, progress)
        try:
            check(entry.engine, made)
        except EngineUnavailable as error:
            shutil.rmtree(work)
            raise DownloadFailed(f"{entry.name}: what was fetched is no model of this engine: {error}") from error
        _write_manifest(entry, made)
        _replace(made, target)
        shutil.rmtree(work, ignore_errors=True)
    return target


def changed(folder: Path) -> list[str]:
    """Files that are missing or changed since the model was fetched; none for models that we did not fetch."""
    try:
        sums: Mapping[str, str] = json.loads(files.read(folder / MANIFEST, LARGEST_MANIFEST))["sha256"]
        return [
            name for name, wanted in sums.items() if not (folder / name).is_file() or sha256_of(folder / name) != wanted
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):  # it is damaged itself
        return [MANIFEST]


def _fetched(entry: Entry, work: Path, progress: Progress) -> Path:
    """Fetch a model within ``work``; returns its folder there."""
    before = 0
    for file in entry.files:
        done = before

        def told(have: int, total: int | None, done: int = done) -> None:
            progress(done + have, entry.size or total)

        fetch(file, work / file.name, told)
        before += size_of(work / file.name)
    only = work / entry.files[0].name
    if len(entry.files) > 1 or not is_archive(only):
        return work
    shutil.rmtree(work / "unpacked", ignore_errors=True)
    try:
        return unpack(only, work / "unpacked")
    except DownloadFailed:
        shutil.rmtree(work)
        raise


def _write_manifest(entry: Entry, folder: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sums = {str(path.relative_to(folder)): sha256_of(path) for path in files}
    manifest = {"source": [file.url for file in entry.files], "licence": entry.licence, "sha256": sums}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))


def _replace(made: Path, target: Path) -> None:
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        os.rename(target, old)
    os.rename(made, target)
    shutil.rmtree(old, ignore_errors=True)


def _room(parent: Path, wanted: int) -> None:
    free = shutil.disk_usage(parent).free
    if free < wanted:
        raise DownloadFailed(f"{parent}: {free >> 20} MB are free, {wanted >> 20} MB are needed")


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Hold the lock of one model; True: nobody else held it before. The lock ends with its process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield False
        else:
            yield True


@contextmanager
def _named(parent: Path) -> Iterator[None]:
    """Turn errors of the file system into DownloadFailed with a message for the user."""
    try:
        yield
    except OSError as error:
        raise DownloadFailed(f"{error.filename or parent}: {error.strerror or error}") from error
