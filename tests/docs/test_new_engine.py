"""The engine in CONTRIBUTING.md, installed as written: it keeps the contract, and the server uses it."""

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from wyoming.client import AsyncClient
from wyoming.wake import Detect

import irene_wyoming.engines.wake
from irene_wyoming.app.wake import wake_server
from irene_wyoming.audio.format import SPEECH
from irene_wyoming.config.model import Config
from irene_wyoming.engines import registry
from irene_wyoming.engines.base import EngineContext, EngineSpec, WakeEngine
from irene_wyoming.wire.hear import Recording
from tests.config.files import ROOT
from tests.engines.contract import WakeEngineContract
from tests.servers.clients import answers, audio_start, chunks

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
PACKAGE = "irene_wyoming/engines/wake/whistle"


def block(start: str) -> str:
    """The fenced block that begins with this text."""
    found = re.search(rf"^```\w*\n({re.escape(start)}.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None, f"CONTRIBUTING.md has no block that begins with {start!r}"
    return found[1]


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineSpec]:
    """Register the engine beside our own: three files and an entry point."""
    site = tmp_path_factory.mktemp("site")
    for name in ("__init__", "spec", "engine"):
        path = site / PACKAGE / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block(f"# {PACKAGE}/{name}.py\n"))
    information = site / "whistle-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: whistle\nVersion: 1\n")
    entry = block('[project.entry-points."irene_wyoming.wake"]')
    (information / "entry_points.txt").write_text(
        entry.replace('[project.entry-points."irene_wyoming.wake"]', "[irene_wyoming.wake]").replace('"', "")
    )
    kit = irene_wyoming.engines.wake
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        patch.setattr(kit, "__path__", [*kit.__path__, str((site / PACKAGE).parent)])
        importlib.invalidate_caches()
        yield registry.spec("wake", "whistle")
    for name in [name for name in sys.modules if name.startswith(PACKAGE.replace("/", "."))]:
        del sys.modules[name]


def whistled(hertz: int, amplitude: float = 3000.0) -> bytes:
    """Half a second of a whistle in room noise, with silence around it."""
    random = np.random.default_rng(1)
    samples = random.normal(0.0, 30.0, 2 * SPEECH.rate)
    time = np.arange(SPEECH.rate // 2) / SPEECH.rate
    samples[SPEECH.rate : SPEECH.rate + len(time)] += amplitude * np.sin(2 * np.pi * hertz * time)
    return samples.astype("<i2").tobytes()


class TestContract(WakeEngineContract):
    @pytest.fixture
    def engine(self, spec: EngineSpec) -> Iterator[WakeEngine]:
        registry.require(spec)
        values = {name: option.check(option.default) for name, option in spec.options.items()}
        engine: WakeEngine = spec.create(values, EngineContext())
        yield engine
        engine.close()

    @pytest.fixture
    def word(self) -> str:
        return "low_whistle"

    @pytest.fixture
    def speech(self) -> bytes:
        return whistled(1000)


def test_its_keys_have_the_defaults_of_its_options(spec: EngineSpec) -> None:
    keys: dict[str, Any] = yaml.safe_load(block("    # Hears a whistle"))["whistle"]
    assert keys.pop("enabled") is False
    assert keys == {name: option.check(option.default) for name, option in spec.options.items()}


@pytest.mark.parametrize("default", ["whistle", "openwakeword"])
@pytest.mark.usefixtures("spec")
async def test_the_server_hears_with_it_alone_or_beside_others(configured: Callable[..., Config], default: str) -> None:
    config = configured(
        WAKE__PROVIDERS__WHISTLE="{enabled: true, trigger_level: 5}",
        WAKE__DEFAULT_PROVIDER=default,
        WAKE__DEFAULT_MODELS="[high_whistle]",
    )
    recording = Recording(SPEECH, whistled(2000))
    async with wake_server(config) as service, AsyncClient.from_uri(service.address.uri) as client:
        await client.write_event(Detect(names=["low_whistle", "high_whistle"]).event())
        await client.write_event(audio_start(recording).event())
        for chunk in chunks(recording, 20):
            await client.write_event(chunk.event())
        events = await answers(client)
    assert [(event.type, event.data["name"]) for event in events] == [("detection", "high_whistle")]


def test_nothing_else_knows_it() -> None:
    ours = [path for path in Path(irene_wyoming.__path__[0]).rglob("*.py") if "whistle" in path.read_text()]
    assert ours == []
