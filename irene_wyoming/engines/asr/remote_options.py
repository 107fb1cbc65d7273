"""Checks of the options of engines that decode elsewhere."""

from typing import Any


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable() or len(value) > 128:
        raise ValueError("expected a name of at most 128 characters")
    return value.strip()


def path(value: Any) -> str | None:
    if value is not None and (not isinstance(value, str) or not value.strip() or not value.isprintable()):
        raise ValueError("expected null or a path")
    return value


def languages(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(
        isinstance(tag, str) and tag.isprintable() and tag for tag in value
    ):
        raise ValueError("expected a list of language tags, e.g. [en, de-DE]")
    return tuple(value)


def seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.1 <= value <= 120:
        raise ValueError("expected seconds, 0.1 to 120")
    return float(value)


def boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("expected true or false")
    return value
