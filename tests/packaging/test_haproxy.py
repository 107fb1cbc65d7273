"""The packaged configuration of HAProxy, run by a real HAProxy before real servers."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from wyoming.info import Info

from irene_wyoming.app.asr import asr_server
from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from irene_wyoming.errors import IreneError
from irene_wyoming.servers.service import Service
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from irene_wyoming.wire.hear import Recording, detect
from tests.config.files import ROOT
from tests.conftest import until

FILE = ROOT / "packaging" / "haproxy" / "haproxy.cfg"
WAKE_SERVERS, ASR_SERVERS = 3, 2

pytestmark = pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@asynccontextmanager
async def haproxy(wake: list[Service], asr: list[Service]) -> AsyncIterator[dict[str, Address]]:
    """HAProxy with the packaged file; gives where it listens."""
    ports = {"wake": free_port(), "asr": free_port()}
    where = {f"IRENE_{name.upper()}_PORT": str(port) for name, port in ports.items()} | {"IRENE_BIND": "127.0.0.1"}
    for name, services in (("WAKE", wake), ("ASR", asr)):
        for number, service in enumerate(services, start=1):
            where[f"IRENE_{name}_{number}"] = f"127.0.0.1:{service.address.port}"
    process = await asyncio.create_subprocess_exec(
        "haproxy", "-db", "-f", str(FILE), env=dict(os.environ) | where, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield {name: Address("127.0.0.1", port) for name, port in ports.items()}
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def fleet(configured: Callable[..., Config]) -> AsyncIterator[tuple[list[Service], list[Service]]]:
    """Servers that take the PROXY protocol from this machine, and from it only."""
    proxied = {"WAKE__ACCESS__PROXIES": "[127.0.0.0/8]", "ASR__ACCESS__PROXIES": "[127.0.0.0/8]"}
    config = configured(
        **proxied, WAKE__DEFAULT_PROVIDER="microwakeword", WAKE__PROVIDERS__OPENWAKEWORD__ENABLED="false"
    )
    async with AsyncExitStack() as stack:
        wake = [await stack.enter_async_context(wake_server(config)) for _ in range(WAKE_SERVERS)]
        asr = [await stack.enter_async_context(asr_server(config)) for _ in range(ASR_SERVERS)]
        yield wake, asr


async def described(address: Address) -> Info:
    """What the healthy servers behind an address say, as soon as there is one."""
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


async def test_connections_are_shared_out(configured: Callable[..., Config]) -> None:
    async with fleet(configured) as (wake, asr), haproxy(wake, asr) as at:
        await described(at["wake"])
        streams = [await asyncio.open_connection(at["wake"].host, at["wake"].port) for _ in range(6)]
        await until(lambda: [service.connections for service in wake] == [2, 2, 2])
        for _, writer in streams:
            writer.close()
