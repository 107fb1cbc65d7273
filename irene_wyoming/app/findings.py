"""Finding: the result of one thing that ``check`` has looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """The thing works, but not fully."""
    ERROR = "error"
    """The thing does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    about: str
    """The subject, such as ``wake.providers.openwakeword``."""
    text: str
