"""The names of a real Home Assistant. Opt-in, as test_home_assistant.py says, with one more command before::

    hub/bin/pip install 'josepy<2'  # of 2024.3.3, whose own parts do not say so
    hub/bin/python tests/hubs/home_assistant_names.py FOLDER 8123 --install < /dev/null

Seen to pass with Home Assistant 2024.3.3, which does not tell sentence triggers yet.
"""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from irene_wyoming.home import kept
from irene_wyoming.home.endpoint import Endpoint, websocket_url
from irene_wyoming.home.watch import Home, Timing
from irene_wyoming.language.vocabulary import Name
from tests.attack.process import free_ports
from tests.conftest import until

VARIABLE = "IRENE_WYOMING_TEST_HOME_ASSISTANT"
SCRIPT = Path(__file__).with_name("home_assistant_names.py")
LAMP = "input_boolean.lamp"
START_S = 120
"""Seconds for a start; on a small machine loading Home Assistant takes most of them."""

pytestmark = pytest.mark.skipif(
    not os.environ.get(VARIABLE), reason=f"{VARIABLE} does not name a Python that has Home Assistant installed"
)


class Hub:
    """A Home Assistant in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, token: str, url: str) -> None:
        self._process = process
        self.endpoint = Endpoint(websocket_url(url), token)

    async def rename(self, entity_id: str, name: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"rename {entity_id} {name}\n".encode())
        assert await self._process.stdout.readline() == b"done\n"


@asynccontextmanager
async def home_assistant(folder: Path, port: int) -> AsyncIterator[Hub]:
    process = await asyncio.create_subprocess_exec(
        os.environ[VARIABLE],
        *("-I", str(SCRIPT), str(folder), str(port)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_S):
            told = json.loads(await process.stdout.readline())
        yield Hub(process, told["token"], f"http://127.0.0.1:{port}")
    finally:
        process.stdin.close()
        await process.wait()


async def test_names_are_known_at_once_follow_a_change_and_survive_a_restart(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    config, file = tmp_path / "hub", kept.path_in(tmp_path)
    await asyncio.to_thread(config.mkdir)
    async with home_assistant(config, port) as hub:
        home = Home(hub.endpoint, file, Timing())
        began = time.monotonic()
        async with home.watched():
            await until(lambda: bool(home.things.names), timeout_s=30)
            print(f"known after {time.monotonic() - began:.2f} s")  # to be read with -s  # noqa: T201
            assert home.things.names == (
                Name("Kitchen", "area", aliases=("cookery",)),
                Name("AC/DC Lamp", "entity", "input_boolean", ("big light",), "Kitchen"),
            )
            if home.things.version == "2024.3.3":
                assert home.things.left_out == (
                    "Home Assistant 2024.3.3 does not tell sentence triggers; newer ones do",
                )
            began = time.monotonic()
            await hub.rename(LAMP, "Chandelier")
            await until(lambda: "Chandelier" in [name.written for name in home.things.names], timeout_s=30)
            print(f"renamed after {time.monotonic() - began:.2f} s")  # noqa: T201
    async with home_assistant(config, port) as hub:
        again = Home(hub.endpoint, file, Timing())
        async with again.watched():
            assert again.things.same_names(home.things)  # before any answer
            await until(lambda: not again.trouble, timeout_s=30)
            assert "Chandelier" in [name.written for name in again.things.names]


async def test_a_connection_comes_back_when_home_assistant_does(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    config = tmp_path / "hub"
    await asyncio.to_thread(config.mkdir)
    async with home_assistant(config, port) as hub:
        home = Home(hub.endpoint, None, Timing(retry_s=0.2, retry_max_s=0.5))
        watched = home.watched()
        await watched.__aenter__()
        await until(lambda: bool(home.things.names), timeout_s=30)
    names = home.things.names
    await until(lambda: bool(home.trouble), timeout_s=30)
    assert home.things.names == names
    async with home_assistant(config, port) as hub:
        await until(lambda: not home.trouble, timeout_s=60)
        await hub.rename(LAMP, "Chandelier")
        await until(lambda: "Chandelier" in [name.written for name in home.things.names], timeout_s=30)
        await watched.__aexit__(None, None, None)


async def test_a_wrong_token_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (port,) = free_ports(1)
    await asyncio.to_thread((tmp_path / "hub").mkdir)
    async with home_assistant(tmp_path / "hub", port) as hub:
        home = Home(Endpoint(hub.endpoint.url, "wrong"), None)
        async with home.watched():
            await until(lambda: "refuses the token" in caplog.text, timeout_s=30)
