"""Changes of word settings while the servers run: checked, kept in the data folder, applied at once, undone."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from irene_wyoming.app.asked import SETTINGS
from irene_wyoming.app.newsroom import Newsroom
from irene_wyoming.checks import Keys
from irene_wyoming.config import changes, env
from irene_wyoming.config.load import load, read_changes
from irene_wyoming.config.model import Config
from irene_wyoming.config.wake import ArbitrationConfig, WakeConfig
from irene_wyoming.engines.base import WakeSettings
from irene_wyoming.errors import ConfigError, ServerUnavailable

MAX_UNDO = 20
"""Most changes that can be undone."""

TUNABLE = tuple(each.name for each in fields(WakeSettings))
"""Settings of a word that can be changed."""

ARBITRATION = tuple(each.name for each in fields(ArbitrationConfig))
"""Settings of arbitration that can be changed."""


class Tuner:
    """The changes of one installation, one at a time."""

    def __init__(self, config: Config, path: Path | None, environ: Mapping[str, str], newsroom: Newsroom) -> None:
        """:param path, environ: file and variables of the configuration."""
        self.config = config
        """The configuration with all changes."""
        self.path = path
        self.environ = environ
        self._newsroom = newsroom
        self._before: list[dict[Any, Any]] = []
        self._turn = asyncio.Lock()

    @property
    def can_undo(self) -> bool:
        return bool(self._before)

    async def change(self, word: str, setting: str, value: Any, satellite: str = "") -> None:
        """Change a setting of a word; None restores the configuration's value.

        :param satellite: the satellite that it is for; empty: all.

        :raises ConfigError: the change is invalid or cannot be kept.
        """
        if setting not in TUNABLE:
            raise ConfigError(f"{setting!r}: expected one of {', '.join(TUNABLE)}")
        above: Keys = ("wake", "satellites", satellite) if satellite else ("wake",)
        await self._make([((*above, "models", word, setting), value)])

    async def use(self, word: str, threshold: float, trigger_level: int) -> None:
        """Apply the recommendation for a word as one change.

        :raises ConfigError: the change is invalid or cannot be kept.
        """
        above: Keys = ("wake", "models", word)
        await self._make([((*above, "threshold"), threshold), ((*above, "trigger_level"), trigger_level)])

    async def arbitrate(self, setting: str, value: Any) -> None:
        """Change a setting of arbitration; None restores the configuration's value.

        :raises ConfigError: the change is invalid or cannot be kept.
        """
        if setting not in ARBITRATION:
            raise ConfigError(f"{setting!r}: expected one of {', '.join(ARBITRATION)}")
        await self._make([(("wake", "arbitration", setting), value)])

    async def record(self, word: str, *, on: bool) -> None:
        """Switch the recording of a word on or off.

        :raises ConfigError: the change is invalid or cannot be kept.
        """
        now = self.config.wake.recordings
        if now.enabled and now.words is None:
            raise ConfigError("wake.recordings.words: null: every word is recorded; name words there, to choose here")
        recorded = list(now.words or ()) if now.enabled else []
        words = [each for each in recorded if each != word] + ([word] if on else [])
        above: Keys = ("wake", "recordings")
        await self._make([((*above, "enabled"), bool(words)), ((*above, "words"), words)])

    async def _make(self, made: Sequence[tuple[Keys, Any]]) -> None:
        """Make changes that belong together, keep them, and apply them.

        :raises ConfigError: one is invalid, or an environment variable would win over it.
        """
        for keys, _ in made:
            variable = env.PREFIX + "__".join(map(str, keys)).upper()
            if variable in self.environ:
                raise ConfigError(f"{variable} is set where this program is started, and wins over the page")
        async with self._turn:
            before = await asyncio.to_thread(read_changes, self.config)
            now = before
            for keys, value in made:
                now = changes.changed(now, keys, value)
            await self._apply(now)
            self._before = [*self._before, before][-MAX_UNDO:]

    async def undo(self) -> None:
        """Undo the last change.

        :raises ConfigError: there is no change, or the result cannot be kept.
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
            try:
                await wake.ask(SETTINGS, **asked_of(config.wake))
            except ServerUnavailable as error:
                raise ServerUnavailable(f"{error}; the change is kept and holds from its next start on") from error


def asked_of(settings: WakeConfig) -> dict[str, Any]:
    """The changed settings for a wake server, as JSON values."""
    recordings = asdict(settings.recordings)
    return {
        "models": {word: asdict(each) for word, each in settings.models.items()},
        "satellites": {name: asdict(each) for name, each in settings.satellites.items()},
        "arbitration": asdict(settings.arbitration),
        "recordings": recordings | {"folder": recordings["folder"] and str(recordings["folder"])},
    }
