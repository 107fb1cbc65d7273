"""The names that a server knows: from the configuration and from Home Assistant."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from irene_wyoming.config.model import Config
from irene_wyoming.errors import ConfigError
from irene_wyoming.home import kept
from irene_wyoming.home.endpoint import Endpoint, endpoint
from irene_wyoming.language.vocabulary import Vocabulary

if TYPE_CHECKING:
    from irene_wyoming.home.watch import Home

log = logging.getLogger(__name__)

Names = Callable[[], Vocabulary | None]
"""Gives the present names; None: engines know no more than the configuration's."""


def configured(config: Config) -> Vocabulary:
    """The names typed in the configuration."""
    return Vocabulary.of(config.asr.vocabulary.areas, config.asr.vocabulary.devices)


def where(config: Config, environ: Mapping[str, str]) -> Endpoint | None:
    """Find the Home Assistant to ask for names; None: there is none. May block.

    :raises ConfigError: the token cannot be read.
    """
    return endpoint(config.home.url, config.home.token_file, environ) if config.home.enabled else None


def home(config: Config, found: Endpoint) -> "Home":
    """Make the home at an endpoint, with its last list of names from the data folder if there is one."""
    from irene_wyoming.home.watch import Home  # loads aiohttp: 7 MB that servers without a home do not need

    return Home(found, None if config.data_dir is None else kept.path_in(config.data_dir))


@asynccontextmanager
async def watched_home(config: Config, environ: Mapping[str, str]) -> AsyncIterator["Home | None"]:
    """Follow the home's names while the context lasts; gives None where no home is configured.

    An unreadable token is logged and costs the names, not the server.
    """
    try:
        found = await asyncio.to_thread(where, config, environ)
    except ConfigError as error:
        log.warning("%s: no names are read from Home Assistant", error)
        found = None
    if found is None:
        yield None
        return
    one = home(config, found)
    async with one.watched():
        yield one


class Known:
    """Names of the configuration and of the home, joined again only when the latter change."""

    def __init__(self, typed: Vocabulary, told: "Home | None") -> None:
        self._typed = typed
        self._told = told
        self._joined = typed
        self.on_change: list[Callable[[Vocabulary], None]] = []
        """Called on the event loop with the names, whenever the home's names change."""
        if told is not None:
            told.on_change.append(lambda things: self._join(things.vocabulary))
            self._join(told.things.vocabulary)

    def __call__(self) -> Vocabulary | None:
        return None if self._told is None else self._joined

    def _join(self, told: Vocabulary) -> None:
        self._joined = self._typed + told
        for tell in self.on_change:
            tell(self._joined)
