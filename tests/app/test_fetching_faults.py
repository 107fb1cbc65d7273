"""Failures while a model is fetched: each is logged, and the embedded engine answers all along."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from irene_wyoming.app.asr import asr_server
from irene_wyoming.app.fetching import Fetcher, Wanted
from irene_wyoming.config.model import Config
from irene_wyoming.models.catalogue import Entry, Remote
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.hear import Recording, transcribe
from tests.app.test_fetching import COMMAND, installed, sum_of
from tests.attack.process import free_ports
from tests.conftest import until
from tests.models.host import Host, serving
from tests.models.test_install import NAME, WHOLE

pytest.importorskip("vosk", reason="vosk is not installed")

PATH = "/vosk/models/model.zip"
HALF = len(WHOLE) // 2
NOBODY = "http://127.0.0.1:1"
Speech = Callable[[str], Recording]


@pytest.fixture
def host() -> Iterator[Host]:
    with serving(Host({PATH: WHOLE})) as host:
        yield host


@pytest.fixture
def command(speech: Speech) -> Recording:
    return speech(f"asr/{COMMAND.replace(' ', '_')}")


def settings(folder: Path, mirror: str, size: int | None = len(WHOLE)) -> dict[str, str]:
    """Settings of a household whose preferred provider vosk lacks its model.

    :param folder: folder for models.
    :param size: the model's size in the catalogue.
    """
    mine = folder.parent / "catalogue.json"
    file = {"url": f"https://example.org{PATH}", "sha256": sum_of(WHOLE), "size": size}
    row = {"engine": "vosk", "name": NAME, "languages": ["en"], "licence": "Apache-2.0", "files": [file]}
    mine.write_text(json.dumps({"format": 1, "models": [row]}))
    return {
        "DATA_DIR": str(folder),
        "MODELS__CATALOGUE": str(mine),
        "MODELS__MIRROR": mirror,
        "ASR__DEFAULT_PROVIDER": "vosk",
        "ASR__PROVIDERS__VOSK__ENABLED": "true",
        "ASR__PROVIDERS__VOSK__PROCESS": "false",
        "ASR__PROVIDERS__VOSK__MODEL": NAME,
    }


@asynccontextmanager
async def started(values: dict[str, str], log: Path) -> AsyncIterator[tuple[Process, Address]]:
    """Run the server in a process of its own, until it describes itself."""
    (port,) = await asyncio.to_thread(free_ports, 1)
    here = {"ASR__URI": f"tcp://127.0.0.1:{port}", "METRICS__ENABLED": "false", "DISCOVERY__ZEROCONF": "false"}
    environment = os.environ | {f"IRENE_WYOMING__{key}": value for key, value in (values | here).items()}
    with log.open("ab") as told:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "irene_wyoming", "asr", env=environment, stderr=told
        )
    try:
        address = Address("127.0.0.1", port)
        await until(lambda: process.returncode is not None or "ready on" in log.read_text())
        yield process, address
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_server_killed_amid_a_fetch_goes_on_where_it_was(
    host: Host, tmp_path: Path, command: Recording
) -> None:
    values = settings(tmp_path / "data", host.uri)
    part = tmp_path / "data" / "asr" / "vosk" / f".{NAME}.partial" / "model.zip"
    host.holds_after = [HALF]
    async with started(values, tmp_path / "first") as (process, address):
        await until(lambda: part.exists() and part.stat().st_size == HALF)
        assert (await transcribe(address, command)).text.casefold().rstrip(".") == COMMAND
        process.kill()
        await process.wait()
    assert part.stat().st_size == HALF
    async with started(values, tmp_path / "second") as (_, address):
        while not await installed(address):
            assert (await transcribe(address, command)).text.casefold().rstrip(".") == COMMAND
        assert (await transcribe(address, command, program="vosk")).text == COMMAND
    assert host.asked == [(PATH, None), (PATH, f"bytes={HALF}-")]
    assert f"{NAME} is here, and is loaded for vosk" in (tmp_path / "second").read_text()


async def faulty(config: Config, line: str, caplog: pytest.LogCaptureFixture, command: Recording) -> None:
    """Check that the server logs this line about its fetch, and answers before and after it."""
    caplog.set_level(logging.INFO)
    async with asr_server(config) as service:
        for _ in range(2):
            assert (await transcribe(service.address, command)).text.casefold().rstrip(".") == COMMAND
            await until(lambda: line in caplog.text)
        assert not await installed(service.address)
    said = [record.getMessage() for record in caplog.records if line in record.getMessage()]
    assert len(said) == 1
    assert "tried again in 60 s. To do it by hand: unpack" in said[0]


async def test_without_a_way_to_the_host_it_says_so(
    configured: Callable[..., Config], tmp_path: Path, command: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    config = configured(**settings(tmp_path / "data", NOBODY))
    await faulty(config, "its host cannot be reached", caplog, command)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with too little room for the model."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here: that takes the right to mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize(
    ("size", "line"),
    [(len(WHOLE), "0 MB are free, 2 MB are needed"), (None, "No space left on device; what had come is removed")],
)
async def test_a_full_disk_is_told(
    configured: Callable[..., Config],
    host: Host,
    small_disk: Path,
    command: Recording,
    size: int | None,
    line: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await faulty(configured(**settings(small_disk, host.uri, size)), line, caplog, command)


async def test_what_was_too_large_comes_once_there_is_room(
    host: Host, small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loaded: list[str] = []

    async def load(provider: str) -> None:
        loaded.append(provider)

    remote = Remote(f"{host.uri}{PATH}", sum_of(WHOLE), None)
    fetcher = Fetcher(small_disk, load, again_s=0.01)
    task = asyncio.create_task(fetcher.run([Wanted("vosk", Entry("vosk", NAME, ("en",), "Apache-2.0", (remote,)))]))
    await until(lambda: "No space left on device" in caplog.text)
    larger = ["mount", "-o", "remount,size=20m", str(small_disk)]
    await asyncio.to_thread(lambda: subprocess.run(larger, check=True))
    await task
    fetcher.close()
    assert loaded == ["vosk"]
