"""Watched: what a wake word engine can do besides its work where a user can add models to it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable


@runtime_checkable
class Watched(Protocol):
    """A wake word engine whose models come and go while it works."""

    @property
    def refused(self) -> Mapping[Path, str]:
        """Files that are meant to be models and are of no use, and why."""

    def refresh(self) -> bool:
        """Look again at what there is; True: ``models()`` gives something else than before. Sessions in use are left
        alone. Slow; to be called on another thread than everything else, by one caller at a time.
        """
