"""Layers of settings laid over one another, each remembering where it came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from irene_wyoming.checks import Keys


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings from one place."""

    source: str
    """What a user would call that place: a file name, a variable."""
    data: Mapping[Any, Any]
    names: Mapping[Keys, str] = field(default_factory=dict)
    """What the place itself calls a setting, where that is not its path."""

    def holds(self, path: Keys) -> bool:
        """Whether the value at ``path`` was said here, by itself or as part of something larger."""
        here: Any = self.data
        for key in path:
            if not isinstance(here, Mapping):
                return True
            if key not in here:
                return False
            here = here[key]
        return True

    def name(self, path: Keys) -> str:
        """What the user wrote for ``path``."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.names:
                return self.names[path[:length]] + dotted(path[length:])
        inside = [name for keys, name in self.names.items() if keys[: len(path)] == path]
        return inside[0] if inside else dotted(path)


def merge(layers: Sequence[Layer]) -> dict[Any, Any]:
    """Lay each over those before it: mappings key by key, everything else whole. Nothing over a mapping leaves it."""
    merged: dict[Any, Any] = {}
    for layer in layers:
        merged = _over(merged, layer.data)
    return merged


def blame(layers: Sequence[Layer], path: Keys) -> Layer:
    """The layer that a user has to change for ``path``: the last to say it.

    Where only the first, the defaults, says it, it was right until a later layer changed what goes with it. That is the
    one which has a name for it, else the second.
    """
    later = layers[1:]
    for layer in reversed(later):
        if layer.holds(path):
            return layer
    return next((layer for layer in later if path in layer.names), later[0] if later else layers[0])


def nested(path: Keys, value: Any) -> dict[Any, Any]:
    """Settings that hold ``value`` at ``path`` and nothing else."""
    for key in reversed(path):
        value = {key: value}
    return dict(value)


def dotted(path: Keys) -> str:
    """``asr.port``; list indices in brackets, counted from 0 as in YAML tools."""
    text = ""
    for key in path:
        text += f"[{key}]" if type(key) is int else f".{key}"
    return text.removeprefix(".")


def _over(below: Mapping[Any, Any], above: Mapping[Any, Any]) -> dict[Any, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[key] = _over(old, value)
        elif not (isinstance(old, Mapping) and value is None):
            merged[key] = value
    return merged
