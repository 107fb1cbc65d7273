"""Settings changed at the page: a file in the data folder, laid over the configuration and under variables."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from irene_wyoming import files
from irene_wyoming.checks import Keys
from irene_wyoming.config.layers import Layer, merge, nested

HEAD = """\
# Changed at the page of irene-wyoming, which writes this file. It wins over the configuration; variables win over it.
# Remove a line, or the file, to have what the configuration says.
"""


def path_in(data_dir: Path) -> Path:
    return data_dir / "changes.yaml"


def changed(data: Mapping[Any, Any], path: Keys, value: Any) -> dict[Any, Any]:
    """Add one change; a value of None takes a change back."""
    if value is not None:
        return merge([Layer("", data), Layer("", nested(path, value))])
    return without(data, path)


def without(data: Mapping[Any, Any], path: Keys) -> dict[Any, Any]:
    """Remove the value at ``path``, and mappings that become empty."""
    first, *rest = path
    kept = dict(data)
    if not rest:
        kept.pop(first, None)
    elif isinstance(kept.get(first), Mapping):
        inner = without(kept[first], tuple(rest))
        if inner:
            kept[first] = inner
        else:
            del kept[first]
    return kept


def text(data: Mapping[Any, Any]) -> str:
    """The changes as the text of their file."""
    return HEAD + (yaml.safe_dump(dict(data), allow_unicode=True, sort_keys=False) if data else "")


def settings(data: Mapping[Any, Any], above: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Iterate over single settings, each with its path."""
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from settings(value, (*above, key))
        else:
            yield (*above, key), value


def write(path: Path, data: Mapping[Any, Any]) -> None:
    """Replace the file in one step, or remove it where there are no changes. Blocks.

    :raises OSError: the file cannot be written.
    """
    if not data:
        path.unlink(missing_ok=True)
        return
    files.replace(path, text(data))
