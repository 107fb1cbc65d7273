"""The names of a home, read over a real WebSocket from a stand-in for Home Assistant."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from irene_wyoming.errors import HomeRefused, HomeUnavailable
from irene_wyoming.home import kept
from irene_wyoming.home.client import Patience
from irene_wyoming.home.endpoint import Endpoint, websocket_url
from irene_wyoming.home.things import MAX_NAME_CHARS, Things
from irene_wyoming.home.watch import Home, Timing, look_once
from irene_wyoming.language.vocabulary import Name
from tests.conftest import until
from tests.home.hub import TOKEN, Hub, running

QUICK = Timing(settle_s=0.01, retry_s=0.01, retry_max_s=0.02, refused_s=0.05)


def house() -> Hub:
    """A home with two floors, three areas and some things."""
    hub = Hub(
        floors=[{"floor_id": "up", "name": "Upstairs", "aliases": ["first floor"]}],
        areas=[
            {"area_id": "attic", "name": "Attic", "aliases": [], "floor_id": "up"},
            {"area_id": "kitchen", "name": "Kitchen", "aliases": ["cookery"], "floor_id": None},
        ],
        devices=[{"id": "d1", "name": "Plug", "name_by_user": None, "area_id": "kitchen"}],
        sentences=["it is movie time", "party (mode|time)"],
    )
    hub.add("sensor.door", "Door contact")
    hub.add("light.ceiling", "Ceiling light", aliases=["big light", None], area="kitchen")
    hub.add("switch.coffee", "AC/DC machine")
    hub.entries["switch.coffee"]["device_id"] = "d1"
    hub.states.append({"entity_id": "light.secret", "state": "on", "attributes": {"friendly_name": "Secret"}})
    hub.exposed["light.secret"] = {"conversation": False}
    return hub


async def test_names_are_those_that_are_exposed_with_their_aliases_and_rooms() -> None:
    async with running(house()) as hub:
        found = await look_once(hub.endpoint)
    assert found.version == "2026.11.0"
    assert found.names == (
        Name("Upstairs", "floor", aliases=("first floor",)),
        Name("Kitchen", "area", aliases=("cookery",)),
        Name("Ceiling light", "entity", "light", ("big light",), "Kitchen"),
        Name("AC/DC machine", "entity", "switch", (), "Kitchen"),
        Name("Attic", "area", floor="Upstairs"),
        Name("Door contact", "entity", "sensor"),
    )
    assert found.sentences == ("it is movie time", "party (mode|time)")
    assert found.left_out == ()


async def test_a_renamed_thing_is_known_soon_after_its_event() -> None:
    async with running(house()) as hub:
        home = Home(hub.endpoint, None, QUICK)
        told: list[Things] = []
        home.on_change.append(told.append)
        async with home.watched():
            await until(lambda: len(told) == 1)
            hub.rename("light.ceiling", "Chandelier")
            await hub.tell("entity_registry_updated")
            await until(lambda: len(told) == 2)
    assert "Chandelier" in [name.written for name in home.things.names]
    assert home.trouble == ""


async def test_no_line_of_the_log_lists_names(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.INFO)
    async with running(house()) as hub:
        home = Home(hub.endpoint, kept.path_in(tmp_path), QUICK)
        told: list[Things] = []
        home.on_change.append(told.append)
        async with home.watched():
            await until(lambda: len(told) == 1)
            hub.rename("light.ceiling", "Chandelier")
            await hub.tell("entity_registry_updated")
            await until(lambda: len(told) == 2)
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "3 entities" in said
    written = {name for things in told for each in things.names for name in each.all_written}
    assert not [name for name in (*written, *told[0].sentences, TOKEN) if name.casefold() in said.casefold()]


async def test_names_are_read_again_when_asked_for() -> None:
    async with running(house()) as hub:
        home = Home(hub.endpoint, None, QUICK)
        async with home.watched():
            await until(lambda: bool(home.things.names))
            hub.rename("light.ceiling", "Chandelier")
            home.reload()
            await until(lambda: "Chandelier" in [name.written for name in home.things.names])


async def test_names_are_read_every_so_often_without_any_event() -> None:
    async with running(house()) as hub:
        home = Home(hub.endpoint, None, Timing(every_s=0.02))
        async with home.watched():
            await until(lambda: hub.asked.count("get_states") > 2)
    assert hub.logins == 1


async def test_a_restart_of_home_assistant_is_survived_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    hub = house()
    home = Home(Endpoint("", TOKEN), None, QUICK)
    async with running(hub):
        home = Home(hub.endpoint, None, QUICK)
        watched = home.watched()
        await watched.__aenter__()
        await until(lambda: bool(home.things.names))
    hub.add("scene.movie", "Movie night")
    assert home.things.names
    async with running(hub):
        await until(lambda: "Movie night" in [name.written for name in home.things.names])
        await watched.__aexit__(None, None, None)
    assert hub.logins == 2
    assert not [record for record in caplog.records if "Movie night" in record.getMessage()]


async def test_a_home_that_is_still_starting_does_not_lose_names() -> None:
    async with running(house()) as hub:
        home = Home(hub.endpoint, None, Timing(settle_s=0.01, starting_s=0.02))
        async with home.watched():
            await until(lambda: bool(home.things.names))
            before = home.things.names
            hub.state, states, hub.states = "STARTING", hub.states, []
            count = hub.asked.count("get_states")
            home.reload()
            await until(lambda: hub.asked.count("get_states") > count + 1)
            assert home.things.names == before
            hub.state, hub.states = "RUNNING", states[:-2]
            await until(lambda: home.things.names != before)


async def test_the_last_list_is_used_at_once_at_the_next_start(tmp_path: Path) -> None:
    file = kept.path_in(tmp_path)
    async with running(house()) as hub:
        first = Home(hub.endpoint, file, QUICK)
        told: list[Things] = []
        first.on_change.append(told.append)
        async with first.watched():
            await until(lambda: bool(told))
    second = Home(hub.endpoint, file, QUICK)  # nobody answers there any more
    async with second.watched():
        assert second.things.same_names(first.things)
        await until(lambda: "cannot be reached" in second.trouble)
        assert second.things.same_names(first.things)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["names.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 2}', '{"format": 1, "names": [{"written": 3}]}', "\0"])
async def test_a_damaged_list_is_told_and_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    file = kept.path_in(tmp_path)
    file.parent.mkdir()
    file.write_text(content)
    async with running(house()) as hub:
        home = Home(hub.endpoint, file, QUICK)
        told: list[Things] = []
        home.on_change.append(told.append)
        async with home.watched():
            await until(lambda: bool(told))
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1
    assert (await asyncio.to_thread(kept.load, file) or Things()).same_names(home.things)


async def test_a_list_that_cannot_be_kept_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "taken" / "names.json"
    (tmp_path / "taken").write_text("a file where the folder should be")
    async with running(house()) as hub:
        home = Home(hub.endpoint, file, QUICK)
        async with home.watched():
            await until(lambda: "cannot be kept" in caplog.text)
        assert home.things.names


async def test_an_old_home_assistant_tells_less_and_what_was_known_stays(caplog: pytest.LogCaptureFixture) -> None:
    hub = house()
    hub.version = "2023.2.0"
    async with running(hub):
        home = Home(hub.endpoint, None, QUICK)
        async with home.watched():
            await until(lambda: bool(home.things.names))
            known = home.things
            hub.errors = dict.fromkeys(
                ("config/floor_registry/list", "homeassistant/expose_entity/list", "conversation/sentences/list"),
                "unknown_command",
            )
            home.reload()
            await until(lambda: bool(home.things.left_out))
    assert {name.written for name in home.things.names} == {name.written for name in known.names}
    assert home.things.sentences == known.sentences
    assert home.things.left_out == (
        "Home Assistant 2023.2.0 does not tell floors, which entities are exposed, sentence triggers; newer ones do",
    )
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


async def test_a_token_that_is_no_administrators_is_told() -> None:
    hub = house()
    hub.errors = {"homeassistant/expose_entity/list": "unauthorized", "subscribe_events": "unauthorized"}
    async with running(hub):
        found = await look_once(hub.endpoint)
    assert [name.kind for name in found.names] == ["floor", "area", "area"]
    assert found.left_out == ("the token is not an administrator's, and only they are told which entities are exposed",)


async def test_a_refused_token_is_one_line_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    async with running(house()) as hub:
        home = Home(Endpoint(hub.endpoint.url, "wrong"), None, QUICK)
        async with home.watched():
            await until(lambda: bool(caplog.records))
            await until(lambda: home.trouble.startswith("Home Assistant at"))
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 1
    assert "refuses the token: make a new long-lived access token" in warnings[0]
    assert "wrong" not in caplog.text


IMPATIENT = Timing(0.01, retry_s=0.01, retry_max_s=0.02, patience=Patience(0.5, 0.5))


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"mute": True}, "did not answer to the token within 0.5 s"),
        ({"late": "get_states"}, "did not answer get_states within 0.5 s"),
        ({"late": "subscribe_events"}, "did not answer subscribe_events within 0.5 s"),
        ({"closes_at": "subscribe_events"}, "has ended the connection"),
        ({"closes_at": "config/area_registry/list"}, "has ended the connection"),
        ({"closes_at": "get_states"}, "has ended the connection"),
        ({"closes_at": "conversation/sentences/list"}, "has ended the connection"),
    ],
    ids=lambda each: str(each) if isinstance(each, dict) else "",
)
async def test_a_hub_that_is_mute_late_or_hangs_up_costs_a_line_and_no_name(
    fault: dict[str, Any], told: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, hub = kept.path_in(tmp_path), house()
    await asyncio.to_thread(kept.save, file, Things((Name("Old lamp", "entity", "light"),), version="2026.11.0"))
    for name, value in fault.items():
        setattr(hub, name, value)
    async with running(hub):
        home = Home(hub.endpoint, file, IMPATIENT)
        async with home.watched():
            await until(lambda: told in home.trouble)
            assert [name.written for name in home.things.names] == ["Old lamp"]
            hub.mute, hub.late, hub.closes_at = False, "", ""
            hub.answers.set()  # what was asked for long ago is answered now
            await until(lambda: not home.trouble)
            assert "Ceiling light" in [name.written for name in home.things.names]
    lines = [record.getMessage() for record in caplog.records if told in record.getMessage()]
    assert len(lines) == 1, caplog.messages
    assert "the names known before are used: 0 floors, 0 areas, 1 entity, 0 sentences" in lines[0]


async def test_an_address_that_takes_connections_and_says_nothing_is_told() -> None:
    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gone.wait()
        writer.close()

    gone = asyncio.Event()
    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    home = Home(Endpoint(websocket_url(f"http://127.0.0.1:{port}"), TOKEN), None, IMPATIENT)
    async with server, home.watched():
        await until(lambda: "did not answer within 0.5 s" in home.trouble)
        gone.set()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("hello", "sends no JSON"),
        ("[1]", "no messages"),
        ('{"type": "hello"}', "does not ask for a token"),
        ("[" * 100_000, "sends no JSON"),
        ("9" * 20_000_000, "more than 16 MiB"),
    ],
)
async def test_what_is_not_home_assistant_is_told(answer: str, told: str) -> None:
    async with running(Hub(raw=answer)) as hub:
        with pytest.raises(HomeUnavailable, match=told):
            await look_once(hub.endpoint)


async def test_an_address_without_a_websocket_is_told() -> None:
    async with running(Hub()) as hub:
        with pytest.raises(HomeUnavailable, match="answered 404 and no WebSocket"):
            await look_once(Endpoint(f"ws://127.0.0.1:{hub.port}/other", TOKEN))


async def test_another_refusal_is_told_in_home_assistants_words() -> None:
    hub = house()
    hub.errors = {"config/area_registry/list": "home_assistant_error"}
    async with running(hub):
        with pytest.raises(HomeRefused, match="config/area_registry/list: Unknown command"):
            await look_once(hub.endpoint)


async def test_names_that_nobody_can_say_are_counted_and_not_told_by_name() -> None:
    hub = house()
    hub.add("light.long", "x" * 300, aliases=["tiny"])
    hub.add("light.longest", "y" * 300)
    hub.add("light.emoji", "\N{PARTY POPPER}\N{PARTY POPPER}")
    hub.add("light.lines", " two\nlines\u202e ")
    async with running(hub):
        found = await look_once(hub.endpoint)
    names = [name.written for name in found.names]
    assert "tiny" in names
    assert "two lines" in names
    assert not [name for name in names if len(name) > MAX_NAME_CHARS or not name.isprintable()]
    assert found.left_out == (
        "names without a letter or digit, which nobody can say: 1; give the things an alias",
        "names longer than 120 characters: 2; give the things a short alias",
    )


@pytest.mark.parametrize(
    "odd",
    [
        {"floors": {"a": 1}, "areas": "kitchen", "exposed": [1], "sentences": None},
        {
            "floors": [1, None, {}],
            "areas": [{"name": 3, "aliases": "no"}],
            "exposed": {"a.b": 1},
            "sentences": [[], ""],
        },
        {"exposed": {"light.x": {"conversation": True}}, "entries": {"light.x": None}, "states": [{"entity_id": None}]},
        {"exposed": {"light.x": {"conversation": True}}, "entries": {"light.x": {"name": ["a"], "aliases": {}}}},
    ],
)
async def test_answers_of_other_kinds_than_expected_are_left_out(odd: dict[str, Any]) -> None:
    async with running(Hub(**odd)) as hub:
        found = await look_once(hub.endpoint)
    assert found.names == ()
    assert found.sentences == ()


async def test_five_thousand_entities_are_read() -> None:
    hub = house()
    for number in range(5_000):
        hub.add(f"light.n{number}", f"Light number {number}", area="attic")
        hub.states[-1]["attributes"]["note"] = "x" * 600
    async with running(hub):
        found = await look_once(hub.endpoint)
    assert len(found.of_kind("entity")) == 5_003
    assert found.counted() == "1 floor, 2 areas, 5003 entities, 2 sentences"
    assert json.dumps([name.written for name in found.names])


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://homeassistant.local:8123", "ws://homeassistant.local:8123/api/websocket"),
        ("https://home.example/", "wss://home.example/api/websocket"),
        ("http://[fe80::1]:8123/api", "ws://[fe80::1]:8123/api/websocket"),
        ("http://proxy/ha", "ws://proxy/ha/api/websocket"),
        ("ws://supervisor/core/websocket", "ws://supervisor/core/websocket"),
    ],
)
def test_an_address_becomes_that_of_the_websocket(url: str, expected: str) -> None:
    assert websocket_url(url) == expected
