"""Lets the page change how words are heard and recorded by a running wake server."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irene_wyoming.app.asked import SETTINGS
from irene_wyoming.config.wake import RecordingsConfig, SatelliteConfig
from irene_wyoming.engines.base import WakeSettings
from irene_wyoming.engines.wake.recorder import Recorder, RecorderSettings
from irene_wyoming.news import NEWS
from irene_wyoming.servers.arbitration import Arbitration
from irene_wyoming.servers.satellites import Satellites

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Changeable:
    """The parts of a running wake server that can be changed."""

    satellites: Satellites
    arbitration: Arbitration
    recorder: Recorder
    data_dir: Path | None

    def change(self, asked: Mapping[str, Any]) -> None:
        """Apply new settings while streams go on.

        :param asked: settings from ``asked_of``.
        """
        own = {
            name: SatelliteConfig(WakeSettings(**one["settings"]), of_words(one["models"]))
            for name, one in asked["satellites"].items()
        }
        wanted = recorder_settings(recordings_of(asked["recordings"]), self.data_dir)
        if wanted != self.recorder.settings:
            if wanted is None:
                log.info("wake: recordings are off")
            else:
                words = "every word" if wanted.words is None else ", ".join(sorted(wanted.words))
                log.warning("wake: recordings of %s are on, kept in %s", words, wanted.folder)
        self.recorder.settings = wanted
        self.arbitration.change(asked["arbitration"]["window_ms"] / 1000, always=asked["arbitration"]["always"])
        # last, since streams look for it and then take the others
        self.satellites.change(of_words(asked["models"]), own)


@contextmanager
def changeable(what: Changeable) -> Iterator[None]:
    """Let the page change how words are heard while the context lasts."""

    async def change(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        what.change(asked)
        return {}

    NEWS.doers[SETTINGS] = change
    try:
        yield
    finally:
        NEWS.doers.pop(SETTINGS, None)  # another server of this process may have removed it


def of_words(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, WakeSettings]:
    return {word: WakeSettings(**each) for word, each in settings.items()}


def recordings_of(asked: Mapping[str, Any]) -> RecordingsConfig:
    """Read settings of recordings from JSON, where paths are text and tuples are lists."""
    folder, words = asked["folder"], asked["words"]
    return RecordingsConfig(
        **{
            **asked,
            "folder": None if folder is None else Path(folder),
            "words": None if words is None else tuple(words),
        }
    )


def recorder_settings(settings: RecordingsConfig, data_dir: Path | None) -> RecorderSettings | None:
    """The settings for the recorder; None: nothing is recorded."""
    folder = settings.place(data_dir)
    if not settings.enabled or folder is None:
        return None
    return RecorderSettings(
        folder,
        settings.near_miss_threshold,
        settings.seconds_before,
        settings.max_files,
        settings.max_bytes,
        None if settings.words is None else frozenset(settings.words),
    )
