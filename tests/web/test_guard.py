"""Access to the page, and attacks by clients without it."""

import asyncio
import contextlib
import json
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar, WSServerHandshakeError, web
from aiohttp.test_utils import make_mocked_request

from irene_wyoming.web import live
from irene_wyoming.web.guard import MAX_SESSIONS, Guard, is_local_name
from irene_wyoming.web.live import MAX_MESSAGE_BYTES, MAX_PAGES
from tests.conftest import until
from tests.web.browser import MadeUp, served


async def status(url: str, method: str = "GET", **options: Any) -> int:
    async with ClientSession() as session, session.request(method, url, allow_redirects=False, **options) as answer:
        await answer.read()
        return answer.status


async def test_another_page_may_not_ask() -> None:
    async with served(MadeUp()) as url, ClientSession() as session:
        for origin in (
            "http://evil.example",
            "null",
            "http://127.0.0.1:1",
            "https://127.0.0.1.evil.example",
            "http://[",
        ):
            with pytest.raises(WSServerHandshakeError) as refused:
                await session.ws_connect(f"{url}live", headers={"Origin": origin})
            assert refused.value.status == 403
        async with session.ws_connect(f"{url}live", headers={"Origin": url.rstrip("/")}) as socket:
            assert "state" in json.loads((await socket.receive()).data)


async def test_a_name_that_was_made_to_point_here_is_not_answered_to() -> None:
    async with served(MadeUp()) as url:
        assert await status(url, headers={"Host": "rebound.evil.example"}) == 403
        assert await status(f"{url}metrics", headers={"Host": "rebound.evil.example"}) == 403
        assert await status(url, headers={"Host": "["}) == 403
        assert await status(url, headers={"Host": "irene.local"}) == 200


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost:8099", True),
        ("192.168.1.5:8099", True),
        ("[fe80::1]:8099", True),
        ("pi:8099", True),
        ("irene.local", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("local.evil.com", False),
        ("[", False),
    ],
)
def test_names_that_mean_something_at_home_only(host: str, local: bool) -> None:
    assert is_local_name(host) is local


async def test_with_a_token_everything_but_the_form_wants_it() -> None:
    guard = Guard(token="0123456789abcdef")
    async with served(MadeUp(), guard) as url:
        assert await status(f"{url}metrics") == 401
        assert await status(f"{url}live") == 401
        assert await status(url) == 200
        assert await status(f"{url}healthz") == 200
        async with (
            ClientSession(cookie_jar=CookieJar(unsafe=True)) as session,
            session.post(f"{url}login", data={"token": "0123456789abcdef"}) as answer,
        ):
            assert answer.status == 200
            assert "live" in await answer.text()
        assert (
            await status(f"{url}login", "POST", data={"token": guard.token}, headers={"Origin": "http://evil"}) == 403
        )


def test_old_sessions_give_way() -> None:
    guard = Guard(token="0123456789abcdef")
    first = guard.let_in(guard.token)
    assert guard.let_in("0123456789abcdeX") is None
    for _ in range(MAX_SESSIONS):
        guard.let_in(guard.token)
    assert first not in guard.sessions
    assert len(guard.sessions) == MAX_SESSIONS


def test_connections_come_from_this_machine_ingress_and_networks() -> None:
    guard = Guard((ip_network("192.168.1.0/24"),), ingress="172.30.32.2")
    assert [
        host
        for host in ("127.0.0.1", "::1", "192.168.1.9", "::ffff:192.168.1.9", "172.30.32.2")
        if guard.may_connect(host)
    ] == [
        "127.0.0.1",
        "::1",
        "192.168.1.9",
        "::ffff:192.168.1.9",
        "172.30.32.2",
    ]
    assert not guard.may_connect("192.168.2.9")
    assert not Guard().may_connect("172.30.32.2")


async def test_nothing_of_the_house_can_be_fetched() -> None:
    async with served(MadeUp()) as url:
        for path in (
            "static/../page.py",
            "static/%2e%2e/page.py",
            "static/..%2fpage.py",
            "static/",
            "page.py",
            "static/x",
        ):
            assert await status(url + path) == 404, path


async def test_every_answer_has_a_strict_policy() -> None:
    async with served(MadeUp()) as url, ClientSession() as session:
        for path in ("", "static/page.js", "nothing", "live"):
            async with session.get(url + path) as answer:
                assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
                assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_hostile_clients_cost_no_health_check() -> None:
    servers = MadeUp()
    async with served(servers) as url, contextlib.AsyncExitStack() as stack:
        port = int(url.rstrip("/").rpartition(":")[2])
        silent = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(300)))
        session = await stack.enter_async_context(ClientSession())
        for nonsense in (
            "hello",
            "[]",
            '{"id": 1}',
            '{"id": "x", "do": "y"}',
            "[" * 10_000,
            "x" * (MAX_MESSAGE_BYTES + 1),
        ):
            async with session.ws_connect(f"{url}live") as socket:
                await socket.send_str(nonsense)
                while not (await socket.receive()).type.name.startswith("CLOS"):
                    pass  # messages before it hangs up
        assert await status(f"{url}healthz") == 200
        for _, writer in silent:
            writer.close()
    await until(lambda: servers.lookers == 0)


async def test_pages_beyond_the_limit_are_refused_and_those_that_read_nothing_cost_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "EVERY_S", 0.02)
    servers = MadeUp(warnings=[{"text": "x" * 100_000}])
    async with served(servers) as url, contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())
        pages = [await stack.enter_async_context(session.ws_connect(f"{url}live")) for _ in range(MAX_PAGES)]
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect(f"{url}live")
        assert refused.value.status == 503
        for number in range(20):  # only the last one reads
            servers.shown["warnings"] = [{"text": f"{number}" * 100_000}]
            await pages[-1].receive()
        assert await status(f"{url}healthz") == 200


async def test_what_is_tried_is_bounded_and_told() -> None:
    servers = MadeUp()
    async with served(servers) as url, ClientSession() as session, session.ws_connect(f"{url}live") as socket:
        await socket.send_json({"id": 0, "do": "try", "what": "command"})
        await socket.send_bytes(b"\0" * 3_200)
        await socket.send_json({"id": 7, "do": "heard"})
        assert (await answered(socket))["text"] == "turn on the light"
        await socket.send_json({"id": 0, "do": "try", "what": "command"})
        for _ in range(20):
            await socket.send_bytes(b"\0" * 64_000)
        assert (await answered(socket))["error"] == "that is longer than 30 s"


async def answered(socket: Any) -> dict[str, Any]:
    """Read the next message that is no state."""
    while True:
        message: dict[str, Any] = json.loads((await socket.receive()).data)
        if "answer" in message:
            return message


def test_a_route_that_may_not_be_seen_says_so_in_words() -> None:
    with pytest.raises(web.HTTPForbidden) as refused:
        Guard().check_site(make_mocked_request("GET", "/", headers={"Host": "evil.example"}))
    assert "web.token_file" in str(refused.value.text)
