"""Fetches configured models that are missing while the server works, and then loads them.

The other engines answer meanwhile. No model is used before its checksum, or at least its structure, is checked. A
broken fetch resumes, also after a restart.
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
"""Seconds before a failed fetch is tried again: the first time, and at most. More tries would not help, and would
trouble the host.
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A configured model that is missing."""

    provider: str
    entry: Entry


class Stopped(Exception):
    """Raised when the server ends: the fetch stops, and its files stay for the next time."""


def wanted(config: Config) -> Sequence[Wanted]:
    """List the missing models of used providers, in their order; none where nothing may be written.

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
    """The name of a configured model that is missing; None: there is nothing to fetch."""
    if not isinstance(model, str) or "/" in model:
        return None
    there = data_dir is not None and (folder.models_dir(data_dir, engine) / model).is_dir()
    return None if there else model


def by_hand(entry: Entry) -> str:
    """A message on how a person installs a model's files by hand."""
    first, *others = entry.files
    return f"put {', '.join(file.url for file in entry.files)}" if others else f"unpack {first.url}"


class Fetcher:
    """Fetches one model after the other on a thread of its own.

    :param loaded: called with a provider whose model has arrived.
    :param again_s: seconds before a failed fetch is tried again.
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
        """Fetch all models, each with as many tries as it takes."""
        await asyncio.gather(*(self._whole(one) for one in models))

    def close(self) -> None:
        """Stop soon, at the next piece of data."""
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
        """Fetch one model, on the worker's thread.

        :raises DownloadFailed: it cannot be fetched.
        :raises Stopped: the server ends.
        """
        entry, gauge = one.entry, metrics.MODEL_FETCHED.labels(one.entry.engine, one.entry.name)
        if _missing(entry.engine, entry.name, self._data_dir) is None:
            return  # a person has installed it by hand
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
    """Fetch missing models while the context lasts.

    :param loaded: called with a provider whose model has arrived.
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
