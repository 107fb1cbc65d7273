"""``irene-wyoming run``: real processes on free ports, killed and stopped."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.wake import Detect

from irene_wyoming.app.shared_metrics import PREFIX, default_place
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.discovery.zeroconf import instance_name
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.hear import Recording
from tests.app.http import get
from tests.attack.process import free_ports
from tests.servers.clients import answers, audio_start, chunks, read

START_S = 60
"""Seconds for three interpreters and their models on a busy machine."""

FIGURES = default_place()

PATIENT = {"IRENE_WYOMING__SUPERVISE__DRAIN_S": "50", "IRENE_WYOMING__SUPERVISE__STOP_TIMEOUT_S": "60"}
"""Settings with long waits: a busy machine still loads a model when the default 3 s are over."""


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


class Running:
    """The program as a user starts it."""

    def __init__(self, process: asyncio.subprocess.Process, ports: dict[str, int], figures: int) -> None:
        self.process = process
        self.ports = ports
        self.figures = Address("127.0.0.1", figures)

    async def figure(self, name: str, **labels: str) -> float | None:
        """One sample of /metrics; None: there is none."""
        status, body = await get(self.figures, "/metrics")
        assert status == 200
        families = text_string_to_metric_families(body)
        samples = [sample for family in families for sample in family.samples]
        return next((s.value for s in samples if s.name == name and s.labels.items() >= labels.items()), None)

    async def shows(self, value: float | None, name: str, **labels: str) -> None:
        """Wait until a sample has this value; None: any value."""
        async with asyncio.timeout(START_S):
            while (now := await self.figure(name, **labels)) is None or value not in (None, now):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def describe(self, server: str) -> Info:
        async with AsyncClient.from_uri(f"tcp://127.0.0.1:{self.ports[server]}") as client:
            await client.write_event(Describe().event())
            while (event := await client.read_event()) is not None:
                if Info.is_type(event.type):
                    return Info.from_event(event)
        raise ConnectionError("closed without an Info")

    async def answers(self, server: str) -> None:
        """Wait until a server answers."""
        async with asyncio.timeout(START_S):
            while True:
                try:
                    await self.describe(server)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    return

    async def refuses(self, server: str) -> None:
        """Wait until a server answers nobody any more. A client that connects while asyncio closes the socket hangs
        until the process ends.
        """
        with suppress(OSError):
            while True:
                async with asyncio.timeout(1):
                    await self.describe(server)

    def child(self, server: str) -> int:
        """The process id of one server."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return next(int(pid) for pid in children if f"\0{server}\0" in Path(f"/proc/{pid}/cmdline").read_text() + "\0")

    def maps(self, server: str, library: str) -> bool:
        """Whether one server has mapped a library."""
        return library in Path(f"/proc/{self.child(server)}/maps").read_text()


@pytest.fixture
async def running(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    """Run the program with the settings that a test gives by ``PATIENT``, else with the defaults."""
    *numbers, figures = free_ports(5)
    ports = dict(zip(("wake", "asr", "mic", "front"), numbers, strict=True))
    settings = {f"IRENE_WYOMING__{name.upper()}__URI": f"tcp://127.0.0.1:{port}" for name, port in ports.items()}
    settings |= {"IRENE_WYOMING__METRICS__PORT": str(figures), "IRENE_WYOMING__WEB__PORT": "0"}
    settings |= {"IRENE_WYOMING__DISCOVERY__ZEROCONF": "false", "IRENE_WYOMING__MIC__SOURCE__KIND": "silence"}
    settings |= getattr(request, "param", {})
    with (tmp_path / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "irene_wyoming", "run", env=os.environ | settings, stderr=log
        )
    try:
        program = Running(process, ports, figures)
        for server in ports:
            await program.answers(server)
        yield program
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        sys.stderr.write((tmp_path / "log").read_text())


async def test_a_killed_server_is_back_by_itself_and_the_others_answer_throughout(running: Running) -> None:
    for killed in ("wake", "asr", "mic"):
        os.kill(running.child(killed), signal.SIGKILL)
        back = asyncio.create_task(running.answers(killed))
        while not back.done():
            for other in {"wake", "asr", "mic", "front"} - {killed}:
                async with asyncio.timeout(START_S):
                    await running.describe(other)
            await asyncio.sleep(0.02)
        await back


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_everything_with_exit_code_0(running: Running, number: signal.Signals) -> None:
    """``python -m tests.attack stop`` tells how long that takes. On a busy machine a model's loading may use up 4 s."""
    children = [running.child(server) for server in ("wake", "asr", "mic")]
    running.process.send_signal(number)
    async with asyncio.timeout(60):
        assert await running.process.wait() == 0
    assert not any(is_alive(pid) for pid in children)
    assert not list(FIGURES.glob(f"{PREFIX}{running.process.pid}-*"))


async def test_the_front_describes_all_of_them(running: Running) -> None:
    info = await running.describe("front")
    # the name that hubs show and that tells machines apart
    assert info.wake[0].name == info.asr[0].name == instance_name("")
    assert len(info.mic) == 1


async def test_the_wake_server_has_the_other_one_look_twice_and_loads_no_model_for_it(
    running: Running, speech: Callable[[str], Recording]
) -> None:
    await running.shows(1, "irene_engine_loaded", provider="guided")
    async with AsyncClient.from_uri(f"tcp://127.0.0.1:{running.ports['wake']}") as client:
        await client.write_event(Detect(names=["alexa"]).event())
        quiet = Recording(AudioFormat(16_000, 2, 1), bytes(4 * 32_000))  # so much at once counts as a recording
        for recording, ms in ((quiet, 4_000), (speech("wake/alexa_slt"), 20)):
            for chunk in chunks(recording, ms):
                await client.write_event(chunk.event())
        (event,) = await answers(client)
    assert event.data["name"] == "alexa"
    assert event.data["context"]["llr"] > -10
    assert [server for server in ("wake", "asr") if running.maps(server, "onnxruntime")] == ["asr"]


async def test_one_address_shows_the_figures_of_all_and_restarts_lose_none(running: Running) -> None:
    async with AsyncClient.from_uri(f"tcp://127.0.0.1:{running.ports['wake']}") as client:
        await client.write_event(Event("audio-start", {"rate": 1}))
        answer = await client.read_event()
        assert answer is not None
        assert answer.type == "error"
        for server in running.ports:
            await running.shows(None, "irene_resident_bytes", server=server)
    refused = {"server": "wake", "code": "unsupported-format"}
    assert await running.figure("irene_refused_total", **refused) == 1
    os.kill(running.child("wake"), signal.SIGKILL)
    await running.shows(1, "irene_restarts_total", server="wake")
    await running.answers("wake")
    assert await running.figure("irene_refused_total", **refused) == 1
    assert (await get(running.figures, "/readyz"))[0] == 200


async def test_a_server_that_is_gone_is_not_ready_but_the_program_is_healthy(running: Running) -> None:
    os.kill(running.child("asr"), signal.SIGSTOP)
    try:
        status, body = await get(running.figures, "/readyz")
        assert status == 503
        assert body.startswith("asr: ")
        assert (await get(running.figures, "/healthz"))[0] == 200
    finally:
        os.kill(running.child("asr"), signal.SIGCONT)


@pytest.mark.parametrize("running", [PATIENT], indirect=True)
async def test_a_command_that_is_being_spoken_at_sigterm_is_transcribed(
    running: Running, speech: Callable[[str], Recording]
) -> None:
    """Real processes: the front and the server behind it get the signal at the same time."""
    recording = speech("asr/set_a_timer_for_five_minutes")
    async with AsyncClient.from_uri(f"tcp://127.0.0.1:{running.ports['front']}") as client:
        await client.write_event(Event("transcribe"))
        await client.write_event(audio_start(recording).event())
        first, *rest = chunks(recording, 100)
        await client.write_event(first.event())
        await answers(client)  # the answer comes from the server behind the front, after all earlier events
        running.process.send_signal(signal.SIGTERM)
        await running.refuses("front")
        for chunk in rest:
            await client.write_event(chunk.event())
        await client.write_event(Event("audio-stop"))
        transcript = await read(client)
        assert transcript.data["text"] == "set a timer for five minutes"
    async with asyncio.timeout(60):
        assert await running.process.wait() == 0
