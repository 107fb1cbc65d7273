"""Recordings of wake words for the page: list, play, label, remove. Everything here blocks.

A labelled recording is moved into a folder of its label, where the limit on recordings does not count.
``labelled/okay_nabu/*.wav`` hold that word, ``labelled/negative/*.wav`` no wake word. ``irene-wyoming tune-wake`` and
``learn-wake`` read this layout.
"""

import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irene_wyoming.errors import LimitExceeded, UnsupportedRequest

NAME = re.compile(r"(?P<time>\d{8}T\d{6}\.\d{6}Z)-(?P<kind>activation|near-miss)-(?P<word>[\w.-]{1,64})\.wav")
"""Names of the recorder's files. Only such files are listed, served, moved or removed."""

LABEL = re.compile(r"\w[\w.-]{0,63}")
"""The name of a folder of labelled recordings: a word."""

NEGATIVE = "negative"
"""The label of recordings without a wake word."""

RESERVED = ("positive",)
"""Folder names with another meaning for ``tune-wake``."""

LABELLED = "labelled"

MAX_LISTED = 500
"""Most recordings listed, the newest; the recorder keeps 200 by default."""

MAX_LABELLED = 1_000
"""Most labelled recordings, 100 MB of 3 s each: nothing else removes them."""

MAX_BYTES = 8_388_608
"""Most bytes of one recording. The longest that the recorder makes, 60 s, has 1.9 MB."""

MAX_SIDECAR_BYTES = 262_144
"""Most bytes of the scores beside a recording. 60 s of ten words have 100 kB."""

HEADER_BYTES = 44
BYTES_PER_S = 32_000
"""Bytes per second of a recording: 16 kHz, 16 bit, mono."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One kept recording."""

    path: Path
    label: str
    """The label of its folder; empty: it is not labelled."""

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def sidecar(self) -> Path:
        return self.path.with_suffix(".json")


class Recordings:
    """The recordings in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def labelled(self) -> Path:
        """The folder of labelled recordings."""
        return self.folder / LABELLED

    def of_label(self, label: str) -> list[Path]:
        """The labelled recordings of a word, the newest first."""
        return [kept.path for kept in newest(in_folder(self.labelled / label, label))]

    def listed(self) -> Mapping[str, Any]:
        """The newest recordings for the page, and the number of recordings with each label."""
        every = newest(self._every())
        counts: dict[str, int] = {}
        for kept in every:
            if kept.label:
                counts[kept.label] = counts.get(kept.label, 0) + 1
        shown = [told for kept in every[:MAX_LISTED] if (told := described(kept)) is not None]
        return {"recordings": shown, "of": len(every), "labels": counts}

    def read(self, name: str) -> bytes:
        """A recording as a wav file.

        :raises UnsupportedRequest: there is no recording of this name.
        """
        try:
            handle = os.open(self._find(name).path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise missing(name)
                content = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise missing(name) from error
        if len(content) > MAX_BYTES:
            raise UnsupportedRequest(f"{name} is larger than any recording of a word")
        return content

    def label(self, name: str, label: str) -> None:
        """Label a recording.

        :param label: a word, ``negative``, or empty to remove the label.
        :raises UnsupportedRequest: there is no such recording, or the label cannot be the name of a folder.
        :raises LimitExceeded: MAX_LABELLED others are labelled.
        """
        if label and (not LABEL.fullmatch(label) or label in RESERVED):
            raise UnsupportedRequest(f"{label!r} cannot be a label: expected letters, digits, dots, _ and -")
        kept = self._find(name)
        if label and not kept.label and sum(1 for each in self._every() if each.label) >= MAX_LABELLED:
            raise LimitExceeded(f"{MAX_LABELLED} recordings are labelled; remove some of them first")
        folder = self.labelled / label if label else self.folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                os.rename(kept.sidecar, folder / kept.sidecar.name)
            os.rename(kept.path, folder / name)
        except OSError as error:
            raise UnsupportedRequest(f"{name} cannot be moved to {folder}: {error.strerror}") from error

    def remove(self, name: str) -> None:
        """Remove a recording; raises UnsupportedRequest where there is none of this name, or it may not be removed."""
        kept = self._find(name)
        try:
            kept.path.unlink()
            kept.sidecar.unlink(missing_ok=True)
        except OSError as error:
            raise UnsupportedRequest(f"{name} cannot be removed: {error.strerror}") from error

    def _every(self) -> Iterator[Kept]:
        yield from in_folder(self.folder, "")
        with suppress(OSError), os.scandir(self.labelled) as folders:
            for each in folders:
                if each.is_dir(follow_symlinks=False) and LABEL.fullmatch(each.name):
                    yield from in_folder(Path(each.path), each.name)

    def _find(self, name: str) -> Kept:
        """Find a recording; raises UnsupportedRequest where there is none of this name."""
        if NAME.fullmatch(name):
            for kept in self._every():
                if kept.name == name:
                    return kept
        raise missing(name)


def missing(name: str) -> UnsupportedRequest:
    return UnsupportedRequest(f"there is no recording {name[:100]!r}; it may have been removed meanwhile")


def in_folder(folder: Path, label: str) -> Iterator[Kept]:
    """The recordings of one folder, which may be missing. Links and pipes do not count."""
    with suppress(OSError), os.scandir(folder) as files:
        for each in files:
            if NAME.fullmatch(each.name) and each.is_file(follow_symlinks=False):
                yield Kept(folder / each.name, label)


def newest(every: Iterator[Kept]) -> list[Kept]:
    """Sort the newest first: names begin with the time."""
    return sorted(every, key=lambda kept: kept.name, reverse=True)


def described(kept: Kept) -> Mapping[str, Any] | None:
    """Describe a recording for the page; None: it has gone meanwhile."""
    found = NAME.fullmatch(kept.name)
    assert found is not None
    try:
        size = kept.path.stat().st_size
    except OSError:
        return None
    beside = sidecar(kept.sidecar)
    return {
        "name": kept.name,
        "time": found["time"],
        "kind": found["kind"],
        "word": found["word"],
        "label": kept.label,
        "seconds": round(max(0, size - HEADER_BYTES) / BYTES_PER_S, 1),
        **{key: beside.get(key) for key in ("score", "level_dbfs", "snr_db")},
    }


def sidecar(path: Path) -> Mapping[str, Any]:
    """Read the recorder's data beside a recording; empty where there are none."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            found = json.loads(file.read(MAX_SIDECAR_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    numbers = found if isinstance(found, dict) else {}
    return {key: value for key, value in numbers.items() if isinstance(value, int | float)}
