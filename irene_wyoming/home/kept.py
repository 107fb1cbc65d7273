"""Keeps the last good list of names in a file, so that the next start does not depend on Home Assistant."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from irene_wyoming import files
from irene_wyoming.errors import HomeUnavailable
from irene_wyoming.home.things import Things
from irene_wyoming.language.vocabulary import Name

FORMAT = 1
"""Version of the file's format. Files of other versions are not read."""

MAX_BYTES = 16_777_216
"""Most bytes of the file: 10,000 names of 120 characters with their aliases take fewer."""


def path_in(data_dir: Path) -> Path:
    return data_dir / "home" / "names.json"


def save(path: Path, things: Things) -> None:
    """Replace the file in one step. Only this program's user may read it. It blocks.

    :raises OSError: the file cannot be written.
    """
    files.replace(path, json.dumps({"format": FORMAT, **asdict(things)}, ensure_ascii=False))


def load(path: Path) -> Things | None:
    """Load the saved names; None: there are none. It blocks.

    :raises HomeUnavailable: the file cannot be used.
    """
    try:
        return parse(json.loads(files.read(path, MAX_BYTES)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise HomeUnavailable(f"{path}: the names that were kept cannot be read: {error}") from error


def parse(document: Any) -> Things:
    """Read names from a document; raises ValueError, TypeError or KeyError where ``save`` did not write it."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"expected format {FORMAT}")
    return Things(
        names=tuple(name(each) for each in document["names"]),
        sentences=strings(document["sentences"]),
        left_out=strings(document["left_out"]),
        version=str(document["version"]),
        read_at=float(document["read_at"]),
    )


def name(document: Any) -> Name:
    kind, aliases = document["kind"], strings(document["aliases"])
    written, domain, area, floor = (document[key] for key in ("written", "domain", "area", "floor"))
    texts = [value for value in (written, domain, area, floor) if value is not None]
    if kind not in ("floor", "area", "entity") or not written or not all(isinstance(each, str) for each in texts):
        raise ValueError("a name is damaged")
    return Name(written, kind, domain, aliases, area, floor)


def strings(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        raise ValueError("a list of texts is damaged")
    return tuple(values)
