"""Watched: the protocol of wake word engines to which a user can add models."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class Watched(Protocol):
    """A wake word engine whose models come and go while it works."""

    @property
    def refused(self) -> Mapping[Path, str]:
        """Useless model files, with reasons."""

    def refresh(self) -> bool:
        """Look for changed models; returns whether ``models()`` has changed. Sessions in use stay. Slow: call it on a
        thread of its own, one caller at a time.
        """
