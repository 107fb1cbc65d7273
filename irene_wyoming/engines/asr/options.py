"""Options that several speech-to-text engines share, and their checks."""

from typing import Any

from irene_wyoming import checks
from irene_wyoming.checks import number, or_null
from irene_wyoming.engines.base import Option

text_or_null = or_null(checks.text)


def phrases(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item.strip() for item in value):
        raise ValueError("expected a list of phrases, e.g. ['good night', 'open the roof']")
    return tuple(" ".join(item.split()) for item in value)


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable() or len(value) > 128:
        raise ValueError("expected a name of at most 128 characters")
    return value.strip()


def languages(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(
        isinstance(tag, str) and tag.isprintable() and tag for tag in value
    ):
        raise ValueError("expected a list of language tags, e.g. [en, de-DE]")
    return tuple(value)


seconds = number("seconds", 0.1, 120)
"""Check of a remote service's time: less than 0.1 s fails on a good link, and nobody waits for two minutes."""

MODEL = Option(
    None, text_or_null, "folder of the model: a path, or its name in the data folder; null: the only one there"
)
