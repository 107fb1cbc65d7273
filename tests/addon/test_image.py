"""The built image, started as the Supervisor starts it. Needs podman or docker, root, and an image: see `.ci/image`."""

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from wyoming.audio import AudioStop
from wyoming.client import AsyncClient
from wyoming.wake import Detect, Detection

from irene_wyoming.web.guard import INGRESS
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from irene_wyoming.wire.hear import Recording, transcribe
from tests.addon.test_manifest import MANIFEST, NEEDED, extremes, pairwise
from tests.conftest import SPEECH_DIR, read_wav
from tests.models import VOSK, sherpa, whisper
from tests.servers.clients import audio_start, chunks, read

IMAGE = os.environ.get("IRENE_WYOMING_IMAGE", "")
"""Name of the image to test."""
RUN = os.environ.get("IRENE_WYOMING_CONTAINERS", "podman run").split()
"""Command that runs a container: a program, ``run`` and options."""

pytestmark = pytest.mark.skipif(not IMAGE, reason="IRENE_WYOMING_IMAGE names no image: see .ci/image")

START_S = 300
"""Seconds for a start, enough where another processor is emulated."""

END_S = 30
"""Seconds for an end, enough where another processor is emulated."""

HOSTNAME = "a0d7b954-irene-wyoming"
TOKEN = "token-of-the-supervisor"


class StandIn(BaseHTTPRequestHandler):
    """A stand-in for the Supervisor's discovery endpoint."""

    told: list[tuple[str, str | None, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.told.append((self.path, self.headers["Authorization"], body))
        answer = b'{"result": "ok", "data": {"uuid": "1"}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        del format, args


@pytest.fixture
def told() -> Iterator[list[tuple[str, str | None, Any]]]:
    """Messages that the Supervisor gets at the address where an add-on finds it."""
    StandIn.told = []
    with ThreadingHTTPServer(("127.0.0.1", 80), StandIn) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield StandIn.told
        server.shutdown()
        thread.join()


class Container:
    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        self.process = process
        self._name = name

    async def ask(self, *words: str) -> tuple[int, str]:
        """Run podman's or docker's own command on the container."""
        asked = await asyncio.create_subprocess_exec(
            RUN[0], words[0], self._name, *words[1:], stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        output, _ = await asked.communicate()
        assert asked.returncode is not None
        return asked.returncode, output.decode()

    async def healthy(self) -> None:
        async with asyncio.timeout(START_S):
            while (await self.ask("exec", "healthy"))[0]:
                assert self.process.returncode is None, "it ended"
                await asyncio.sleep(0.2)


def options(folder: Path, **changed: Any) -> Path:
    """Make a data folder as the Supervisor does: the options, readable by root alone."""
    folder.mkdir()
    path = folder / "options.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(MANIFEST["options"] | changed))
    return folder


async def start(folder: Path, log: Path, *more: str) -> Container:
    name = f"irene-test-{os.getpid()}"
    given = [f"--name={name}", f"--hostname={HOSTNAME}", f"--env=SUPERVISOR_TOKEN={TOKEN}", f"--volume={folder}:/data"]
    given += ["--network=host", "--add-host=supervisor:127.0.0.1", *more]
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(*RUN, "--rm", *given, IMAGE, stdout=file, stderr=file)
    return Container(process, name)


@asynccontextmanager
async def started(folder: Path, *more: str, **changed: Any) -> AsyncIterator[Container]:
    """Run a container until it is healthy, and kill it afterwards if it still runs.

    :param more: options for the container.
    :param changed: options of the add-on.
    """
    container = await start(options(folder / "data", **changed), folder / "log", *more)
    try:
        await container.healthy()
        yield container
    finally:
        if container.process.returncode is None:
            await container.ask("kill")
            await container.process.wait()
        print((folder / "log").read_text())  # noqa: T201  # to explain a failed test


@pytest.fixture
async def addon(tmp_path: Path, told: object) -> AsyncIterator[Container]:
    del told  # the stand-in must listen first
    async with started(tmp_path) as container:
        yield container


async def test_it_starts_tells_home_assistant_once_and_ends_with_0(
    addon: Container, told: list[tuple[str, str | None, Any]], tmp_path: Path
) -> None:
    info = await describe(Address("127.0.0.1", 10_700), 5)
    assert (info.wake[0].name, info.asr[0].name) == ("Irene", "Irene")
    assert info.satellite is None
    async with asyncio.timeout(10):
        while "Home Assistant was told" not in (tmp_path / "log").read_text():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    message = {"service": "wyoming", "config": {"uri": f"tcp://{HOSTNAME}:10700"}}
    assert told == [("/discovery", f"Bearer {TOKEN}", message)]
    running = (await addon.ask("top", "user"))[1].split()[1:] if RUN[0] == "podman" else ["irene"]
    assert set(running) == {"irene"}, "somebody is still root"
    await addon.ask("kill", "--signal=TERM") if RUN[0] == "docker" else await addon.ask("stop")
    async with asyncio.timeout(10):
        assert await addon.process.wait() == 0


CHOICES: dict[str, list[Any]] = {
    "wake_enabled": [True, False],
    "asr_enabled": [True, False],
    "mic_enabled": [True, False],
    "wake_provider": extremes("wake_provider"),
    "asr_provider": extremes("asr_provider"),
    "language": ["en", "de"],
    "second_look": extremes("second_look"),
    "typed_words": [[], ["computer"]],
    "wake_licence": extremes("wake_licence"),
    "home_names": [True, False],
    "log_level": ["info", "debug"],
}
ROWS = [
    # with no server enabled it says so and stops
    row if row["wake_enabled"] or row["asr_enabled"] else row | {"mic_enabled": True}
    for row in ({name: values[0] for name, values in CHOICES.items()} | choice | NEEDED for choice in pairwise(CHOICES))
]
"""Rows in which every choice of one option stands beside every choice of each other option."""


def through_ingress(path: str) -> tuple[int, str]:
    """Ask the page's server as the Supervisor does for a browser: from its address, with the page's path."""
    with closing(HTTPConnection(INGRESS, 8099, timeout=10, source_address=(INGRESS, 0))) as connection:
        connection.request("GET", path, headers={"X-Ingress-Path": "/api/hassio_ingress/abc"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.mark.timeout(2 * START_S)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(str(value) for value in row.values() if value))
async def test_any_two_options_start_and_stop(
    tmp_path: Path, told: list[tuple[str, str | None, Any]], row: dict[str, Any]
) -> None:
    async with started(tmp_path, **row) as container:
        assert (await asyncio.to_thread(through_ingress, "/healthz"))[0] == 200
        status, page = await asyncio.to_thread(through_ingress, "/")
        assert (status, "<title>" in page) == (200, True)
        status, figures = await asyncio.to_thread(through_ingress, "/metrics")
        assert (status, "irene_connections" in figures) == (200, True)
        async with asyncio.timeout(10):
            while not told:  # noqa: ASYNC110  # another thread gets the message
                await asyncio.sleep(0.05)
        await ended(container)
        assert len(told) == 1
        assert "Traceback" not in (tmp_path / "log").read_text()


async def ended(container: Container) -> None:
    """Stop a container as the Supervisor does, and see it end well."""
    await container.ask("kill", "--signal=TERM")
    async with asyncio.timeout(END_S):
        assert await container.process.wait() == 0


PATIENT = ["--env=IRENE_WYOMING__ASR__ADMISSION__ANSWER_TIMEOUT_S=300", "--env=IRENE_WYOMING__WAKE__MAX_LAG_S=60"]
"""Options for a container whose processor is emulated: its models load, and its engines hear, more slowly."""


@pytest.mark.timeout(2 * START_S)
async def test_its_servers_hear_a_word_and_a_command(tmp_path: Path, told: object) -> None:
    del told
    front = Address("127.0.0.1", 10_700)
    async with started(tmp_path, *PATIENT, second_look="off") as container:
        await all_described(front)
        assert await woken(front, read_wav(SPEECH_DIR / "wake" / "okay_nabu_rms.wav")) == "okay_nabu"
        async with asyncio.timeout(START_S):
            while "guided: loaded" not in (tmp_path / "log").read_text():  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        command = read_wav(SPEECH_DIR / "asr" / "set_a_timer_for_five_minutes.wav")
        assert (await transcribe(front, command)).text == "set a timer for five minutes"
        await ended(container)
        assert "Traceback" not in (tmp_path / "log").read_text()


async def all_described(front: Address) -> None:
    """Wait until wake and speech-to-text server are both up; the front is healthy before."""
    async with asyncio.timeout(START_S):
        while not ((info := await describe(front, 30)).wake and info.asr):  # noqa: ASYNC110
            await asyncio.sleep(0.5)


async def woken(address: Address, word: Recording) -> str | None:
    """The name of the wake word that a server tells for a recording, however late."""
    async with AsyncClient.from_uri(address.uri) as client:
        await client.write_event(Detect(names=["okay_nabu"]).event())
        await client.write_event(audio_start(word).event())
        for chunk in chunks(word, 80):
            await client.write_event(chunk.event())
        await client.write_event(AudioStop().event())
        return Detection.from_event(await read(client)).name


READ_ONLY = ["--read-only", "--tmpfs=/tmp"]
if RUN[0] == "podman":  # which else mounts a tmpfs for /run, and without that none for /dev/shm, as docker always does
    READ_ONLY += ["--read-only-tmpfs=false", "--tmpfs=/dev/shm"]


async def test_nothing_is_written_to_its_own_disk(tmp_path: Path) -> None:
    """The container runs as with `docker run --read-only --tmpfs /tmp`, started as root."""
    async with started(tmp_path, *READ_ONLY) as container:
        await ended(container)


@pytest.mark.parametrize("after_s", [0, 0.05, 0.1, 0.2, 0.4, 0.8])
async def test_it_ends_with_0_however_early_it_is_stopped(tmp_path: Path, after_s: float) -> None:
    container = await start(options(tmp_path / "data"), tmp_path / "log")
    async with asyncio.timeout(START_S):
        while "true" not in (await container.ask("inspect", "--format={{.State.Running}}"))[1]:  # noqa: ASYNC110
            await asyncio.sleep(0.001)  # no event tells
        await asyncio.sleep(after_s)  # stop at different moments of the start
        await container.ask("kill", "--signal=TERM")
        assert await container.process.wait() == 0


async def test_a_bad_option_is_named_in_the_log_and_it_stops(tmp_path: Path) -> None:
    container = await start(options(tmp_path / "data", wake_threshold=7), tmp_path / "log")
    async with asyncio.timeout(START_S):
        assert await container.process.wait() == 2
    said = (tmp_path / "log").read_text()
    assert "wake_threshold: " in said
    assert "Traceback" not in said


async def inside(*command: str, given: Sequence[str] = ()) -> tuple[int | None, str]:
    """Run a command in the image, instead of the program.

    :param given: options for the container.
    """
    words = (*RUN, "--rm", *given, f"--entrypoint={command[0]}", IMAGE, *command[1:])
    process = await asyncio.create_subprocess_exec(*words, stdout=-1)
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_no_tool_to_build_with_is_left() -> None:
    assert await inside("bash", "-c", "! command -v gcc cc make git curl strip apt-get perl pip") == (0, "")
    assert (await inside("python", "-c", "import pip"))[0] == 1


async def test_no_program_gives_its_starter_more_rights() -> None:
    assert await inside("find", "/", "-xdev", "-type", "f", "-perm", "/6000") == (0, "")


async def test_what_is_left_of_the_engines_can_be_loaded() -> None:
    """Libraries of the engines lack their debugging data, and Whisper lacks its decoder of files."""
    modules = "faster_whisper", "sherpa_onnx", "vosk", "onnxruntime", "sounddevice", "aiohttp", "rapidfuzz"
    whisper = "import irene_wyoming.engines.asr.whisper.engine"
    assert await inside("/opt/irene/bin/python", "-c", f"{whisper}, {', '.join(modules)}") == (0, "")


async def test_it_understands_speech() -> None:
    assert (await inside("irene-wyoming", "demo", given=PATIENT))[0] == 0


async def test_what_servers_load_is_compiled() -> None:
    """With PYTHONDONTWRITEBYTECODE set, each start would otherwise compile the modules again."""
    code = (
        "import os, json, irene_wyoming.app.wake as own; print([os.path.exists(one.__cached__) for one in (json, own)])"
    )
    assert await inside("/opt/irene/bin/python", "-c", code) == (0, "[True, True]\n")


@pytest.mark.parametrize("provider", ["guided", "sherpa", "vosk", "whisper"])
async def test_each_engine_writes_what_is_said(provider: str) -> None:
    models = {"sherpa": lambda: sherpa("transducer-en"), "vosk": lambda: VOSK, "whisper": whisper}
    given = [f"--volume={SPEECH_DIR}:/speech:ro", f"--env=IRENE_WYOMING__ASR__DEFAULT_PROVIDER={provider}"]
    given += [f"--env=IRENE_WYOMING__ASR__PROVIDERS__{provider.upper()}__ENABLED=true"]
    if provider in models:
        model = f"/models/{models[provider]().name}"
        given += [f"--volume={models[provider]()}:{model}:ro"]
        given += [f"--env=IRENE_WYOMING__ASR__PROVIDERS__{provider.upper()}__MODEL={model}"]
    code, said = await inside(
        "irene-wyoming", "transcribe", "/speech/asr/set_a_timer_for_five_minutes.wav", given=given
    )
    assert (code, "set a timer for five minutes" in said) == (0, True), said
