"""Fetches models for the page, each in a process of its own, and tells how far it is."""

import asyncio
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from irene_wyoming.config.model import Config
from irene_wyoming.errors import ConfigError, UnsupportedRequest
from irene_wyoming.models import catalogue, folder
from irene_wyoming.models.catalogue import Entry

MAX_AT_ONCE = 2
"""More would only share the line and the disk."""

LINE_BYTES = 4_096
"""Bytes of a line of the command's output that are kept. Longer lines are cut."""

_PROGRESS = re.compile(r"(\d+) MB(?: of (\d+))?")

Command = Callable[[str], Sequence[str]]
"""What fetches a model of this name into the data folder."""


def download(path: Path | None) -> Command:
    """By the command line, with the configuration at ``path``."""
    options = ["--config", str(path)] if path else []
    return lambda name: (sys.executable, "-m", "irene_wyoming", "models", "download", name, *options)


class Fetching:
    """What is being fetched, and what became of it."""

    def __init__(self, config: Config, command: Command) -> None:
        self._config = config
        self._command = command
        self._told: dict[str, dict[str, Any]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def state(self) -> Mapping[str, Mapping[str, Any]]:
        """By the model's name: ``share`` (0 to 1, None: not known), ``text``, ``done``, ``trouble``."""
        return {name: dict(told) for name, told in self._told.items()}

    def models(self) -> list[Mapping[str, Any]]:
        """What can be fetched by name, and whether it is here. Blocks.

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
        :raises UnsupportedRequest: it is being fetched, or enough others are.
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
        """Fetch no more; what has come is kept, and gone on with the next time."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _fetch(self, name: str) -> None:
        told = self._told[name]
        process = await asyncio.create_subprocess_exec(
            *self._command(name),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_BYTES,
        )
        assert process.stderr is not None
        last = ""
        try:
            with suppress(ValueError):  # a line that is too long
                async for line in process.stderr:
                    last = line.decode(errors="replace").strip()[:300] or last
                    told |= progress(last)
            code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        told |= {"done": True, "trouble": "" if code == 0 else last.removeprefix("irene-wyoming: ") or "it ended early"}
        if code == 0:
            told |= {"share": 1.0, "text": "is here"}


def progress(line: str) -> Mapping[str, Any]:
    """From a line of the command."""
    found = _PROGRESS.match(line)
    if found is None:
        return {}
    have, total = int(found[1]), int(found[2] or 0)
    return {"text": line, "share": min(1.0, have / total) if total else None}
