"""The packaged configuration of HAProxy, in a real HAProxy before real servers."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from wyoming.client import AsyncClient
from wyoming.event import Event, async_read_event
from wyoming.info import Info

from irene_wyoming.app.asr import asr_server
from irene_wyoming.app.front import front_server
from irene_wyoming.app.wake import wake_server
from irene_wyoming.bench.serving import free_port
from irene_wyoming.config.model import Config
from irene_wyoming.errors import IreneError
from irene_wyoming.servers.service import Service
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from irene_wyoming.wire.hear import Recording, detect
from irene_wyoming.wire.proxy import SIGNATURE
from tests.config.files import ROOT
from tests.conftest import until
from tests.servers.clients import WAIT_S, asked, audio_start, chunks, is_closed, read

FILE = ROOT / "packaging" / "haproxy" / "haproxy.cfg"
WAKE_SERVERS, ASR_SERVERS = 3, 2

CLIENT = SIGNATURE + b"\x21\x11\x00\x0c" + bytes((10, 0, 0, 7, 10, 0, 0, 1, 0, 1, 0, 2))
"""A proxy's header for a client at 10.0.0.7."""

pytestmark = pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")


@asynccontextmanager
async def haproxy(
    wake: list[Service], asr: list[Service], front: list[Service] | None = None, told: int = asyncio.subprocess.DEVNULL
) -> AsyncIterator[dict[str, Address]]:
    """Run HAProxy with the packaged file; gives its addresses.

    :param front: None: there is none.
    :param told: file for its log.
    """
    kinds = {"wake": wake, "asr": asr} | ({"front": front} if front else {})
    ports = {name: free_port() for name in kinds}
    where = {f"IRENE_{name.upper()}_PORT": str(port) for name, port in ports.items()} | {"IRENE_BIND": "127.0.0.1"}
    for name, services in kinds.items():
        for number, service in enumerate(services, start=1):
            where[f"IRENE_{name.upper()}_{number}"] = f"127.0.0.1:{service.address.port}"
    process = await asyncio.create_subprocess_exec(
        "haproxy", "-db", "-f", str(FILE), env=dict(os.environ) | where, stdout=told, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield {name: Address("127.0.0.1", port) for name, port in ports.items()}
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def fleet(
    configured: Callable[..., Config], **settings: str
) -> AsyncIterator[tuple[list[Service], list[Service]]]:
    """Run servers that take the PROXY protocol from this machine only."""
    proxied = {"WAKE__ACCESS__PROXIES": "[127.0.0.0/8]", "ASR__ACCESS__PROXIES": "[127.0.0.0/8]"}
    config = configured(
        **proxied, **settings, WAKE__DEFAULT_PROVIDER="microwakeword", WAKE__PROVIDERS__OPENWAKEWORD__ENABLED="false"
    )
    async with AsyncExitStack() as stack:
        wake = [await stack.enter_async_context(wake_server(config)) for _ in range(WAKE_SERVERS)]
        asr = [await stack.enter_async_context(asr_server(config)) for _ in range(ASR_SERVERS)]
        yield wake, asr


async def described(address: Address) -> Info:
    """The Info of the healthy servers behind an address, as soon as there is one."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await describe(address)
            except IreneError:
                await asyncio.sleep(0.05)


async def test_words_are_heard_and_a_server_that_goes_is_left_out(
    configured: Callable[..., Config], speech: Callable[[str], Recording]
) -> None:
    async with fleet(configured) as (wake, asr), haproxy(wake, asr) as at:
        assert (await described(at["wake"])).wake
        assert (await described(at["asr"])).asr
        recording = speech("wake/okay_nabu_kal16")
        first = await asyncio.gather(*(detect(at["wake"], recording) for _ in range(6)))
        assert all([word.name for word in words] == ["okay_nabu"] for words, _ in first)
        await wake[0].stop()
        second = await asyncio.gather(*(detect(at["wake"], recording) for _ in range(6)))
        assert all([word.name for word in words] == ["okay_nabu"] for words, _ in second)


async def is_served(address: Address) -> bool:
    """Whether a new client gets an Info. One that comes in the moment of the drain is closed without an answer."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(CLIENT + b'{"type":"describe"}\n')
        event = await asyncio.wait_for(async_read_event(reader), WAIT_S)
        return event is not None and event.type == "info"
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_server_that_is_drained_gets_nobody_and_answers_whom_it_has(
    configured: Callable[..., Config], speech: Callable[[str], Recording]
) -> None:
    recording = speech("asr/set_a_timer_for_five_minutes")
    timing = {"SUPERVISE__NOTICE_S": "6", "SUPERVISE__DRAIN_S": "60", "SUPERVISE__STOP_TIMEOUT_S": "90"}
    async with fleet(configured, **timing) as (wake, asr), haproxy(wake, asr) as at:
        await described(at["asr"])
        clients = [AsyncClient.from_uri(at["asr"].uri) for _ in asr]
        for client in clients:
            await client.connect()
            await client.write_event(Event("transcribe"))
        await until(lambda: all(service.connections for service in asr))
        draining = asyncio.create_task(asr[0].drain())
        while await is_served(asr[0].address):
            assert (await describe(at["asr"])).asr  # until then clients are served by one or the other
        assert all([(await describe(at["asr"])).asr for _ in range(6)])
        for client in clients:
            await client.write_event(audio_start(recording).event())
            for chunk in chunks(recording, 100):
                await client.write_event(chunk.event())
            await client.write_event(Event("audio-stop"))
            assert (await read(client)).data["text"] == "set a timer for five minutes"
            await client.disconnect()
        await draining


async def test_a_server_that_is_behind_has_a_part_of_its_satellites_go_on_elsewhere(
    configured: Callable[..., Config],
) -> None:
    timing = {"SUPERVISE__NOTICE_S": "2", "SUPERVISE__DRAIN_S": "60", "SUPERVISE__STOP_TIMEOUT_S": "90"}
    async with fleet(configured, **timing) as (wake, asr), haproxy(wake, asr) as at:
        await described(at["wake"])
        satellites = [await listening(at["wake"]) for _ in range(2 * WAKE_SERVERS)]
        await until(lambda: [service.connections for service in wake] == [2, 2, 2])
        relieving = asyncio.create_task(wake[0].relieve())
        let_go = [asyncio.create_task(is_closed(client)) for client in satellites]
        await asyncio.wait(let_go, return_when=asyncio.FIRST_COMPLETED)
        satellites.append(await listening(at["wake"]))
        assert await relieving == 1
        assert [service.connections for service in wake] in ([1, 3, 2], [1, 2, 3])
        assert (await asked(wake[0].address, SIGNATURE + b"\x20\x00\x00\x00")).type == "info"
        for task in let_go:
            task.cancel()
        await asyncio.wait(let_go)
        for client in satellites:
            await client.disconnect()


async def listening(address: Address) -> AsyncClient:
    """Connect a satellite that sends nothing, and wait until a server listens to it."""
    client = AsyncClient.from_uri(address.uri)
    await client.connect()
    await client.write_event(Event("detect", {"names": ["okay_nabu"]}))
    await client.write_event(Event("audio-start", {"rate": 16_000, "width": 2, "channels": 1}))
    await client.write_event(Event("ping"))
    assert (await read(client)).type == "pong"
    return client


async def test_connections_are_shared_out(configured: Callable[..., Config]) -> None:
    async with fleet(configured) as (wake, asr), haproxy(wake, asr) as at:
        await described(at["wake"])
        streams = [await asyncio.open_connection(at["wake"].host, at["wake"].port) for _ in range(6)]
        await until(lambda: [service.connections for service in wake] == [2, 2, 2])
        for _, writer in streams:
            writer.close()


async def test_the_logs_of_proxy_and_server_have_one_id_for_a_conversation(
    configured: Callable[..., Config], lines: list[str], tmp_path: Path
) -> None:
    with (tmp_path / "log").open("w") as told, (tmp_path / "log").open() as log:
        async with fleet(configured) as (wake, asr), haproxy(wake, asr, told=told.fileno()) as at:
            await described(at["wake"])
            async with AsyncClient.from_uri(at["wake"].uri) as client:
                await client.write_event(Event("detect", {"names": ["okay_nabu", "nobody"]}))
                await until(lambda: any("nobody" in line for line in lines))
            [line] = [line for line in lines if "nobody" in line]
            ids: list[str] = []

            def logged() -> bool:
                """Whether HAProxy has logged that line, which it does at a connection's end."""
                ids.extend(one.split()[-1] for one in log)
                return json.loads(line)["trace"] in ids

            await until(logged)


async def test_fronts_are_balanced_where_there_are_some(
    configured: Callable[..., Config], speech: Callable[[str], Recording]
) -> None:
    config = configured(
        FRONT__ACCESS__PROXIES="[127.0.0.0/8]",
        WAKE__DEFAULT_PROVIDER="microwakeword",
        WAKE__PROVIDERS__OPENWAKEWORD__ENABLED="false",
    )
    async with wake_server(config) as server, AsyncExitStack() as stack:
        behind = {"wake": server.address}
        fronts = [await stack.enter_async_context(front_server(config, behind)) for _ in range(2)]
        async with haproxy([server] * WAKE_SERVERS, [server] * ASR_SERVERS, fronts) as at:
            await described(at["front"])
            words, _ = await detect(at["front"], speech("wake/okay_nabu_kal16"))
            assert [word.name for word in words] == ["okay_nabu"]
            await fronts[0].stop()
            words, _ = await detect(at["front"], speech("wake/okay_nabu_kal16"))
            assert [word.name for word in words] == ["okay_nabu"]
