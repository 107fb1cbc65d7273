"""What the page shows and does, from the news of all servers."""

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
from irene_wyoming.app.page_doctor import examined
from irene_wyoming.app.page_models import Fetching, download
from irene_wyoming.app.tryout import Tryout
from irene_wyoming.app.tuning import Tuner
from irene_wyoming.engines.base import Verify
from irene_wyoming.errors import ServerUnavailable, UnsupportedRequest

SHOWN_NAMES = 1_000
"""On the page; `irene-wyoming names` lists all."""


class PageSource:
    """One installation."""

    def __init__(self, newsroom: Newsroom, tuner: Tuner) -> None:
        self._newsroom = newsroom
        self._tuner = tuner
        self._fetching = Fetching(tuner.config, download(tuner.path))
        self._restarts: dict[str, int] = {}
        self._began = time.time()

    def restarted(self, server: str) -> None:
        """A server has died, and is started again."""
        self._restarts[server] = self._restarts.get(server, 0) + 1

    async def close(self) -> None:
        """Nobody looks any more."""
        await self._newsroom.close()
        await self._fetching.close()

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
        }

    async def do(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """:raises IreneError: it cannot be done."""
        match asked:
            case {"do": "names"}:
                return await self._server("asr").ask(NAMES, most=SHOWN_NAMES)
            case {"do": "doctor"}:
                return await examined(self._tuner.path, self._tuner.environ)
            case {"do": "models"}:
                return {"models": await asyncio.to_thread(self._fetching.models)}
            case {"do": "reload-names"}:
                return await self._server("asr").ask(RELOAD_NAMES)
            case {"do": "tune" | "undo" | "fetch"} if self._tuner.config.web.read_only:
                raise UnsupportedRequest("the page is read-only here: web.read_only is true")
            case {
                "do": "tune",
                "word": str(word),
                "setting": str(setting),
                "value": value,
                "satellite": str(satellite),
            }:
                await self._tuner.change(word, setting, value, satellite)
                return {}
            case {"do": "fetch", "name": str(name)}:
                await self._fetching.begin(name)
                return {}
            case {"do": "undo"}:
                await self._tuner.undo()
                return {}
        raise UnsupportedRequest("this page is of another version; load it again")

    def attempt(self, asked: Mapping[str, Any]) -> Tryout:
        """:raises UnsupportedRequest: there is no such server."""
        servers = {"command": "asr", "word": "wake"}
        what = asked.get("what")
        address = enabled(self._tuner.config).get(servers.get(str(what), ""))
        if address is None:
            raise UnsupportedRequest(f"there is no server for a {what}")
        return Tryout(str(what), reachable(address))

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
        return {
            "words": {word: asdict(settings) for word, settings in wake.models.items()},
            "satellites": {
                name: {word: asdict(settings) for word, settings in one.models.items()}
                for name, one in wake.satellites.items()
            },
            "looks": get_args(Verify),
            "can_undo": self._tuner.can_undo,
            "kept": self._tuner.config.data_dir is not None,
        }
