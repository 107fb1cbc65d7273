"""Servers for the engine: guided behind OpenAI's API and behind Wyoming, and a certificate."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from irene_wyoming.app.asr import asr_server
from irene_wyoming.config.load import load
from irene_wyoming.engines.asr.guided.spec import SPEC as GUIDED
from irene_wyoming.engines.base import AsrEngine
from tests.conftest import ENVIRONMENT
from tests.engines.asr.conftest import made
from tests.engines.asr.remote.api_server import Api, serve
from tests.engines.asr.remote.servers import in_thread


@pytest.fixture(scope="module")
def guided() -> Iterator[AsrEngine]:
    engine = made(GUIDED)
    yield engine
    engine.close()


@pytest.fixture
def api(guided: AsrEngine) -> Iterator[Api]:
    api = Api(guided)
    server = serve(api)
    yield api
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def house() -> Iterator[str]:
    """Run this project's own server with guided."""
    with in_thread(asr_server(load(None, ENVIRONMENT))) as uri:
        yield uri


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make a file with a self-signed certificate for 127.0.0.1 and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes a certificate to test with, is not installed")
    path, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    names = ["-subj", "/CN=gpu-box", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", str(key), "-out", str(path)]
    subprocess.run([openssl, "req", "-x509", *made, *names], check=True, capture_output=True)
    path.write_text(path.read_text() + key.read_text())
    return path
