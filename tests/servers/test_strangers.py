"""Strangers who say nothing, stall, or come and leave in crowds harm no client of the home."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from wyoming.ping import Ping
from wyoming.wake import Detect

from irene_wyoming.app.mic import mic_server
from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from irene_wyoming.descriptors import CROWD
from irene_wyoming.servers.service import NEWCOMERS
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import connect, describe
from irene_wyoming.wire.framing import encode
from irene_wyoming.wire.token import show
from tests.conftest import until
from tests.servers.test_access import TOKEN, certificate, token_file
from tests.servers.test_border import resident_bytes

__all__ = ["certificate", "token_file"]

Configured = Callable[..., Config]


async def strangers(stack: ExitStack, address: Address, count: int, source: str = "") -> list[socket.socket]:
    """Clients that connect and send nothing."""
    loop = asyncio.get_running_loop()
    sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
    for sock in sockets:
        sock.setblocking(False)
        if source:
            sock.bind((source, 0))
        await loop.sock_connect(sock, (address.host, address.port))
    return sockets


async def hung_up(sockets: list[socket.socket]) -> int:
    """The number of sockets that the server has closed."""
    count = 0
    for sock in sockets:
        try:
            count += not sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            pass
        except ConnectionError:
            count += 1
    return count


async def served(address: Address, times: int) -> None:
    for _ in range(times):
        assert (await describe(address)).wake


async def test_200_silent_strangers_leave_room_for_home_and_for_who_has_the_token(
    configured: Configured, other_host: str, token_file: Path
) -> None:
    config = configured(WAKE__URI="tcp://0.0.0.0:0", WAKE__ACCESS__ALLOW="[]", WAKE__ACCESS__TOKEN_FILE=str(token_file))
    async with wake_server(config) as wake:
        far, home = (replace(wake.address, host=host) for host in (other_host, "127.0.0.1"))
        async with connect(replace(far, token=TOKEN)) as early:
            with ExitStack() as stack:
                silent = await strangers(stack, far, 200)
                await until(lambda: NEWCOMERS < wake.connections <= 1 + NEWCOMERS + CROWD)
                await served(home, 20)
                for _ in range(3):
                    await served(replace(far, token=TOKEN), 1)
                assert await hung_up(silent) >= 200 - NEWCOMERS - CROWD
            await early.write(Ping())
            pong = await early.read(5)
            assert pong is not None  # it has kept its place
        await until(lambda: wake.connections == 0)


async def test_who_only_pings_and_asks_for_the_info_gives_its_place_to_who_wants_more(configured: Configured) -> None:
    limits = {"WAKE__LIMITS__MAX_CONNECTIONS": "4", "WAKE__LIMITS__MAX_CONNECTIONS_PER_ADDRESS": "4"}
    async with wake_server(configured(**limits)) as wake:
        with ExitStack() as stack:
            for source in ("127.0.0.2", "127.0.0.3"):
                for sock in await strangers(stack, wake.address, 2, source):
                    sock.sendall(b'{"type": "ping"}\n{"type": "describe"}\n' * 3)
            await until(lambda: wake.connections == 4)
            async with connect(wake.address) as home:
                await home.write(Detect().event())
                await home.write(Ping())
                pong = await home.read(5)
                assert pong is not None
                assert pong.type == "pong"
                await served(wake.address, 4)  # others go for these; who listens stays
                await home.write(Ping())
                assert await home.read(5) is not None
        await until(lambda: wake.connections == 0)


async def test_a_stranger_has_no_payload(configured: Configured, other_host: str, token_file: Path) -> None:
    uri = f"tcp://{other_host}:0"
    config = configured(MIC__URI=uri, MIC__ACCESS__ALLOW="[]", MIC__ACCESS__TOKEN_FILE=str(token_file))
    async with mic_server(config) as mic:
        reader, writer = await asyncio.open_connection(other_host, mic.address.port)
        writer.write(b'{"type": "authenticate", "payload_length": 1000000}\n')
        assert b"at most 0 bytes are taken" in await reader.read()
        writer.close()
        reader, writer = await asyncio.open_connection(other_host, mic.address.port)
        writer.write(encode(show(TOKEN)) + b'{"type": "describe", "payload_length": 4}\n1234')
        assert b'"info"' in await reader.readline()  # after the token it is a client like any other
        writer.close()


async def test_stalled_handshakes_have_few_places_and_a_home_client_has_one(
    configured: Configured, certificate: Path
) -> None:
    async with wake_server(configured(WAKE__ACCESS__CERTIFICATE=str(certificate))) as wake:
        await served(wake.address, 1)
        before = resident_bytes()
        with ExitStack() as stack:
            for source in ("127.0.0.2", "127.0.0.3"):
                for sock in await strangers(stack, wake.address, 100, source):
                    sock.sendall(b"\x16\x03\x01\x02")  # the beginning of a greeting
            await until(lambda: NEWCOMERS <= wake.connections <= NEWCOMERS + CROWD)
            await served(wake.address, 10)
            assert resident_bytes() - before < 20e6
        await until(lambda: wake.connections == 0)


async def test_an_address_that_may_not_is_hung_up_on_before_the_handshake(
    configured: Configured, certificate: Path, other_host: str
) -> None:
    config = configured(
        WAKE__URI=f"tls://{other_host}:0", WAKE__ACCESS__ALLOW="[]", WAKE__ACCESS__CERTIFICATE=str(certificate)
    )
    async with wake_server(config) as wake:
        reader, writer = await asyncio.open_connection(other_host, wake.address.port)
        assert await reader.read() == b""  # nothing was sent, and nothing is answered
        writer.close()


async def test_500_who_came_and_left_at_once_cost_the_next_one_nothing(configured: Configured) -> None:
    async with wake_server(configured()) as wake:
        for _ in range(50):
            with ExitStack() as stack:
                await strangers(stack, wake.address, 10)
        await served(wake.address, 1)


async def test_silent_clients_of_home_lose_their_places_to_who_speaks(configured: Configured) -> None:
    """Clients that spoke keep their places, however long they are silent."""
    async with wake_server(configured(WAKE__LIMITS__MAX_CONNECTIONS="8")) as wake, connect(wake.address) as early:
        await early.write(Ping())
        with ExitStack() as stack:
            for source in ("127.0.0.2", "127.0.0.3", "127.0.0.4"):
                await strangers(stack, wake.address, 50, source)
            await until(lambda: wake.connections > 8)
            await served(wake.address, 5)
            await early.write(Ping())
            assert [(await early.read(5)).type for _ in range(2)] == ["pong", "pong"]  # type: ignore[union-attr]


async def test_both_families_reach_a_server_on_every_address(configured: Configured) -> None:
    async with wake_server(configured(WAKE__URI="tcp://[::]:0")) as wake:
        for host in ("127.0.0.1", "::1"):
            await served(replace(wake.address, host=host), 1)
