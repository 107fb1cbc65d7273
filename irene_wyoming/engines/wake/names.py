"""Finds the model for a name that a hub has stored. Pure.

Hubs keep names for years: those of openWakeWord 1.x's files (``hey_jarvis_v0.1``), of satellites' documentation
(``ok_nabu``), and typed phrases (``Okay Nabu``). All spellings of a word mean one model here.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

VERSION = re.compile(r"[\s_.-]+(?:v\d+(?:[._]\d+)*|\d{8}(?:\.\d+)?)$")
"""Matches a version behind a name: ``_v0.1`` of openWakeWord, ``_20241226.3`` of microWakeWord."""

FILES = re.compile(r"\.(?:tflite|onnx|json)$")
"""Matches the suffix of a file, since hubs may also have stored names of files."""

HELPERS = frozenset({"vad", "silerovad", "melspectrogram", "embeddingmodel"})
"""Folded names of models that are published beside wake words and hear none."""

NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Resolved:
    """The models for a client's names."""

    asked: Mapping[str, str]
    """The client's name of each model, the first one where it gave several."""
    unknown: tuple[str, ...]
    """Names without a model here, as the client wrote them."""


def plain(name: str) -> str:
    """A name without capitals, accents, folders and suffix; separators of words stay."""
    text = unicodedata.normalize("NFKD", name).casefold().strip().rsplit("/", 1)[-1]
    return FILES.sub("", "".join(c for c in text if not unicodedata.combining(c)))


def folded(name: str) -> str:
    """A name for comparison: letters and digits only, no version, ``ok`` as ``okay``."""
    return _joined(VERSION.sub("", plain(name)))


def versioned(name: str) -> str:
    """A name for comparison, like ``folded``, with its version."""
    return _joined(plain(name))


def _joined(text: str) -> str:
    joined = "".join(c for c in text if c.isalnum())
    return f"okay{joined[2:]}" if joined.startswith("ok") and not joined.startswith("okay") else joined


def is_helper(name: str) -> bool:
    """Whether a model of this name only serves others and is no wake word."""
    return folded(name) in HELPERS


class Known:
    """The existing models, indexed for look-ups by hubs' names."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._versioned: dict[str, list[str]] = {}
        self._folded: dict[str, list[str]] = {}
        for name in self._names:
            self._versioned.setdefault(versioned(name), []).append(name)
            self._folded.setdefault(folded(name), []).append(name)

    def find(self, wanted: str) -> str | None:
        """Find the model for a name, the newest of several versions; None: there is none.

        The name itself goes first, then the same version in another spelling, then any version.
        """
        if wanted in self._names:
            return wanted
        loose = folded(wanted)
        return _newest(self._versioned.get(versioned(wanted)) or self._folded.get(loose, [])) if loose else None


def resolve(wanted: str, known: Iterable[str]) -> str | None:
    """Find the model for a single name among known ones; see ``Known.find``."""
    return Known(known).find(wanted)


def _newest(names: Sequence[str]) -> str | None:
    """The newest of several versions. A name without a version wins: it is packaged, or the one that the user means."""
    return max(names, key=lambda name: (VERSION.search(plain(name)) is None, _version(name)), default=None)


def _version(name: str) -> tuple[int, ...]:
    found = VERSION.search(plain(name))
    return tuple(map(int, NUMBERS.findall(found[0]))) if found else ()


def resolved(wanted: Iterable[str], known: Iterable[str]) -> Resolved:
    """Find the models for all these names."""
    models = Known(known)
    asked: dict[str, str] = {}
    unknown = []
    for name in wanted:
        model = models.find(name)
        if model is None:
            unknown.append(name)
        else:
            asked.setdefault(model, name)
    return Resolved(asked, tuple(unknown))
