"""News on their way from servers to the page."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from irene_wyoming.app.newsroom import Newsroom
from irene_wyoming.app.publish import FOLDER_VARIABLE, LINE_BYTES, Warnings, published, socket_path
from irene_wyoming.errors import ConfigError, ServerUnavailable
from irene_wyoming.news import KEPT, News
from tests.conftest import until


@asynccontextmanager
async def looking(folder: Path, news: News) -> AsyncIterator[Newsroom]:
    """Serve these news from a server, and follow them as the page does."""
    newsroom = Newsroom(folder, ["wake"], News())
    async with published("wake", {FOLDER_VARIABLE: str(folder)}, news), newsroom.watched():
        await until(lambda: newsroom.servers["wake"].up)
        yield newsroom
        await newsroom.close()


async def test_what_happens_is_seen_and_what_had_happened(tmp_path: Path) -> None:
    news = News()
    news.tell("word", word="alexa")
    async with looking(tmp_path, news) as newsroom:
        await until(lambda: len(newsroom.happened("word")) == 1)
        news.tell("word", word="okay_nabu")
        await until(lambda: [each["word"] for each in newsroom.happened("word")] == ["okay_nabu", "alexa"])


async def test_how_things_are_is_only_worked_out_while_somebody_looks(tmp_path: Path) -> None:
    news, looks = News(), []
    news.show("satellite", lambda: looks.append(1) or {"caller": "attic"})  # type: ignore[func-returns-value]
    async with published("wake", {FOLDER_VARIABLE: str(tmp_path)}, news):
        assert not news.watched
    assert not looks
    async with looking(tmp_path, news) as newsroom:
        assert news.watched
        await until(lambda: [each["caller"] for each in newsroom.pictures("satellite")] == ["attic"])
    assert not news.watched


async def test_what_is_hidden_is_gone() -> None:
    news = News()
    hide = news.show("satellite", lambda: {"caller": "attic"})
    news.show("satellite", lambda: None)
    assert [each["caller"] for each in news.pictures()["satellite"]] == ["attic"]
    hide()
    hide()
    assert news.pictures() == {}


async def test_a_server_does_what_it_is_asked_for_and_says_what_it_cannot(tmp_path: Path) -> None:
    news = News()

    async def add(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        if asked["a"] < 0:
            raise ConfigError("a: -1: expected 0 or more")
        return {"sum": asked["a"] + 1}

    news.doers["add"] = add
    async with looking(tmp_path, news) as newsroom:
        wake = newsroom.servers["wake"]
        assert (await wake.ask("add", a=1))["sum"] == 2
        with pytest.raises(ServerUnavailable, match="expected 0 or more"):
            await wake.ask("add", a=-1)
        with pytest.raises(ServerUnavailable, match="cannot do that"):
            await wake.ask("subtract")


async def test_a_server_that_is_gone_is_told_and_found_again(tmp_path: Path) -> None:
    news = News()
    newsroom = Newsroom(tmp_path, ["wake"], News())
    wake = newsroom.servers["wake"]
    async with newsroom.watched():
        with pytest.raises(ServerUnavailable, match="is not running"):
            await wake.ask("add")
        for _ in range(2):
            async with published("wake", {FOLDER_VARIABLE: str(tmp_path)}, news):
                news.tell("word", word="alexa")
                await until(lambda: wake.up)
            await until(lambda: not wake.up)
        await newsroom.close()
    assert len(newsroom.happened("word")) == 2


async def test_the_socket_is_this_users_and_goes_with_the_server(tmp_path: Path) -> None:
    path = socket_path(tmp_path, "wake")
    path.write_text("left behind by one that was killed")
    async with published("wake", {FOLDER_VARIABLE: str(tmp_path)}, News()):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"{" * (LINE_BYTES + 2) + b"\n")
        while await reader.read(65_536):
            pass  # until the server hangs up
        writer.close()


async def test_without_a_page_there_is_no_socket(tmp_path: Path) -> None:
    async with published("wake", {}, News()):
        assert not await asyncio.to_thread(lambda: list(tmp_path.iterdir()))


async def test_a_folder_that_is_gone_costs_the_page_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with published("wake", {FOLDER_VARIABLE: str(tmp_path / "gone")}, News()):
        assert "the page cannot show this server" in caplog.text


def test_warnings_are_kept_and_only_the_newest() -> None:
    news = News()
    log = logging.getLogger("test of warnings")
    handler = Warnings("wake", news)
    log.addHandler(handler)
    for number in range(KEPT + 5):
        log.warning("number %d", number)
    log.info("nothing to worry about")
    log.removeHandler(handler)
    assert [each["text"] for each in news.kept()] == [f"number {number}" for number in range(5, KEPT + 5)]
