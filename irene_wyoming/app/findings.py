"""Finding: one thing that ``check`` has looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """Works, but not all of it."""
    ERROR = "error"
    """Does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    about: str
    """What was looked at, as in ``wake.providers.openwakeword``."""
    text: str
