"""Addresses: unix sockets that are stale, in use or another file, and hosts that do not exist."""

import asyncio
import resource
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from wyoming.client import AsyncClient
from wyoming.info import Describe

from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from irene_wyoming.errors import AddressUnavailable
from tests.conftest import until
from tests.servers.clients import read

Configured = Callable[..., Config]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "wake.sock"


async def answers(path: Path) -> bool:
    async with AsyncClient.from_uri(f"unix://{path}") as client:
        await client.write_event(Describe().event())
        return (await read(client)).type == "info"


async def test_a_unix_socket_is_served_and_removed(configured: Configured, path: Path) -> None:
    async with wake_server(configured(WAKE__URI=f"unix://{path}")):
        assert await answers(path)
    with pytest.raises(FileNotFoundError):
        await answers(path)


async def test_the_socket_of_a_killed_server_is_taken_over(configured: Configured, path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    async with wake_server(configured(WAKE__URI=f"unix://{path}")):
        assert await answers(path)


async def test_the_socket_of_a_living_server_is_left_alone(configured: Configured, path: Path) -> None:
    config = configured(WAKE__URI=f"unix://{path}")
    async with wake_server(config):
        with pytest.raises(AddressUnavailable, match="another server is running there"):
            await wake_server(config).__aenter__()
        assert await answers(path)


def test_a_file_in_the_place_of_a_socket_is_not_removed(configured: Configured, path: Path) -> None:
    path.write_text("a letter")
    with pytest.raises(AddressUnavailable):
        asyncio.run(wake_server(configured(WAKE__URI=f"unix://{path}")).__aenter__())
    assert path.read_text() == "a letter"


async def test_a_host_that_does_not_exist_is_named(configured: Configured) -> None:
    with pytest.raises(AddressUnavailable, match=r"tcp://no-such-host\.invalid:0: ."):
        await wake_server(configured(WAKE__URI="tcp://no-such-host.invalid:0")).__aenter__()


async def test_without_file_descriptors_nothing_is_accepted_for_a_while(
    configured: Callable[..., Config], caplog: pytest.LogCaptureFixture
) -> None:
    async with wake_server(configured()) as wake:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with socket.socket() as client:
            client.setblocking(False)
            resource.setrlimit(resource.RLIMIT_NOFILE, (client.fileno() + 1, hard))
            try:
                await asyncio.get_running_loop().sock_connect(client, (wake.address.host, wake.address.port))
                await until(lambda: "no connection is accepted for 1 s" in caplog.text)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            await until(lambda: wake.connections == 1)  # it has waited in the kernel
