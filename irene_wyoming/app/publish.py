"""Sends a server's news to the page: lines of JSON on a unix socket that only this user can open.

The page's process connects only while somebody looks. The server sends lines with ``{"happened": [...], "pictures":
{...}}``. It answers requests ``{"do": NAME, "id": ID, ...}`` with ``{"answer": ID, ...}``.
"""

import asyncio
import json
import logging
import os
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from irene_wyoming.errors import IreneError
from irene_wyoming.news import NEWS, Happening, News
from irene_wyoming.tasks import ended

log = logging.getLogger(__name__)

FOLDER_VARIABLE = "IRENE_WYOMING_NEWS"
"""Variable with the folder of the sockets, one per server. Not set: nobody can look."""

EVERY_S = 0.25
"""Seconds between two lines while somebody looks: a meter that moves four times a second looks alive."""

LINE_BYTES = 1_048_576
"""Most bytes of a line. 40 satellites with their scores take 20 kB, 10,000 names 1 MB."""

MAX_WAITING = 200
"""Most happenings that wait for the next line; older ones are left out, and stay among the kept ones."""

WRITE_TIMEOUT_S = 5.0
"""Seconds for a write to a looker, which is a process of ours."""


def socket_path(folder: Path, server: str) -> Path:
    return folder / f"{server}.sock"


@asynccontextmanager
async def published(server: str, environ: Mapping[str, str], news: News = NEWS) -> AsyncIterator[None]:
    """Let the page look at this server while the context lasts, where ``run`` wants it."""
    folder = environ.get(FOLDER_VARIABLE)
    if folder is None:
        yield
        return
    path = socket_path(Path(folder), server)
    lookers: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        lookers.add(task)
        try:
            await Looker(news, reader, writer).serve()
        finally:
            lookers.discard(task)
            writer.close()

    with suppress(FileNotFoundError):
        await asyncio.to_thread(os.unlink, path)  # the socket of a killed process
    try:
        listening = await asyncio.start_unix_server(accept, path, limit=LINE_BYTES)
    except OSError as error:
        log.warning("%s: the page cannot show this server: %s: %s", server, path, error.strerror or error)
        yield
        return
    try:
        yield
    finally:
        listening.close()
        await ended(*lookers)


class Looker:
    """One connection of the page's process."""

    def __init__(self, news: News, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._news = news
        self._reader = reader
        self._writer = writer
        self._happened: deque[Happening] = deque(news.kept(), maxlen=MAX_WAITING)
        self._writing = asyncio.Lock()

    async def serve(self) -> None:
        """Serve until the other side leaves."""
        with self._news.followed(self._happened.append), suppress(OSError, TimeoutError, ValueError):
            async with asyncio.TaskGroup() as tasks:
                telling = tasks.create_task(self._tell())
                while line := await self._reader.readline():
                    tasks.create_task(self._answer(json.loads(line)))
                telling.cancel()

    async def _tell(self) -> None:
        while True:
            happened = [self._happened.popleft() for _ in range(len(self._happened))]
            await self._write({"happened": happened, "pictures": self._news.pictures()})
            await asyncio.sleep(EVERY_S)

    async def _answer(self, asked: Mapping[str, Any]) -> None:
        doer = self._news.doers.get(asked["do"])
        try:
            answer = {"error": "this server cannot do that"} if doer is None else await doer(asked)
        except IreneError as error:
            answer = {"error": str(error)}
        await self._write({"answer": asked["id"], **answer})

    async def _write(self, message: Mapping[str, Any]) -> None:
        async with self._writing, asyncio.timeout(WRITE_TIMEOUT_S):
            self._writer.write(json.dumps(message, ensure_ascii=False).encode(errors="replace") + b"\n")
            await self._writer.drain()


class Warnings(logging.Handler):
    """A log handler that keeps the last warnings and errors among the news."""

    def __init__(self, server: str, news: News = NEWS) -> None:
        super().__init__(logging.WARNING)
        self._server = server
        self._news = news

    def emit(self, record: logging.LogRecord) -> None:
        self._news.tell("warning", server=self._server, level=record.levelname.lower(), text=record.getMessage()[:1000])


@contextmanager
def warnings_told(server: str) -> Iterator[None]:
    """Keep this process's warnings among its news while the context lasts."""
    handler = Warnings(server)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
