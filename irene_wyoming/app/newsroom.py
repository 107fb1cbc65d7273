"""Gathers the news of all servers in one place while somebody looks."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from irene_wyoming.app.publish import LINE_BYTES, socket_path
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.news import KEPT, NEWS, Happening, News
from irene_wyoming.tasks import ended

log = logging.getLogger(__name__)

AGAIN_S = 1.0
"""Seconds between two attempts to reach a server that is away."""

LINGER_S = 5.0
"""Seconds of gathering after the last looker has gone: a reloaded page finds everything as it was."""

ANSWER_TIMEOUT_S = 15.0
"""Seconds for a server's answer to a request; names of a large home take one."""

Pictures = Mapping[str, Sequence[Mapping[str, Any]]]


class Reached:
    """The connection to one server's news, as far as it can be reached."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.pictures: Pictures = {}
        """How things of the server are; empty while it cannot be reached."""
        self.up = False
        self._path = path
        self._writer: asyncio.StreamWriter | None = None
        self._numbers = count()
        self._asked: dict[int, asyncio.Future[Mapping[str, Any]]] = {}

    async def follow(self) -> AsyncIterator[Sequence[Happening]]:
        """Follow the server's happenings for ever, with retries while it is away."""
        while True:
            try:
                reader, self._writer = await asyncio.open_unix_connection(self._path, limit=LINE_BYTES)
            except OSError:
                await asyncio.sleep(AGAIN_S)
                continue
            try:
                with suppress(OSError, ValueError):
                    while line := await reader.readline():
                        message = json.loads(line)
                        if "answer" in message:
                            self._answered(message)
                        else:
                            self.up, self.pictures = True, message["pictures"]
                            yield message["happened"]
            finally:
                self._leave()
            await asyncio.sleep(AGAIN_S)

    async def ask(self, what: str, **fields: Any) -> Mapping[str, Any]:
        """Ask the server for an action and return its answer.

        :raises ServerUnavailable: it cannot be reached, or does not answer.
        """
        if self._writer is None:
            raise ServerUnavailable(f"the {self.name} server is not running")
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            self._writer.write(json.dumps({"do": what, "id": number, **fields}).encode() + b"\n")
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await self._writer.drain()
                done: Mapping[str, Any] = await answer
        except (OSError, TimeoutError) as error:
            raise ServerUnavailable(f"the {self.name} server does not answer") from error
        finally:
            self._asked.pop(number, None)
        if "error" in done:
            raise ServerUnavailable(str(done["error"]))
        return done

    def _answered(self, message: Mapping[str, Any]) -> None:
        waiting = self._asked.get(message["answer"])
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    def _leave(self) -> None:
        self.up, self.pictures = False, {}
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_exception(ServerUnavailable(f"the {self.name} server has ended"))


class Newsroom:
    """Follows the news of all servers while somebody looks."""

    def __init__(self, folder: Path, servers: Sequence[str], own: News = NEWS) -> None:
        """:param folder: folder of the servers' sockets.
        :param own: the news of this process.
        """
        self.servers = {name: Reached(name, socket_path(folder, name)) for name in servers}
        self._own = own
        self._happened: dict[str, deque[Happening]] = {}
        self._lookers = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._leaving: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Follow the servers while the context lasts."""
        self._lookers += 1
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
        elif self._lookers == 1:
            self._tasks = [
                asyncio.create_task(self._follow(one), name=f"news of {name}") for name, one in self.servers.items()
            ]
        try:
            yield
        finally:
            self._lookers -= 1
            if not self._lookers:
                self._leaving = asyncio.get_running_loop().call_later(LINGER_S, self._leave)

    async def close(self) -> None:
        """Stop following all servers."""
        tasks = self._tasks
        if self._leaving is not None:
            self._leaving.cancel()
        self._leave()
        await ended(*tasks)

    def happened(self, what: str) -> list[Happening]:
        """Recent happenings of a kind, the newest first."""
        own = [each for each in self._own.kept() if each["what"] == what]
        every = sorted([*self._happened.get(what, ()), *own], key=lambda each: float(each["at"]), reverse=True)
        return every[:KEPT]

    def pictures(self, kind: str) -> Iterator[Mapping[str, Any]]:
        """How everything of a kind is now, with its server."""
        for name, server in self.servers.items():
            for picture in server.pictures.get(kind, ()):
                yield {"server": name, **picture, "id": f"{name}-{picture['id']}"}

    def _leave(self) -> None:
        self._leaving = None
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    async def _follow(self, server: Reached) -> None:
        async for happened in server.follow():
            self._note(happened)

    def _note(self, happened: Sequence[Happening]) -> None:
        for each in happened:
            kept = self._happened.setdefault(str(each["what"]), deque(maxlen=KEPT))
            if each not in kept:  # to each new connection a server repeats what it has kept
                kept.append(each)
