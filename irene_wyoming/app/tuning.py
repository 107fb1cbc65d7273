"""How words are heard, changed while the servers run: checked, kept in the data folder, applied at once, taken back."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from irene_wyoming.app.asked import SETTINGS
from irene_wyoming.app.newsroom import Newsroom
from irene_wyoming.checks import Keys
from irene_wyoming.config import changes
from irene_wyoming.config.load import load, read_changes
from irene_wyoming.config.model import Config
from irene_wyoming.engines.base import WakeSettings
from irene_wyoming.errors import ConfigError, ServerUnavailable

MAX_UNDO = 20
"""Changes that can be taken back."""

TUNABLE = tuple(each.name for each in fields(WakeSettings))
"""What can be changed of a word."""


class Tuner:
    """The changes of one installation. One change at a time."""

    def __init__(self, config: Config, path: Path | None, environ: Mapping[str, str], newsroom: Newsroom) -> None:
        """:param path, environ: where the configuration was read from."""
        self.config = config
        """As it is with all changes."""
        self.path = path
        self.environ = environ
        self._newsroom = newsroom
        self._before: list[dict[Any, Any]] = []
        self._turn = asyncio.Lock()

    @property
    def can_undo(self) -> bool:
        return bool(self._before)

    async def change(self, word: str, setting: str, value: Any, satellite: str = "") -> None:
        """Have a word heard otherwise; a value of None: as the configuration says.

        :param satellite: the only one for which it holds; empty: every one.

        :raises ConfigError: it cannot be, or cannot be kept.
        """
        if setting not in TUNABLE:
            raise ConfigError(f"{setting!r}: expected one of {', '.join(TUNABLE)}")
        above: Keys = ("wake", "satellites", satellite) if satellite else ("wake",)
        keys: Keys = (*above, "models", word, setting)
        async with self._turn:
            now = await asyncio.to_thread(read_changes, self.config)
            await self._apply(changes.changed(now, keys, value))
            self._before = [*self._before, now][-MAX_UNDO:]

    async def undo(self) -> None:
        """Take the last change back.

        :raises ConfigError: there is none, or it cannot be kept.
        """
        async with self._turn:
            if not self._before:
                raise ConfigError("there is nothing to take back")
            await self._apply(self._before[-1])
            self._before.pop()

    async def _apply(self, data: Mapping[Any, Any]) -> None:
        folder = self.config.data_dir
        if folder is None:
            raise ConfigError("data_dir: null: expected a folder to keep changes in")
        config = await asyncio.to_thread(load, self.path, self.environ, changed=data)
        try:
            await asyncio.to_thread(changes.write, changes.path_in(folder), data)
        except OSError as error:
            raise ConfigError(f"the change cannot be kept in {folder}: {error.strerror}") from error
        self.config = config
        wake = self._newsroom.servers.get("wake")
        if wake is not None:
            models = {word: asdict(each) for word, each in config.wake.models.items()}
            satellites = {name: asdict(each) for name, each in config.wake.satellites.items()}
            try:
                await wake.ask(SETTINGS, models=models, satellites=satellites)
            except ServerUnavailable as error:
                raise ServerUnavailable(f"{error}; the change is kept and holds from its next start on") from error
