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


MODEL = Option(
    None, text_or_null, "folder of the model: a path, or its name in the data folder; null: the only one there"
)
