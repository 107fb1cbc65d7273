"""What is wrong with a configuration, in a user's words: where it is, the value, what is allowed."""

import reprlib
from collections.abc import Mapping
from typing import Any

from irene_wyoming.checks import Fault, Keys, Wrong, discreet
from irene_wyoming.config.layers import dotted
from irene_wyoming.errors import ConfigError


class Refused(ConfigError):
    """A configuration that is wrong in one or more places. Each fault's problem begins with the value that was written,
    where that helps.
    """

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(f"{dotted(fault.path)}: {fault.problem}" for fault in faults))
        self.faults = faults


def refused(wrong: Wrong, data: Mapping[Any, Any]) -> Refused:
    """What was found wrong in ``data``, with the values that stand there."""
    return Refused(tuple(_told(fault, data) for fault in wrong.faults))


def _told(fault: Fault, data: Mapping[Any, Any]) -> Fault:
    value = _value(data, fault.path)
    if not fault.shown or isinstance(value, Mapping):
        return fault
    return Fault(fault.path, f"{_shown(value)}: {fault.problem}")


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

    def repr_str(self, value: str, level: int) -> str:
        return super().repr_str(discreet(value), level)  # before it is made short, which may cut off the @

    def repr_bool(self, value: bool, _: int) -> str:
        return str(value).lower()

    def repr_NoneType(self, _value: None, _level: int) -> str:  # noqa: N802 (reprlib looks methods up by type)
        return "null"


_shown = _Short().repr
