"""The packaging for servers with OpenAI's API: HAProxy's file in a real HAProxy, Docker's against the document."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
import yaml

from irene_wyoming.bench.serving import free_port
from irene_wyoming.engines.asr.remote.spec import uri
from irene_wyoming.engines.base import AsrEngine
from tests.config.files import ROOT
from tests.engines.asr.conftest import MakeRemote
from tests.engines.asr.conftest import make_remote as make_remote
from tests.engines.asr.elsewhere import LIGHT, TIMER, heard
from tests.engines.asr.remote.api_server import Api, serve
from tests.engines.asr.remote.conftest import guided as guided
from tests.engines.asr.remote.realtime_server import realtime_server, understands
from tests.engines.asr.remote.servers import WAIT_S, on_a_loop, wait_for

FILE = ROOT / "packaging" / "haproxy" / "models.cfg"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "packaging" / "compose.models.yaml").read_text())
DOCUMENT = (ROOT / "docs" / "strong-models.md").read_text()

needs_haproxy = pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")


@contextmanager
def haproxy(*ports: int) -> Iterator[int]:
    """Run HAProxy with the packaged file before two servers; gives its port."""
    port = free_port()
    where = {"IRENE_BIND": "127.0.0.1", "IRENE_MODELS_PORT": str(port), "IRENE_MODELS_CHECK": "/v1/models"}
    where |= {f"IRENE_MODEL_{number}": f"127.0.0.1:{each}" for number, each in enumerate(ports, 1)}
    command = ["haproxy", "-db", "-f", str(FILE)]
    with subprocess.Popen(
        command, env=os.environ | where, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    ) as process:
        try:
            wait_for(lambda: healthy(port))
            yield port
        finally:
            process.terminate()


def healthy(port: int) -> bool:
    """Whether a server answers through the proxy."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=WAIT_S):
            return True
    except OSError:  # nobody answers, or with an error
        return False


@needs_haproxy
def test_commands_are_shared_out_and_a_server_that_goes_is_left_out(make_remote: MakeRemote, guided: AsrEngine) -> None:
    apis = [Api(guided), Api(guided)]
    servers = [serve(api) for api in apis]
    try:
        with haproxy(*(server.server_port for server in servers)) as port, ThreadPoolExecutor(6) as people:
            engine = make_remote(uri=f"http://127.0.0.1:{port}/v1", response_timeout_s=WAIT_S)
            assert list(people.map(lambda text: heard(engine, text), [LIGHT, TIMER] * 3)) == [LIGHT, TIMER] * 3
            assert all(api.requests for api in apis)
            servers[0].go()
            first = len(apis[0].requests)
            wait_for(lambda: healthy(port))
            assert [heard(engine, LIGHT) for _ in range(3)] == 3 * [LIGHT]
            assert len(apis[0].requests) == first
    finally:
        for server in servers[1:]:
            server.shutdown()
            server.server_close()


@needs_haproxy
def test_text_comes_through_it_by_websocket(make_remote: MakeRemote, guided: AsrEngine) -> None:
    with (
        on_a_loop(realtime_server(understands("openai", guided))) as one,
        on_a_loop(realtime_server(understands("speaches", guided))) as other,
        haproxy(*(urlsplit(each.uri).port or 0 for each in (one, other))) as port,
    ):
        engine = make_remote(uri=f"ws://127.0.0.1:{port}/v1", response_timeout_s=WAIT_S)
        assert [heard(engine, text) for text in (LIGHT, TIMER)] == [LIGHT, TIMER]
        assert one.talks
        assert other.talks


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_each_server_of_dockers_file_is_reached_as_the_document_says(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["profiles"] == [name]
    assert service["ports"] == ["8000:8000"]
    (row,) = [line for line in DOCUMENT.splitlines() if line.startswith("|") and ROWS[name] in line]
    addresses = re.findall(r"`((?:http|ws)://[^`]+)`", row)
    assert {urlsplit(str(uri(address))).port for address in addresses} == {8000}
    command = service.get("command", [])
    given = " ".join(command) if isinstance(command, list) else command
    for path in {urlsplit(address).path for address in addresses if address.startswith("http:")}:
        assert path == "/v3" if name == "openvino" else path == "/v1"
    if name == "whisper-cpp":
        assert f"--inference-path {urlsplit(addresses[0]).path}/audio/transcriptions" in given
    if name in ("vllm", "openvino"):
        assert re.search(r"`([^`]*whisper[^`]*)`", row.split("|")[4])[1] in given  # type: ignore[index]


ROWS = {"speaches": "[Speaches]", "vllm": "[vLLM]", "whisper-cpp": "[whisper.cpp", "openvino": "[OpenVINO"}
"""The name of each service in the document's table."""
