"""A model that is configured and missing is fetched while another engine answers, and then takes over."""

import asyncio
import hashlib
import json
import logging
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from irene_wyoming.app.asr import asr_server
from irene_wyoming.app.fetching import Fetcher, Wanted, by_hand, wanted
from irene_wyoming.config.model import Config
from irene_wyoming.models.catalogue import Entry, Remote
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from irene_wyoming.wire.hear import Recording, transcribe
from tests.conftest import until
from tests.models import VOSK
from tests.models.host import Host, serving
from tests.models.test_install import NAME, WHOLE

pytest.importorskip("vosk", reason="vosk is not installed")

COMMAND = "turn on the living room light"
MakeConfig = Callable[..., Config]
Speech = Callable[[str], Recording]


@pytest.fixture
def host() -> Iterator[Host]:
    with serving(Host({"/vosk/models/model.zip": WHOLE})) as host:
        yield host


@pytest.fixture
def german(configured: MakeConfig, host: Host, tmp_path: Path) -> Config:
    """A household whose preferred provider vosk lacks its model, with a host that has it."""
    mine = tmp_path / "catalogue.json"
    file = {"url": "https://example.org/vosk/models/model.zip", "sha256": sum_of(WHOLE), "size": len(WHOLE)}
    row = {"engine": "vosk", "name": NAME, "languages": ["en"], "licence": "Apache-2.0", "files": [file]}
    mine.write_text(json.dumps({"format": 1, "models": [row]}))
    return configured(
        DATA_DIR=str(tmp_path / "data"),
        MODELS__CATALOGUE=str(mine),
        MODELS__MIRROR=host.uri,
        ASR__DEFAULT_PROVIDER="vosk",
        ASR__PROVIDERS__VOSK__ENABLED="true",
        ASR__PROVIDERS__VOSK__PROCESS="false",
        ASR__PROVIDERS__VOSK__MODEL=NAME,
    )


def sum_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def fetched() -> float | None:
    return REGISTRY.get_sample_value("irene_model_fetched_ratio", {"engine": "vosk", "model": NAME})


async def installed(address: Address) -> bool:
    """Whether the server's description says that vosk's model is installed."""
    info = await describe(address)
    return any(model.installed for program in info.asr if program.name == "vosk" for model in program.models)


@asynccontextmanager
async def server(config: Config) -> AsyncIterator[Address]:
    async with asr_server(config) as service:
        yield service.address


async def test_the_embedded_engine_answers_until_the_model_is_there(
    german: Config, host: Host, speech: Speech, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    host.breaks_after = [1_000]  # the next try resumes where it broke off
    async with server(german) as address:
        recording = speech(f"asr/{COMMAND.replace(' ', '_')}")
        while not await installed(address):
            heard = await transcribe(address, recording)
            assert heard.text.casefold().rstrip(".") == COMMAND
        assert (await transcribe(address, recording)).text == COMMAND
    assert ("/vosk/models/model.zip", "bytes=1000-") in host.asked
    for said in (f"fetching {NAME}", f"{NAME}: 100 % of", f"{NAME} is here, and is loaded for vosk"):
        assert said in caplog.text
    assert fetched() == 1


async def test_what_cannot_be_fetched_is_told_and_tried_again(
    host: Host, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    loaded: list[str] = []

    async def load(provider: str) -> None:
        loaded.append(provider)

    host.status = [404, 404]
    fetcher = Fetcher(tmp_path, load, again_s=0.01)
    await fetcher.run([offered(host, sum_of(WHOLE))])
    fetcher.close()
    assert loaded == ["vosk"]
    assert caplog.text.count("the host answers 404") == 2
    assert f"To do it by hand: unpack {host.uri}/vosk/models/model.zip into {tmp_path}/asr/vosk/{NAME}" in caplog.text


async def test_what_somebody_has_unpacked_by_hand_is_loaded(
    host: Host, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loaded: list[str] = []

    async def load(provider: str) -> None:
        loaded.append(provider)

    host.status = [404] * 1_000
    fetcher = Fetcher(tmp_path, load, again_s=0.01)
    task = asyncio.create_task(fetcher.run([offered(host, sum_of(WHOLE))]))
    await until(lambda: "To do it by hand" in caplog.text)
    await asyncio.to_thread(shutil.copytree, VOSK, tmp_path / "asr" / "vosk" / NAME)
    await task
    fetcher.close()
    assert loaded == ["vosk"]


async def test_other_bytes_than_promised_never_load(
    host: Host, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def load(provider: str) -> None:
        raise AssertionError(provider)

    fetcher = Fetcher(tmp_path, load, again_s=600)
    task = asyncio.create_task(fetcher.run([offered(host, sum_of(b"something else"))]))
    await until(lambda: "the checksum (SHA-256) is" in caplog.text)
    fetcher.close()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert not (tmp_path / "asr" / "vosk" / NAME).exists()


def test_by_hand_an_archive_is_unpacked_and_single_files_are_put_there() -> None:
    several = tuple(Remote(f"https://example.org/{name}", None, None) for name in ("config.json", "model.bin"))
    told = [by_hand(Entry("whisper", "base", ("*",), "MIT", files)) for files in (several[:1], several)]
    assert told == [
        "unpack https://example.org/config.json",
        "put https://example.org/config.json, https://example.org/model.bin",
    ]


def offered(host: Host, sha256: str) -> Wanted:
    remote = Remote(f"{host.uri}/vosk/models/model.zip", sha256, len(WHOLE))
    return Wanted("vosk", Entry("vosk", NAME, ("en",), "Apache-2.0", (remote,)))


def test_without_a_data_folder_it_says_what_to_do(configured: MakeConfig, caplog: pytest.LogCaptureFixture) -> None:
    config = configured(
        ASR__DEFAULT_PROVIDER="vosk", ASR__PROVIDERS__VOSK__ENABLED="true", ASR__PROVIDERS__VOSK__MODEL=NAME
    )
    assert not wanted(config)
    assert f"{NAME} cannot be fetched, since there is no folder for it: set data_dir" in caplog.text


@pytest.mark.parametrize("model", ["/somewhere/else", "not-in-the-catalogue"])
def test_what_is_in_no_catalogue_is_not_fetched(configured: MakeConfig, tmp_path: Path, model: str) -> None:
    config = configured(
        DATA_DIR=str(tmp_path),
        ASR__DEFAULT_PROVIDER="vosk",
        ASR__PROVIDERS__VOSK__ENABLED="true",
        ASR__PROVIDERS__VOSK__MODEL=model,
    )
    assert not wanted(config)
