"""Fixtures of all tests: no blocking call on the event loop, a configuration on free ports, recorded speech."""

import asyncio
import logging
import signal
import wave
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import hypothesis
import ifaddr
import pytest
from blockbuster import BlockBuster, blockbuster_ctx

from irene_wyoming.app.logs import JsonFormatter
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.config.load import load
from irene_wyoming.config.model import Config
from irene_wyoming.wire.hear import Recording

pytest_plugins = ["tests.limits"]

hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)  # a busy machine makes any example slow
hypothesis.settings.load_profile("busy")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and its children do

SPEECH_DIR = Path(__file__).parent / "speech"
HUMAN_DIR = Path(__file__).parents[2] / "shared" / "wavs"
"""Folder with recordings of people, which are not part of the project."""

ENVIRONMENT = {
    "IRENE_WYOMING__WAKE__URI": "tcp://127.0.0.1:0",
    "IRENE_WYOMING__ASR__URI": "tcp://127.0.0.1:0",
    "IRENE_WYOMING__MIC__URI": "tcp://127.0.0.1:0",
    "IRENE_WYOMING__FRONT__URI": "tcp://127.0.0.1:0",
    "IRENE_WYOMING__METRICS__PORT": "0",
    "IRENE_WYOMING__WEB__PORT": "0",
    "IRENE_WYOMING__DISCOVERY__ZEROCONF": "false",
    "IRENE_WYOMING__HARDWARE": "pc",
    "IRENE_WYOMING__WAKE__VERIFY": "off",  # it takes half a second of each test; tests about it switch it on
}


@pytest.fixture(autouse=True)
def no_blocking_calls() -> Iterator[BlockBuster]:
    """Fail a test when our code makes a blocking call on the event loop."""
    with blockbuster_ctx("irene_wyoming") as blockbuster:
        for function in blockbuster.functions.values():
            function.can_block_in("tests/conftest.py", {"make", "read_wav"})  # the preparation of a test may block
        yield blockbuster


@pytest.fixture
def configured() -> Callable[..., Config]:
    """``configured(WAKE__CHUNK_SIZE="320")``: the default configuration on free loopback ports, with changes."""

    def make(**changes: str) -> Config:
        return load(None, ENVIRONMENT | {f"IRENE_WYOMING__{key}": value for key, value in changes.items()})

    return make


def read_wav(path: Path) -> Recording:
    with wave.open(str(path), "rb") as wav:
        form = AudioFormat(wav.getframerate(), wav.getsampwidth(), wav.getnchannels())
        return Recording(form, wav.readframes(wav.getnframes()))


@pytest.fixture
def speech() -> Callable[[str], Recording]:
    """``speech("wake/alexa_slt")``: one of the project's own recordings."""
    return lambda name: read_wav(SPEECH_DIR / f"{name}.wav")


@pytest.fixture
def human() -> Callable[[str], Recording]:
    """``human("okay_nabu")``: a recorded human voice; skips the test where it is missing."""

    def find(name: str) -> Recording:
        path = HUMAN_DIR / f"{name}.wav"
        if not path.exists():
            pytest.skip(f"the recorded voice {name}.wav is not part of the project")
        return read_wav(path)

    return find


@pytest.fixture(scope="session")
def other_host() -> str:
    """An address of this machine other than loopback: clients that connect to it come from it."""
    addresses = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if isinstance(ip.ip, str)]
    found = [
        address for address in addresses if not ip_address(address).is_loopback and not address.startswith("169.254.")
    ]
    if not found:
        pytest.skip("this machine has no network")
    return found[0]


async def until(condition: Callable[[], bool], timeout_s: float = 60) -> None:
    """Wait for a condition that sends no event."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  # only the state itself shows it
            await asyncio.sleep(0.01)


class Kept(logging.Handler):
    """A log handler that keeps formatted lines."""

    def __init__(self, kept: list[str]) -> None:
        super().__init__()
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(self.format(record))


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """The log lines from now on, in the format of ``log_format: json``."""
    kept: list[str] = []
    handler = Kept(kept)
    handler.setFormatter(JsonFormatter())
    log = logging.getLogger("irene_wyoming")
    log.addHandler(handler)
    yield kept
    log.removeHandler(handler)
