"""Fetches models for the page by commands of this program, and reports progress."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

from irene_wyoming.app.page_command import Command, ran
from irene_wyoming.config.model import Config
from irene_wyoming.errors import ConfigError, UnsupportedRequest
from irene_wyoming.models import catalogue, folder
from irene_wyoming.models.catalogue import Entry
from irene_wyoming.tasks import ended

MAX_AT_ONCE = 2
"""Most fetches at a time: more would only share the network and the disk."""

_PROGRESS = re.compile(r"(\d+) MB(?: of (\d+))?")


class Fetching:
    """Running fetches, and the results of earlier ones."""

    def __init__(self, config: Config, run: Command) -> None:
        self._config = config
        self._run = run
        self._told: dict[str, dict[str, Any]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def state(self) -> Mapping[str, Mapping[str, Any]]:
        """Fetches by the model's name: ``share`` (0 to 1, None: unknown), ``text``, ``done``, ``trouble``."""
        return {name: dict(told) for name, told in self._told.items()}

    def models(self) -> list[Mapping[str, Any]]:
        """List the models of the catalogue, and whether each is here. Blocks.

        :raises ConfigError: the user's catalogue cannot be read.
        """
        entries = self._entries()
        engines = {each.engine for each in entries}
        here = {(kept.engine, kept.name) for each in engines for kept in folder.kept(self._config.data_dir, each)}
        return [
            {
                "engine": each.engine,
                "name": each.name,
                "languages": each.languages[:8],
                "licence": each.licence,
                "mb": each.size >> 20,
                "here": (each.engine, each.name) in here,
            }
            for each in entries
        ]

    async def begin(self, name: str) -> None:
        """Fetch a model in the background.

        :raises UnknownModel: it is not in the catalogue.
        :raises ConfigError: there is no data folder.
        :raises UnsupportedRequest: it is being fetched, or MAX_AT_ONCE others are.
        """
        if self._config.data_dir is None:
            raise ConfigError("data_dir: null: expected a folder to keep models in")
        catalogue.entry(name, await asyncio.to_thread(self._entries))
        if name in self._tasks:
            raise UnsupportedRequest(f"{name} is being fetched")
        if len(self._tasks) >= MAX_AT_ONCE:
            raise UnsupportedRequest(f"{MAX_AT_ONCE} models are being fetched; wait for one")
        self._told[name] = {"share": None, "text": "begins", "done": False, "trouble": ""}
        task = asyncio.create_task(self._fetch(name), name=f"fetch {name}")
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._tasks.pop(name, None))

    def _entries(self) -> Sequence[Entry]:
        return catalogue.load(self._config.models.catalogue, self._config.models.mirror)

    async def close(self) -> None:
        """Stop all fetches; their files are kept and resumed the next time."""
        await ended(*self._tasks.values())

    async def _fetch(self, name: str) -> None:
        told = self._told[name]
        done = await ran(self._run(["models", "download", name]), lambda line: told.update(progress(line)))
        told |= {"done": True, "trouble": done.last or "it ended early" if done.code else ""}
        if not done.code:
            told |= {"share": 1.0, "text": "is here"}


def progress(line: str) -> Mapping[str, Any]:
    """Parse a line of progress of the command."""
    found = _PROGRESS.match(line)
    if found is None:
        return {}
    have, total = int(found[1]), int(found[2] or 0)
    return {"text": line, "share": min(1.0, have / total) if total else None}
