"""The border to voluptuous's errors: each becomes a path and a line that says what is allowed there."""

import difflib
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import voluptuous as vol

from irene_wyoming.config.layers import Keys, dotted
from irene_wyoming.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    path: Keys
    problem: str
    """The value, where that helps, and what is allowed."""


class Refused(ConfigError):
    """A configuration that is wrong in one or more places."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(f"{dotted(fault.path)}: {fault.problem}" for fault in faults))
        self.faults = faults


class UnknownKey(vol.Invalid):
    """Raised for the value of a key that is not among ``known``."""

    def __init__(self, problem: str, known: list[str]) -> None:
        super().__init__(problem)
        self.known = known


def refused(error: vol.MultipleInvalid, data: Mapping[Any, Any]) -> Refused:
    """What voluptuous found wrong in ``data``, in our words."""
    return Refused(tuple(_fault(each, data) for each in error.errors))


def _fault(error: vol.Invalid, data: Mapping[Any, Any]) -> Fault:
    path = tuple(key.schema if isinstance(key, vol.Marker) else key for key in error.path)
    if isinstance(error, vol.RequiredFieldInvalid):
        return Fault(path, "missing")
    if isinstance(error, UnknownKey):
        close = difflib.get_close_matches(str(path[-1]), error.known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(error.known)}"
        return Fault(path, f"{error.msg}; {hint}")
    value = _value(data, path)
    return Fault(path, error.msg if isinstance(value, Mapping) else f"{_shown(value)}: {error.msg}")


def _value(data: Any, path: Keys) -> Any:
    """What was written at ``path``; a mapping, too, where nothing was."""
    for key in path:
        if isinstance(data, Mapping) and key not in data:
            return {}
        data = data[key]
    return data


class _Short(reprlib.Repr):
    """Values as in YAML, and none so long that it hides the message."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 60

    def repr_bool(self, value: bool, _: int) -> str:
        return str(value).lower()

    def repr_NoneType(self, _value: None, _level: int) -> str:  # noqa: N802 (reprlib looks methods up by type)
        return "null"


_shown = _Short().repr
