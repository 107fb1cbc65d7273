import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence

import pytest
from zeroconf import ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from irene_wyoming.discovery.addresses import InterfaceAddress, list_addresses, reachable
from irene_wyoming.discovery.zeroconf import SERVICE_TYPE, Announcement, Announcer, instance_name
from tests.attack.process import free_ports

PATIENCE_S = 30.0
ADDRESSES = reachable(["0.0.0.0"], list_addresses())
# A service type of our own, since other tests may announce at the same time.
NAME = f"Irene test {os.getpid()}"


class Hub:
    """Sees announcements as Home Assistant does."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._seen: asyncio.Queue[tuple[ServiceStateChange, str]] = asyncio.Queue()
        self.zeroconf = AsyncZeroconf(interfaces=[ADDRESSES[0]])
        self._browser = AsyncServiceBrowser(self.zeroconf.zeroconf, SERVICE_TYPE, handlers=[self._on_change])

    def _on_change(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        del zeroconf, service_type
        if name.startswith(self._name):
            self._seen.put_nowait((state_change, name.removesuffix(f".{SERVICE_TYPE}")))

    async def next(self, change: ServiceStateChange) -> str:
        """Wait for the next server that is added, changed or removed; gives its name."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                seen, name = await self._seen.get()
                if seen is change:
                    return name

    async def look_up(self, name: str) -> AsyncServiceInfo:
        info = await self.zeroconf.async_get_service_info(SERVICE_TYPE, f"{name}.{SERVICE_TYPE}")
        assert info is not None
        return info

    async def close(self) -> None:
        await self._browser.async_cancel()
        await self.zeroconf.async_close()


async def multicast_works() -> bool:
    """Whether two sockets of this machine hear each other on the multicast group of zeroconf."""
    if not ADDRESSES:
        return False
    group, port = "224.0.0.251", 5353
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth,
    ):
        try:
            ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            ear.bind(("", port))
            here = socket.inet_aton(ADDRESSES[0])
            ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + here)
            mouth.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, here)
            ear.setblocking(False)
            mouth.sendto(b"\x00" * 12, (group, port))
            async with asyncio.timeout(1.0):
                await asyncio.get_running_loop().sock_recv(ear, 512)
        except (OSError, TimeoutError):
            return False
    return True


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    if not await multicast_works():
        pytest.skip("multicast on UDP port 5353 does not work on this machine")
    hub = Hub(NAME)
    yield hub
    await hub.close()


class Network:
    """A machine's addresses, and a pause between two looks that the test ends."""

    def __init__(self, *present: str) -> None:
        self.present = present
        self._next = asyncio.Event()

    def addresses(self) -> Sequence[InterfaceAddress]:
        return [InterfaceAddress("eth0", address) for address in self.present]

    async def pause(self, seconds: float) -> None:
        assert seconds == 60.0
        await self._next.wait()
        self._next.clear()

    def look_again(self, *present: str) -> None:
        self.present = present
        self._next.set()


def test_a_server_is_named_by_its_role_and_host() -> None:
    assert instance_name("", hostname="pi.lan") == "Irene on pi"
    assert instance_name("wake", hostname="pi") == "Irene wake on pi"
    assert instance_name("asr", hostname="pi.lan") == "Irene asr on pi"
    assert instance_name("mic") == f"Irene mic on {socket.gethostname().partition('.')[0]}"


def test_a_configured_name_takes_the_place_of_irene_and_the_host() -> None:
    assert instance_name("", "Kitchen", "pi") == "Kitchen"
    assert instance_name("wake", "Kitchen", "pi") == "Kitchen wake"
    assert instance_name("asr", "Kitchen", "pi") == "Kitchen asr"


@pytest.mark.parametrize("configured", ["k" * 200, "Küche" * 40, "\N{COOKING}" * 40, "a.b\nc"])
def test_a_name_fits_into_a_dns_label_and_keeps_its_role(configured: str) -> None:
    name = instance_name("wake", configured)
    assert len(name.encode()) <= 60
    assert name.endswith(" wake")
    assert "." not in name
    assert name.isprintable()


def test_a_long_host_name_is_cut() -> None:
    assert len(instance_name("wake", hostname="h" * 63).encode()) == 60


async def test_a_server_is_seen_with_its_real_address_and_gone_after_stop(hub: Hub) -> None:
    before = set(reachable(["0.0.0.0", "::"], list_addresses()))
    async with Announcer(Announcement(NAME, 10400, "")):
        assert await hub.next(ServiceStateChange.Added) == NAME
        info = await hub.look_up(NAME)
        assert info.port == 10400
        after = set(reachable(["0.0.0.0", "::"], list_addresses()))
        assert before & after <= set(info.parsed_addresses()) <= before | after  # other tests add interfaces
    assert await hub.next(ServiceStateChange.Removed) == NAME


async def test_two_servers_of_one_name_get_two_names_and_keep_their_own_addresses(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    async with Announcer(Announcement(NAME, 10400, "0.0.0.0")):
        assert await hub.next(ServiceStateChange.Added) == NAME
        async with Announcer(Announcement(NAME, 10401, "0.0.0.0")):
            assert await hub.next(ServiceStateChange.Added) == f"{NAME}-2"
            first, second = await hub.look_up(NAME), await hub.look_up(f"{NAME}-2")
            assert (first.port, second.port) == (10400, 10401)
            assert first.server != second.server
    assert f"is called '{NAME}' already: this one is announced as '{NAME}-2'" in caplog.text


async def test_a_server_that_was_killed_has_its_old_name_again(hub: Hub) -> None:
    code = f"""
import asyncio
from irene_wyoming.discovery.zeroconf import Announcement, Announcer
async def main():
    async with Announcer(Announcement({NAME!r}, 10400, "0.0.0.0")):
        await asyncio.Event().wait()
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdin=subprocess.DEVNULL)
    try:
        assert await hub.next(ServiceStateChange.Added) == NAME
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    async with Announcer(Announcement(NAME, 10400, "0.0.0.0")):
        assert await hub.next(ServiceStateChange.Updated) == NAME
    assert await hub.next(ServiceStateChange.Removed) == NAME


async def test_an_address_that_comes_and_goes_is_followed(hub: Hub) -> None:
    network = Network()
    announcement = Announcement(NAME, 10400, "0.0.0.0")
    async with Announcer(announcement, addresses=network.addresses, pause=network.pause):
        network.look_again(ADDRESSES[0])
        assert await hub.next(ServiceStateChange.Added) == NAME
        assert (await hub.look_up(NAME)).parsed_addresses() == [ADDRESSES[0]]
        network.look_again()
        assert await hub.next(ServiceStateChange.Removed) == NAME


async def test_stop_before_start_twice_and_at_any_moment_of_the_start_leaves_nothing_open(hub: Hub) -> None:
    """An open socket would be a warning when it is collected."""
    looked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def addresses() -> Sequence[InterfaceAddress]:
        loop.call_soon_threadsafe(looked.set)
        return list_addresses()

    for turns in range(20):
        announcer = Announcer(Announcement(NAME, 10400, "0.0.0.0"), addresses=addresses)
        await announcer.stop()
        await announcer.start()
        await announcer.start()
        async with asyncio.timeout(PATIENCE_S):
            await looked.wait()
        looked.clear()
        for _ in range(turns):
            await asyncio.sleep(0)
        await announcer.stop()
        await announcer.stop()
    gc.collect()
    del hub


async def test_no_network_is_one_warning_however_often_it_is_tried(caplog: pytest.LogCaptureFixture) -> None:
    network, looks = Network("127.0.0.1"), asyncio.Queue[None]()
    loop = asyncio.get_running_loop()

    def addresses() -> Sequence[InterfaceAddress]:
        loop.call_soon_threadsafe(looks.put_nowait, None)
        return network.addresses()

    async with Announcer(Announcement(NAME, 10400, "0.0.0.0"), addresses=addresses, pause=network.pause):
        for _ in range(3):
            async with asyncio.timeout(PATIENCE_S):
                await looks.get()
            network.look_again("127.0.0.1", "fe80::1")
    [warning] = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert warning.startswith(f"{NAME} is not announced over zeroconf: this machine has no network address")
    assert "port 10400 by hand" in warning


# zeroconf leaves the socket open that it could not bind
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
async def test_a_port_5353_that_is_taken_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    if not ADDRESSES:
        pytest.skip("this machine has no address but loopback")
    paused = asyncio.Event()

    async def pause(seconds: float) -> None:
        del seconds
        paused.set()
        await asyncio.Event().wait()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as selfish:
        try:
            selfish.bind(("", 5353))
        except OSError as error:
            pytest.skip(f"another program has UDP port 5353: {error}")
        async with Announcer(Announcement(NAME, 10400, "0.0.0.0"), pause=pause):
            async with asyncio.timeout(PATIENCE_S):
                await paused.wait()
    warnings = [record.getMessage() for record in caplog.records if record.name.startswith("irene_wyoming")]
    assert len(warnings) == 1
    assert "UDP port 5353 or multicast cannot be used" in warnings[0]
    caplog.clear()  # its errors hold the socket
    gc.collect()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
async def test_a_server_on_loopback_is_not_announced(host: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "irene_wyoming.discovery.zeroconf")
    told = asyncio.Event()

    class Told(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            del record
            told.set()

    logger, handler = logging.getLogger("irene_wyoming.discovery.zeroconf"), Told()
    logger.addHandler(handler)
    with contextlib.ExitStack() as stack:
        stack.callback(logger.removeHandler, handler)
        async with Announcer(Announcement(NAME, 10400, host)):
            async with asyncio.timeout(PATIENCE_S):
                await told.wait()
    [record] = [record for record in caplog.records if record.name.startswith("irene_wyoming")]
    assert record.levelno == logging.DEBUG
    assert "loopback only: not announced" in record.getMessage()


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = """
import sys, irene_wyoming.discovery.zeroconf, irene_wyoming.discovery.supervisor
print([name for name in ("zeroconf", "ifaddr", "numpy", "wyoming") if name in sys.modules])
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


async def test_run_shows_one_card_which_stands_for_all(hub: Hub) -> None:
    """Servers started by ``run`` are reached through the front, and are not announced themselves."""
    settings = {
        "DISCOVERY__NAME": NAME,
        "FRONT__URI": f"tcp://{ADDRESSES[0]}:0",
        "WAKE__URI": f"tcp://0.0.0.0:{free_ports(1)[0]}",
        "WAKE__DEFAULT_PROVIDER": "microwakeword",
        "WAKE__FALLBACK_PROVIDERS": "[]",
        "ASR__ENABLED": "false",
        "MIC__ENABLED": "false",
        "METRICS__ENABLED": "false",
        "WEB__ENABLED": "false",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "irene_wyoming", "run"),
        env=os.environ | {f"IRENE_WYOMING__{name}": value for name, value in settings.items()},
    )
    try:
        assert await hub.next(ServiceStateChange.Added) == NAME
    finally:
        process.terminate()
        await process.wait()
    assert await hub.next(ServiceStateChange.Removed) == NAME
    assert process.returncode == 0
