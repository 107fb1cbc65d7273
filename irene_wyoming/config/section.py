"""A section of the configuration is a dataclass: its fields are the keys, and its voluptuous schema follows from them.

- A field that ``checks.setting`` makes is a key with its check and, perhaps, its default.
- A field whose type is a dataclass with keys is a section within.
- A field that ``flat`` makes is such a dataclass, too, but its keys stand beside the others.
- Any other field has a default, is no key, and is filled in by ``settled``.
"""

import difflib
from collections.abc import Mapping
from dataclasses import MISSING, Field, field, fields, is_dataclass
from typing import Any, Protocol, Self, get_type_hints, runtime_checkable

import voluptuous as vol

from irene_wyoming.checks import CHECK, Check, Fault, Keys, Wrong

FLAT = "flat"
"""Key of a field's metadata: its keys stand beside those of the section."""


@runtime_checkable
class Settles(Protocol):
    """A section that checks or completes itself once each of its keys is right."""

    def settled(self) -> Self:
        """Return the completed section; raises Wrong for values that do not go together, with paths from here."""


def flat() -> Any:
    """Make a field whose dataclass has keys of its own, which stand beside those of the section."""
    return field(metadata={FLAT: True})


def keys(section: type[Any], given: Mapping[str, Check] | None = None) -> dict[str, tuple[Check, Any]]:
    """The check and default of each key, by name; MISSING: the key is required.

    :param given: checks of keys that the section cannot know itself, such as its engines.
    """
    found: dict[str, tuple[Check, Any]] = {}
    for each, kind in _typed(section):
        if each.name in (given or {}):
            found[each.name] = ((given or {})[each.name], MISSING)
        elif each.metadata.get(FLAT):
            found |= keys(kind)
        elif CHECK in each.metadata:
            default = each.default if each.default_factory is MISSING else each.default_factory()
            found[each.name] = (each.metadata[CHECK], default)
        elif isinstance(kind, type) and is_dataclass(kind) and keys(kind):
            found[each.name] = (checked(kind), MISSING)
    return found


def checked(
    section: type[Any],
    *,
    given: Mapping[str, Check] | None = None,
    options: Mapping[str, tuple[Check, Any]] | None = None,
) -> Check:
    """Make the check of a mapping that holds one section. It returns the dataclass, settled.

    :param given: checks of keys that the section cannot know itself, such as its engines.
    :param options: further keys with their checks and defaults, whose values become the field ``options``.
    """
    further = options or {}
    mapping = of_mapping({**keys(section, given), **further})

    def check(value: Any) -> Any:
        values = mapping(value)
        if options is not None:
            values["options"] = {name: values.pop(name) for name in further}
        made = _made(section, values)
        return made.settled() if isinstance(made, Settles) else made

    return check


def of_mapping(known: Mapping[str, tuple[Check, Any]], *, unknown: str = "unknown key") -> Check:
    """Make the check of a mapping with exactly these keys.

    :param known: by name, the check and default of each key; MISSING: the key is required.
    :param unknown: the problem reported for any other key.
    """

    def refuse(_: Any) -> None:
        raise _UnknownKey(unknown)

    names: dict[Any, Any] = {vol.Required(name): _validator(each) for name, (each, _) in known.items()}
    schema = vol.Schema({**names, vol.Extra: refuse})
    defaults = {name: default for name, (_, default) in known.items() if default is not MISSING}

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Wrong("expected a mapping")
        missing = {name: default for name, default in defaults.items() if name not in value}
        try:
            return dict(schema({**value, **missing}))
        except vol.MultipleInvalid as error:
            raise Wrong(faults=tuple(_fault(each, list(known)) for each in error.errors)) from error

    return check


class _UnknownKey(vol.Invalid):
    """Raised for a key that is not among the known ones."""


class _Found(vol.Invalid):
    """Carries a fault through voluptuous."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.problem, list(fault.path))
        self.shown = fault.shown


def _typed(section: type[Any]) -> list[tuple[Field[Any], Any]]:
    """The section's fields with their types."""
    hints = get_type_hints(section)
    return [(each, hints[each.name]) for each in fields(section)]


def _made(section: type[Any], values: dict[str, Any]) -> Any:
    """Make the dataclass from checked values, which are removed from the mapping. Flat fields are made first."""
    arguments: dict[str, Any] = {}
    for each, kind in _typed(section):
        if each.metadata.get(FLAT):
            arguments[each.name] = _made(kind, values)
        elif each.name in values:
            arguments[each.name] = values.pop(each.name)
    return section(**arguments)


def _validator(check: Check) -> Check:
    """Make voluptuous's form of a check; it would lose the message of a ValueError."""

    def validate(value: Any) -> Any:
        try:
            return check(value)
        except Wrong as wrong:
            raise vol.MultipleInvalid([_Found(fault) for fault in wrong.faults]) from wrong
        except (ValueError, TypeError) as error:
            raise vol.Invalid(str(error)) from error

    return validate


def _fault(error: vol.Invalid, known: list[str]) -> Fault:
    path: Keys = tuple(key.schema if isinstance(key, vol.Marker) else key for key in error.path)
    if isinstance(error, vol.RequiredFieldInvalid):
        return Fault(path, "missing", shown=False)
    if isinstance(error, _UnknownKey):
        close = difflib.get_close_matches(str(path[-1]), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(known)}"
        return Fault(path, f"{error.msg}; {hint}", shown=False)
    return Fault(path, error.msg, shown=getattr(error, "shown", True))
