"""Options that several speech-to-text engines have, and their checks."""

from typing import Any

from irene_wyoming.engines.base import Option


def text_or_null(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError("expected null or text that is not empty")
    return value.strip()


def phrases(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item.strip() for item in value):
        raise ValueError("expected a list of phrases, e.g. ['good night', 'open the roof']")
    return tuple(" ".join(item.split()) for item in value)


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


MODEL = Option(
    None, text_or_null, "folder of the model: a path, or its name in the data folder; null: the only one there"
)
