"""The state and actions of the page, from the news of all servers."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from importlib.metadata import version
from typing import Any, get_args

from irene_wyoming.app.asked import NAMES, RELOAD_NAMES
from irene_wyoming.app.front import enabled, reachable
from irene_wyoming.app.newsroom import Newsroom, Reached
from irene_wyoming.app.page_command import command
from irene_wyoming.app.page_doctor import PageDoctor
from irene_wyoming.app.page_jobs import Jobs
from irene_wyoming.app.page_models import Fetching
from irene_wyoming.app.page_recordings import Recordings
from irene_wyoming.app.tryout import Tryout
from irene_wyoming.app.tuning import Tuner
from irene_wyoming.engines.base import Verify
from irene_wyoming.errors import ConfigError, ServerUnavailable, UnsupportedRequest

SHOWN_NAMES = 1_000
"""Names shown on the page; `irene-wyoming names` lists all."""

CHANGING = frozenset(
    {"tune", "use", "arbitrate", "record", "undo", "fetch", "label", "remove", "tune-wake", "learn-wake", "stop"}
)
"""Actions that a read-only page refuses."""


class PageSource:
    """The page of one installation."""

    def __init__(self, newsroom: Newsroom, tuner: Tuner) -> None:
        self._newsroom = newsroom
        self._tuner = tuner
        run = command(tuner.path)
        self._fetching = Fetching(tuner.config, run)
        self._doctor = PageDoctor(run, tuner.environ)
        self._jobs = Jobs(run)
        self._restarts: dict[str, int] = {}
        self._began = time.time()

    def restarted(self, server: str) -> None:
        """Take note that a server has died and is restarted."""
        self._restarts[server] = self._restarts.get(server, 0) + 1

    async def close(self) -> None:
        """Stop following the servers."""
        await self._newsroom.close()
        await self._fetching.close()
        await self._jobs.close()

    def watched(self) -> AbstractAsyncContextManager[None]:
        return self._newsroom.watched()

    def state(self) -> Mapping[str, Any]:
        newsroom = self._newsroom
        return {
            "about": self._about(),
            "servers": self._servers(),
            "satellites": list(newsroom.pictures("satellite")),
            "listeners": list(newsroom.pictures("listener")),
            "microphones": list(newsroom.pictures("microphone")),
            "engines": list(newsroom.pictures("engine")),
            "names": next(newsroom.pictures("names"), None),
            "words": newsroom.happened("word"),
            "commands": newsroom.happened("command"),
            "warnings": newsroom.happened("warning"),
            "tuning": self._tuning(),
            "fetching": self._fetching.state(),
            "together": newsroom.happened("together"),
            "recorded": newsroom.happened("recording")[:1],
            "job": self._jobs.state(),
        }

    async def do(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Perform a request of the page; raises IreneError where it cannot be done."""
        match asked:
            case {"do": "names"}:
                return await self._server("asr").ask(NAMES, most=SHOWN_NAMES)
            case {"do": "doctor"}:
                return await self._doctor.everything()
            case {"do": "models"}:
                return {"models": await asyncio.to_thread(self._fetching.models)}
            case {"do": "reload-names"}:
                return await self._server("asr").ask(RELOAD_NAMES)
            case {"do": "recordings"}:
                return await asyncio.to_thread(self._recordings().listed)
        if self._tuner.config.web.read_only and asked.get("do") in CHANGING:
            raise UnsupportedRequest("the page is read-only here: web.read_only is true")
        if not (await self._change(asked) or await self._work(asked)):
            raise UnsupportedRequest("this page is of another version; load it again")
        return {}

    async def _change(self, asked: Mapping[str, Any]) -> bool:
        """Change a setting, if the request asks for that."""
        tuner = self._tuner
        match asked:
            case {
                "do": "tune",
                "word": str(word),
                "setting": str(setting),
                "value": value,
                "satellite": str(satellite),
            }:
                await tuner.change(word, setting, value, satellite)
            case {"do": "use", "word": str(word), "threshold": float(threshold), "trigger_level": int(level)}:
                await tuner.use(word, threshold, level)
            case {"do": "arbitrate", "setting": str(setting), "value": value}:
                await tuner.arbitrate(setting, value)
            case {"do": "record", "word": str(word), "on": bool(on)}:
                await tuner.record(word, on=on)
            case {"do": "undo"}:
                await tuner.undo()
            case _:
                return False
        return True

    async def _work(self, asked: Mapping[str, Any]) -> bool:
        """Work with models or recordings, if the request asks for that."""
        match asked:
            case {"do": "fetch", "name": str(name)}:
                await self._fetching.begin(name)
            case {"do": "label", "name": str(name), "label": str(label)}:
                await asyncio.to_thread(self._recordings().label, name, label)
            case {"do": "remove", "name": str(name)}:
                await asyncio.to_thread(self._recordings().remove, name)
            case {"do": "tune-wake", "word": str(word)}:
                await self._jobs.tune(self._recordings(), word)
            case {"do": "learn-wake", "word": str(word), "name": str(name), "phrase": str(phrase)}:
                await self._jobs.learn(self._recordings(), word, name, phrase)
            case {"do": "stop"}:
                self._jobs.stop()
            case _:
                return False
        return True

    async def recording(self, name: str) -> bytes:
        """A recording as a wav file; raises IreneError where there is none of this name."""
        return await asyncio.to_thread(self._recordings().read, name)

    def _recordings(self) -> Recordings:
        config = self._tuner.config
        folder = config.wake.recordings.place(config.data_dir)
        if folder is None:
            raise ConfigError("data_dir: null: expected a folder to keep recordings in")
        return Recordings(folder)

    def attempt(self, asked: Mapping[str, Any]) -> Tryout:
        """Begin to try speech on a server; raises UnsupportedRequest where there is no such server."""
        servers = {"command": "asr", "word": "wake"}
        what = asked.get("what")
        address = enabled(self._tuner.config).get(servers.get(str(what), ""))
        if address is None:
            raise UnsupportedRequest(f"there is no server for a {what}")
        return Tryout(str(what), reachable(address), self._doctor)

    def _server(self, name: str) -> Reached:
        server = self._newsroom.servers.get(name)
        if server is None:
            raise ServerUnavailable(f"the {name} server is not enabled")
        return server

    def _about(self) -> Mapping[str, Any]:
        config = self._tuner.config
        return {
            "version": version("irene-wyoming"),
            "hardware": config.hardware,
            "read_only": config.web.read_only,
            "language": config.asr.language,
            "began": round(self._began),
            "front": config.front.address.uri if config.front.enabled else None,
        }

    def _servers(self) -> list[Mapping[str, Any]]:
        shown: list[Mapping[str, Any]] = []
        for name, server in self._newsroom.servers.items():
            process: Mapping[str, Any] = next(iter(server.pictures.get("process", ())), {})
            services = server.pictures.get("service", ())
            shown.append(
                {
                    "name": name,
                    "up": server.up,
                    "clients": sum(each["clients"] for each in services),
                    "restarts": self._restarts.get(name, 0),
                    "memory_mb": process.get("memory_mb"),
                    "lag_ms": process.get("lag_ms"),
                }
            )
        return shown

    def _tuning(self) -> Mapping[str, Any]:
        wake = self._tuner.config.wake
        folder = wake.recordings.place(self._tuner.config.data_dir)
        return {
            "words": {word: asdict(settings) for word, settings in wake.models.items()},
            "satellites": {
                name: {word: asdict(settings) for word, settings in one.models.items()}
                for name, one in wake.satellites.items()
            },
            "looks": get_args(Verify),
            "verify": wake.verify,
            "arbitration": asdict(wake.arbitration),
            "recording": {
                "on": wake.recordings.enabled,
                "words": wake.recordings.words,
                "folder": None if folder is None else str(folder),
            },
            "can_undo": self._tuner.can_undo,
            "kept": self._tuner.config.data_dir is not None,
        }
