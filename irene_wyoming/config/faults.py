"""Faults of a configuration in a user's words: the place, the value, and what is allowed."""

import reprlib
from collections.abc import Mapping
from typing import Any

from irene_wyoming.checks import Fault, Keys, Wrong, guarded
from irene_wyoming.config.layers import dotted
from irene_wyoming.errors import ConfigError


class Refused(ConfigError):
    """Raised for a configuration with faults. Where it helps, each problem begins with the written value."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(f"{dotted(fault.path)}: {fault.problem}" for fault in faults))
        self.faults = faults


def refused(wrong: Wrong, data: Mapping[Any, Any]) -> Refused:
    """Make the error for faults in ``data``, with the values that stand there."""
    return Refused(tuple(_told(fault, data) for fault in wrong.faults))


def _told(fault: Fault, data: Mapping[Any, Any]) -> Fault:
    value = _value(data, fault.path)
    if not fault.shown or isinstance(value, Mapping):
        return fault
    return Fault(fault.path, f"{_shown(value)}: {fault.problem}")


def _value(data: Any, path: Keys) -> Any:
    """The value at ``path``; a missing one counts as an empty mapping."""
    for key in path:
        if isinstance(data, Mapping) and key not in data:
            return {}
        data = data[key]
    return data


class _Short(reprlib.Repr):
    """Prints values like YAML, and shortens long ones so that they do not hide the message."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 60

    def repr_str(self, value: str, level: int) -> str:
        return super().repr_str(guarded(value), level)  # hide secrets before shortening, which may cut off the @

    def repr_bool(self, value: bool, _: int) -> str:
        return str(value).lower()

    def repr_NoneType(self, _value: None, _level: int) -> str:  # noqa: N802 (reprlib looks methods up by type)
        return "null"


_shown = _Short().repr
