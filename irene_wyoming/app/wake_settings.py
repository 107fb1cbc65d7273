"""Has the page change how words are heard by a wake server that runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from irene_wyoming.app.asked import SETTINGS
from irene_wyoming.config.model import SatelliteConfig
from irene_wyoming.engines.base import WakeSettings
from irene_wyoming.news import NEWS
from irene_wyoming.servers.satellites import Satellites


@contextmanager
def changeable(satellites: Satellites) -> Iterator[None]:
    """Have the page change how words are heard, for as long as the context lasts."""

    async def change(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        own = {
            name: SatelliteConfig(WakeSettings(**one["settings"]), of_words(one["models"]))
            for name, one in asked["satellites"].items()
        }
        satellites.change(of_words(asked["models"]), own)
        return {}

    NEWS.doers[SETTINGS] = change
    try:
        yield
    finally:
        NEWS.doers.pop(SETTINGS, None)  # a second server in this process may have gone before


def of_words(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, WakeSettings]:
    return {word: WakeSettings(**each) for word, each in settings.items()}
