"""Layers of settings laid over one another; each remembers its source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from irene_wyoming.checks import Keys


@dataclass(frozen=True, slots=True)
class Layer:
    """The settings from one source."""

    source: str
    """The source's name for users: a file name or a variable."""
    data: Mapping[Any, Any]
    names: Mapping[Keys, str] = field(default_factory=dict)
    """The source's own names of settings, where these are not their paths."""

    def holds(self, path: Keys) -> bool:
        """Whether this layer sets the value at ``path``, by itself or as part of a mapping."""
        here: Any = self.data
        for key in path:
            if not isinstance(here, Mapping):
                return True
            if key not in here:
                return False
            here = here[key]
        return True

    def name(self, path: Keys) -> str:
        """The user's name for ``path`` in this source."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.names:
                return self.names[path[:length]] + dotted(path[length:])
        inside = [name for keys, name in self.names.items() if keys[: len(path)] == path]
        return inside[0] if inside else dotted(path)


def merge(layers: Sequence[Layer]) -> dict[Any, Any]:
    """Lay each layer over those before it, mappings key by key. Null over a mapping changes nothing."""
    merged: dict[Any, Any] = {}
    for layer in layers:
        merged = _over(merged, layer.data)
    return merged


def blame(layers: Sequence[Layer], path: Keys) -> Layer:
    """The layer that a user has to change for ``path``: the last one that sets it.

    If only the defaults, the first layer, set it, a later layer has changed a related setting. That is the layer which
    has a name for it, else the second.
    """
    later = layers[1:]
    for layer in reversed(later):
        if layer.holds(path):
            return layer
    return next((layer for layer in later if path in layer.names), later[0] if later else layers[0])


def nested(path: Keys, value: Any) -> dict[Any, Any]:
    """Settings that hold only ``value`` at ``path``."""
    for key in reversed(path):
        value = {key: value}
    return dict(value)


def dotted(path: Keys) -> str:
    """A path in the form ``asr.port``; list indices in brackets, counted from 0."""
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
