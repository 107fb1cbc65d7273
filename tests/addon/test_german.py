"""A German household sets only the add-on's options: its model is fetched and commands are understood.

The model is a small stand-in for Parakeet (tests/models). One loopback server stands in for the host of models, another
for Home Assistant with the names of the home.
"""

import asyncio
import bz2
import hashlib
import io
import json
import logging
import tarfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from irene_wyoming.app.asr import asr_server
from irene_wyoming.config.env import BASE_VARIABLE
from irene_wyoming.config.load import load
from irene_wyoming.config.model import Config
from irene_wyoming.errors import ProtocolError
from irene_wyoming.hardware import Hardware
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe
from irene_wyoming.wire.hear import Recording, transcribe
from tests.conftest import ENVIRONMENT, until
from tests.home.hub import TOKEN, Hub, running
from tests.models import sherpa
from tests.models.host import Host, serving

pytest.importorskip("sherpa_onnx", reason="sherpa-onnx is not installed")

NAME = "sherpa-onnx-nemo-parakeet-tdt-0.6b-v3-int8"
PATH = f"/k2-fsa/sherpa-onnx/releases/download/asr-models/{NAME}.tar.bz2"
OPTIONS = {"language": "de", "asr_provider": "guided", "wake_enabled": False, "home_names": True}
"""What the Supervisor writes where only the language is set: the rest are the manifest's defaults."""
COMMAND = "set a timer for five minutes"
PC = Hardware(4, 8_000, "x86_64")
Speech = Callable[[str], Recording]


@pytest.fixture(scope="module")
def archive() -> bytes:
    """The stand-in model, archived as sherpa-onnx publishes its models."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path in sorted(sherpa("zipformer-ctc-de").iterdir()):
            tar.add(path, f"{NAME}/{path.name}")
    return bz2.compress(packed.getvalue(), 1)


@pytest.fixture
def host(archive: bytes) -> Iterator[Host]:
    with serving(Host({PATH: archive})) as host:
        yield host


@pytest.fixture
async def home() -> AsyncIterator[Hub]:
    hub = Hub(areas=[{"area_id": "wohnzimmer", "name": "Wohnzimmer", "aliases": [], "floor_id": None}])
    hub.add("light.stehlampe", "Stehlampe", area="wohnzimmer")
    async with running(hub):
        yield hub


@pytest.fixture
def household(archive: bytes, home: Hub, tmp_path: Path) -> Callable[[str], Config]:
    """``household(mirror)``: the configuration of the options, with the stand-ins in place of the real hosts."""
    file = {"url": f"https://github.com{PATH}", "sha256": hashlib.sha256(archive).hexdigest(), "size": len(archive)}
    row = {"engine": "sherpa", "name": NAME, "languages": ["de"], "licence": "CC-BY-4.0", "files": [file]}
    (tmp_path / "catalogue.json").write_text(json.dumps({"format": 1, "models": [row]}))
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "options.json").write_text(json.dumps(OPTIONS))

    def make(mirror: str) -> Config:
        stand_ins = {
            "models": {"mirror": mirror, "catalogue": str(tmp_path / "catalogue.json")},
            "home": {"url": home.url, "token_file": str(tmp_path / "token")},
        }
        (tmp_path / "irene.yaml").write_text(json.dumps(stand_ins))
        image = {BASE_VARIABLE: str(tmp_path / "irene.yaml"), "IRENE_WYOMING__DATA_DIR": str(tmp_path / "data")}
        return load(tmp_path / "options.json", ENVIRONMENT | image, detect=lambda: PC)

    return make


async def german(address: Address) -> bool:
    """Whether the server describes a German model as installed."""
    programs = {program.name: program.models for program in (await describe(address)).asr}
    return any(model.installed and model.languages == ["de"] for model in programs["sherpa"])


async def test_the_model_is_fetched_switched_to_and_described_and_german_is_understood(
    household: Callable[[str], Config], host: Host, speech: Speech, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    host.breaks_after = [10_000]
    english = speech(f"asr/{COMMAND.replace(' ', '_')}")
    async with asr_server(await asyncio.to_thread(household, host.uri)) as service:
        while not await german(service.address):
            assert (await transcribe(service.address, english, "en")).text == COMMAND
        for said, meant in (
            ("schalte die stehlampe aus", "schalte die Stehlampe aus"),
            ("schalte das licht im wohnzimmer ein", "schalte das licht im Wohnzimmer ein"),
        ):
            heard = await transcribe(service.address, speech(f"de/{said.replace(' ', '_')}"), "de")
            assert heard.text == meant
        assert (await transcribe(service.address, english, "en")).text == COMMAND
    assert (PATH, "bytes=10000-") in host.asked
    for line in (f"fetching {NAME}", f"{NAME}: 100 %", f"{NAME} is here, and is loaded for sherpa"):
        assert line in caplog.text


async def test_without_the_internet_it_says_what_to_do_and_english_commands_work(
    household: Callable[[str], Config], speech: Speech, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with asr_server(await asyncio.to_thread(household, "http://127.0.0.1:1")) as service:
        await until(lambda: "To do it by hand" in caplog.text)
        heard = await transcribe(service.address, speech(f"asr/{COMMAND.replace(' ', '_')}"), "en")
        assert heard.text == COMMAND
        with pytest.raises(ProtocolError, match="no folder base"):
            await transcribe(service.address, speech("de/schalte_die_stehlampe_aus"), "de")
    lines = [record.getMessage() for record in caplog.records if NAME in record.getMessage()]
    (line,) = [line for line in lines if "cannot be reached" in line]
    assert "is the internet there?" in line
    assert f"unpack http://127.0.0.1:1{PATH} into " in line


@pytest.mark.parametrize("options", [{}, {"asr_provider": "guided"}, {"asr_provider": ""}])
@pytest.mark.parametrize(
    ("language", "first"), [("de", "sherpa"), ("en", "guided"), ("en-GB", "guided"), ("", "guided")]
)
def test_who_leaves_the_default_engine_gets_one_for_the_language(
    tmp_path: Path, options: dict[str, str], language: str, first: str
) -> None:
    path = tmp_path / "options.json"
    path.write_text(json.dumps({**options, "language": language}))
    asr = load(path, {}, detect=lambda: PC).asr
    assert asr.default_provider == first
    used = {name for name, provider in asr.providers.items() if provider.enabled}
    assert used == (
        {"guided"} if first == "guided" else {"sherpa", "whisper", "guided"}
    )  # nothing is fetched for English
