"""Reads folders with recordings of people and their texts.

A folder has ``labels.json`` (the slots of each file), ``slots.json`` (all values of each slot) and ``sentence.txt`` (a
sentence template that covers them), or a text beside each recording, FILE.txt. An empty text stands for speech that is
no command. A folder of other speech needs no texts.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irene_wyoming.bench.verdict import compared, difference, same_command, slots_in, slots_that_differ
from irene_wyoming.errors import AudioError

Reader = Callable[[Path], bytes]
"""Reads a wav file as 16 kHz, 16 bit, mono."""

MAX_TEXT_BYTES = 1 << 20
"""Most bytes of a file with labels or a text, so that a mistaken file is not read into memory."""

HALVES = {"even": 0, "odd": 1}


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recording and its text or slots."""

    name: str
    pcm: bytes
    """PCM at 16 kHz, 16 bit, mono."""
    text: str | None
    """The spoken text; None: only the slots are known."""
    slots: Mapping[str, str] | None = None
    values: Mapping[str, Sequence[str]] | None = None
    """All values of each slot; None: there are no slots."""

    @property
    def command(self) -> bool:
        """Whether the recording has something to understand."""
        return bool(self.text) or self.slots is not None

    def mistakes(self, heard: str) -> list[str]:
        """The kinds of mistakes in a transcript: names of wrong slots, or kinds of wrong words. Empty: it is right."""
        text = compared(heard)
        if self.slots is not None and self.values is not None:
            return list(slots_that_differ(self.slots, slots_in(text, self.values)))
        said = compared(self.text or "")
        return [] if same_command(said, text) else [difference(said, text)]

    def slots_right(self, heard: str) -> int:
        """The number of slots whose values are in a transcript."""
        found = slots_in(compared(heard), self.values or {})
        return sum(found.get(slot) == value for slot, value in (self.slots or {}).items())


@dataclass(frozen=True, slots=True)
class Folder:
    """Recordings that belong together."""

    name: str
    spoken: tuple[Spoken, ...]
    sentences: tuple[str, ...] = ()
    """Templates of sentences that a server needs for these commands."""


def folder_of(path: Path, read: Reader, *, other: bool = False, half: str | None = None, limit: int = 0) -> Folder:
    """Read the recordings of a folder.

    :param read: reads a wav file as 16 kHz, 16 bit, mono.
    :param other: it holds other speech; texts are not read.
    :param half: ``odd`` or ``even`` file numbers only; None: all.
    :param limit: most recordings; 0: all.
    :raises AudioError: there is no recording, or one lacks its text.
    """
    files = sorted(path.glob("*.wav"))
    if half is not None and len(files) > 1:  # a lone recording is in both halves
        files = [file for place, file in enumerate(files) if number(file, place) % 2 == HALVES[half]]
    files = files[: limit or None]
    if not files:
        raise AudioError(f"{path}: no wav file there; expected files such as lamp.wav and lamp.txt")
    if not other and (path / "labels.json").exists():
        return labelled(path, files, read)
    return Folder(path.name, tuple(Spoken(file.stem, read(file), "" if other else said_in(file)) for file in files))


def labelled(path: Path, files: Sequence[Path], read: Reader) -> Folder:
    """Read a folder with slots."""
    labels, values = parsed(path / "labels.json"), parsed(path / "slots.json")
    missing = [file.name for file in files if file.name not in labels]
    if missing:
        raise AudioError(f"{path / 'labels.json'}: it says nothing of {missing[0]}")
    spoken = tuple(Spoken(file.stem, read(file), None, labels[file.name], values) for file in files)
    template = path / "sentence.txt"
    return Folder(path.name, spoken, tuple(lines(template)) if template.exists() else ())


def said_in(file: Path) -> str:
    """Read a recording's text; raises AudioError where there is none."""
    written = file.with_suffix(".txt")
    try:
        return text_of(written).strip()
    except (OSError, ValueError) as error:
        raise AudioError(f"{written}: expected what is said in {file.name}: {error}") from error


def number(file: Path, place: int) -> int:
    """The number at the end of a file's name; without one, its place in the folder."""
    found = re.search(r"(\d+)$", file.stem)
    return int(found[1]) if found else place


def parsed(path: Path) -> dict[str, Any]:
    """Read a JSON object; raises AudioError where the file cannot be read or holds none."""
    try:
        found = json.loads(text_of(path))
    except (OSError, ValueError) as error:
        raise AudioError(f"{path}: {error}") from error
    if not isinstance(found, dict):
        raise AudioError(f"{path}: expected a JSON object")
    return found


def lines(path: Path) -> Iterator[str]:
    return (line.strip() for line in text_of(path).splitlines() if line.strip())


def text_of(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.read(MAX_TEXT_BYTES)
