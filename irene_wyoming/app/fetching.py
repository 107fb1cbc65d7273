"""Models that are configured and missing are fetched while the server works, and then loaded.

The other engines answer meanwhile. Nothing that is fetched is used before its checksum, or at least its structure, is
right. What breaks off goes on where it was, also after a restart.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from irene_wyoming import metrics
from irene_wyoming.config.model import Config
from irene_wyoming.engines.worker import Worker
from irene_wyoming.errors import DownloadFailed
from irene_wyoming.models import catalogue, folder
from irene_wyoming.models.catalogue import Entry
from irene_wyoming.models.install import install
from irene_wyoming.tasks import beside

log = logging.getLogger(__name__)

AGAIN_S, AGAIN_MOST_S = 60.0, 3_600.0
"""Seconds before a fetch that failed is tried again: the first time, doubled up to the most. A home whose internet is
away is not helped by more, and the host is not troubled."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A model that is configured and not there."""

    provider: str
    entry: Entry


class Stopped(Exception):
    """The server ends: a fetch gives up, and what it has stays for the next time."""


def wanted(config: Config) -> Sequence[Wanted]:
    """What has to be fetched for the providers in use, in their order; nothing where nothing may be written.

    :raises ConfigError: the user's catalogue cannot be read.
    """
    asr, settings = config.asr, config.models
    missing = [
        (name, model)
        for name in dict.fromkeys((asr.default_provider, *asr.fallback_providers))
        if (model := _missing(name, asr.providers[name].options.get("model"), config.data_dir)) is not None
    ]
    if not missing:
        return ()
    entries = {(entry.engine, entry.name): entry for entry in catalogue.load(settings.catalogue, settings.mirror)}
    found = [Wanted(name, entry) for name, model in missing if (entry := entries.get((name, model))) is not None]
    if found and config.data_dir is None:
        log.warning(
            "models: %s cannot be fetched, since there is no folder for it: set data_dir",
            ", ".join(one.entry.name for one in found),
        )
        return ()
    return found


def _missing(engine: str, model: object, data_dir: Path | None) -> str | None:
    """The name of a model that is configured and not there; None: there is nothing to fetch."""
    if not isinstance(model, str) or "/" in model:
        return None
    there = data_dir is not None and (folder.models_dir(data_dir, engine) / model).is_dir()
    return None if there else model


def by_hand(entry: Entry) -> str:
    """What a person does with the files of a model."""
    first, *others = entry.files
    return f"put {', '.join(file.url for file in entry.files)}" if others else f"unpack {first.url}"


class Fetcher:
    """Fetches one model after the other on a thread of its own.

    :param loaded: is told of a provider whose model has come.
    :param again_s: seconds before a fetch that failed is tried again.
    """

    def __init__(
        self,
        data_dir: Path,
        loaded: Callable[[str], Awaitable[None]],
        again_s: float = AGAIN_S,
    ) -> None:
        self._data_dir = data_dir
        self._loaded = loaded
        self._again_s = again_s
        self._worker = Worker("fetch")
        self._stopping = threading.Event()

    async def run(self, models: Sequence[Wanted]) -> None:
        """Fetch all of them, each as often as it takes."""
        await asyncio.gather(*(self._whole(one) for one in models))

    def close(self) -> None:
        """Stop soon: with the next piece that arrives."""
        self._stopping.set()
        self._worker.leave()

    async def _whole(self, one: Wanted) -> None:
        pause_s = self._again_s
        while True:
            try:
                await self._worker.run(self._fetch, one)
            except Stopped:
                return
            except DownloadFailed as error:
                target = folder.models_dir(self._data_dir, one.entry.engine) / one.entry.name
                log.warning(
                    "models: %s; tried again in %.0f s. To do it by hand: %s into %s",
                    error,
                    pause_s,
                    by_hand(one.entry),
                    target,
                )
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, AGAIN_MOST_S)
            else:
                log.info("models: %s is here, and is loaded for %s", one.entry.name, one.provider)
                await self._loaded(one.provider)
                return

    def _fetch(self, one: Wanted) -> None:
        """On the worker's thread.

        :raises DownloadFailed: it cannot be had.
        :raises Stopped: the server ends.
        """
        entry, gauge = one.entry, metrics.MODEL_FETCHED.labels(one.entry.engine, one.entry.name)
        if _missing(entry.engine, entry.name, self._data_dir) is None:
            return  # somebody has put it there by hand
        log.info("models: fetching %s, %d MB, %s", entry.name, entry.size >> 20, entry.licence)
        tenth = 0

        def told(have: int, total: int | None) -> None:
            nonlocal tenth
            if self._stopping.is_set():
                raise Stopped
            if not total:
                return
            gauge.set(have / total)
            if 10 * have // total > tenth:
                tenth = 10 * have // total
                log.info("models: %s: %d %% of %d MB", entry.name, 10 * tenth, total >> 20)

        install(entry, self._data_dir, told)
        gauge.set(1)


@asynccontextmanager
async def fetching(config: Config, loaded: Callable[[str], Awaitable[None]]) -> AsyncIterator[None]:
    """Fetch what is missing as long as this lasts.

    :param loaded: is told of a provider whose model has come.
    :raises ConfigError: the user's catalogue cannot be read.
    """
    models = await asyncio.to_thread(wanted, config) if config.models.fetch else ()
    if not models or config.data_dir is None:
        yield
        return
    fetcher = Fetcher(config.data_dir, loaded)
    async with beside(fetcher.run(models), "fetch models"):
        try:
            yield
        finally:
            fetcher.close()
