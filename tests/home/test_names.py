"""A server's use of the names of a home, and its messages about them."""

import argparse
import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from irene_wyoming.app.check import of_names
from irene_wyoming.app.findings import Level
from irene_wyoming.app.home import Known, configured, watched_home
from irene_wyoming.app.names import report
from irene_wyoming.cli import names
from irene_wyoming.config.model import Config
from irene_wyoming.errors import ConfigError
from irene_wyoming.home import kept
from irene_wyoming.home.things import Things
from irene_wyoming.language.vocabulary import Name, Vocabulary
from tests.conftest import until
from tests.home.hub import TOKEN, Hub, running
from tests.home.test_home import house


@pytest.fixture
def asking(configured: Callable[..., Config], tmp_path: Path) -> Callable[..., Config]:
    """``asking(hub)``: a configuration that reads names from the hub."""
    (tmp_path / "token").write_text(f"{TOKEN}\n")

    def make(hub: Hub, **changes: str) -> Config:
        return configured(
            HOME__URL=hub.url, HOME__TOKEN_FILE=str(tmp_path / "token"), DATA_DIR=str(tmp_path / "data"), **changes
        )

    return make


async def test_typed_names_and_those_of_the_home_are_joined_and_follow_its_changes(
    asking: Callable[..., Config],
) -> None:
    async with running(house()) as hub:
        config = asking(hub, ASR__VOCABULARY__AREAS="[Sauna]")
        async with watched_home(config, {}) as home:
            assert home is not None
            known = Known(configured_names(config), home)
            await until(lambda: "Kitchen" in known_areas(known))
            assert known_areas(known)[0] == "Sauna"
            snapshot = known()
            hub.areas[1]["name"] = "Cuisine"
            await hub.tell("area_registry_updated")
            await until(lambda: "Cuisine" in known_areas(known))
            assert snapshot is not None
            assert "Kitchen" in snapshot.areas  # a running utterance keeps the names of its beginning


def configured_names(config: Config) -> Vocabulary:
    return configured(config)


def known_areas(known: Known) -> tuple[str, ...]:
    vocabulary = known()
    assert vocabulary is not None
    return vocabulary.areas


async def test_without_a_home_engines_know_what_is_configured(configured: Callable[..., Config]) -> None:
    async with watched_home(configured(), {}) as home:
        assert home is None
        assert Known(Vocabulary.of(["Sauna"]), home)() is None


async def test_an_addon_asks_by_itself(configured: Callable[..., Config]) -> None:
    async with watched_home(configured(), {"SUPERVISOR_TOKEN": "secret"}) as home:
        assert home is not None
    async with watched_home(configured(HOME__ENABLED="false"), {"SUPERVISOR_TOKEN": "secret"}) as home:
        assert home is None


async def test_a_token_file_that_is_gone_costs_the_names_only(
    asking: Callable[..., Config], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = asking(Hub(port=1))
    (tmp_path / "token").unlink()
    async with watched_home(config, {}) as home:
        assert home is None
    assert "cannot be read: No such file or directory: no names are read" in caplog.text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"HOME__URL": "http://hub"}, "expected a file with a long-lived access token"),
        ({"HOME__TOKEN_FILE": "/token"}, "expected an address"),
        ({"HOME__URL": "hub:8123", "HOME__TOKEN_FILE": "/token"}, "http://homeassistant.local:8123"),
        ({"HOME__URL": "http://me:secret@hub", "HOME__TOKEN_FILE": "/token"}, "without a user and a password"),
    ],
)
def test_a_wrong_address_is_told(configured: Callable[..., Config], changes: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        configured(**changes)


def printed(config: Config, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("irene_wyoming.cli.common.read_config", lambda *_, **__: config)
    parser = argparse.ArgumentParser()
    names.add_arguments(parser)
    return names.run(parser.parse_args(words))


async def test_names_tells_how_each_is_said(
    asking: Callable[..., Config], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = house()
    hub.add("light.cyrillic", "\u043b\u0430\u043c\u043f\u0430")
    async with running(hub):
        assert await asyncio.to_thread(printed, asking(hub), monkeypatch) == 0
    said = capsys.readouterr().out
    assert "1 floor, 2 areas, 4 entities, 2 sentences" in said
    assert 'switch        AC/DC machine: "a c d c machine"' in said
    assert "CANNOT BE SAID: holds" in said
    assert "1 of 10 names cannot be said" in said


async def test_odd_names_of_a_household_are_told_apart(
    asking: Callable[..., Config], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = house()
    for number, name in enumerate(
        ["\N{PARTY POPPER}", "x" * 300, "Twin", "Twin", "please", "\u65e5\u672c", "Lamp, tall"]
    ):
        hub.add(f"light.odd{number}", name)
    async with running(hub):
        config = asking(hub)
        assert await asyncio.to_thread(printed, config, monkeypatch) == 0
        found = list(of_names(await report(config, {})))
    said = capsys.readouterr().out
    assert said.count("light         Twin: ") == 2
    assert 'light         please: "please"' in said
    assert "\u65e5\u672c: CANNOT BE SAID: holds" in said
    assert 'Lamp, tall: "lamp tall"' in said
    assert "BUT is not found by Home Assistant for its marks; give it the alias 'Lamp tall' there" in said
    assert "Not known: names longer than 120 characters: 1" in said
    assert "Lamp, tall is not found by Home Assistant" in found[-1].text


async def test_names_in_json(
    asking: Callable[..., Config], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(house()) as hub:
        assert await asyncio.to_thread(printed, asking(hub), monkeypatch, "--json") == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert told["version"] == "2026.11.0"
    assert {"Kitchen", "cookery", "big light"} <= {name["written"] for name in told["names"]}
    assert TOKEN not in json.dumps(told)


async def test_the_last_list_is_told_where_home_assistant_is_away(
    asking: Callable[..., Config], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    hub = Hub(port=1)
    config = asking(hub)
    last = Things((Name("Old lamp", "entity", "light"),), read_at=1.0)
    await asyncio.to_thread(kept.save, kept.path_in(tmp_path / "data"), last)
    assert await asyncio.to_thread(printed, config, monkeypatch) == 1
    said = capsys.readouterr().out
    assert "does not tell: ws://127.0.0.1:1/api/websocket cannot be reached" in said
    assert "Old lamp" in said


async def test_check_tells_of_names(asking: Callable[..., Config], configured: Callable[..., Config]) -> None:
    hub = house()
    hub.sentences.append("play <nonsense>")
    hub.add("light.emoji", "\N{PARTY POPPER}")
    async with running(hub):
        found = list(of_names(await report(asking(hub), {})))
    assert [finding.level for finding in found] == [Level.OK, Level.WARNING, Level.WARNING]
    assert found[0].text == "Home Assistant 2026.11.0 has 1 floor, 2 areas, 3 entities, 3 sentences"
    assert "play <nonsense>" in found[2].text
    (finding,) = of_names(await report(configured(), {}))
    assert finding.level is Level.OK
    (finding,) = of_names(await report(asking(hub), {}))
    assert (finding.level, "cannot be reached" in finding.text) == (Level.WARNING, True)
