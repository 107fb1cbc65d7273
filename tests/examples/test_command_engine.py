"""The example of an engine in its own package keeps the contract of all engines."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from irene_wyoming.app.asr import asr_server
from irene_wyoming.audio.format import SPEECH
from irene_wyoming.config.model import Config
from irene_wyoming.engines import registry
from irene_wyoming.engines.base import AsrEngine, AsrRequest, EngineContext, EngineSpec
from irene_wyoming.errors import EngineFailed, EngineUnavailable
from irene_wyoming.wire.hear import transcribe
from tests.conftest import SPEECH_DIR, read_wav
from tests.engines.contract import AsrEngineContract
from tests.examples.installed import installed

SAID = "set a timer for five minutes"
LISTENS = f"import sys, wave; print({SAID!r} if any(wave.open(sys.argv[1]).readframes(1 << 20)) else '')"
RUN = [sys.executable, "-c", LISTENS]
WAV = SPEECH_DIR / "asr" / "set_a_timer_for_five_minutes.wav"


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineSpec]:
    with installed("command_engine", tmp_path_factory.mktemp("site")):
        yield registry.spec("asr", "command")


def create(spec: EngineSpec, run: list[str]) -> AsrEngine:
    engine: AsrEngine = spec.create({"run": spec.options["run"].check(run)}, EngineContext())
    return engine


class TestContract(AsrEngineContract):
    @pytest.fixture
    def engine(self, spec: EngineSpec) -> Iterator[AsrEngine]:
        engine = create(spec, RUN)
        yield engine
        engine.close()

    @pytest.fixture
    def said(self) -> str:
        return SAID

    @pytest.fixture
    def speech(self) -> bytes:
        return read_wav(WAV).pcm


def test_a_program_that_is_missing_is_named(spec: EngineSpec) -> None:
    with pytest.raises(EngineUnavailable, match="no program 'no-such-program'"):
        create(spec, ["no-such-program"])


def test_a_program_that_fails_fails_the_utterance(spec: EngineSpec) -> None:
    session = create(spec, [sys.executable, "-c", "raise SystemExit(3)"]).session(AsrRequest())
    session.push(b"\1" * SPEECH.frame_bytes)
    with pytest.raises(EngineFailed, match="exit status 3"):
        session.finish()


@pytest.mark.parametrize("value", ["whisper-cli", [1], [""]])
def test_other_values_are_refused(spec: EngineSpec, value: Any) -> None:
    with pytest.raises(ValueError, match="list of words"):
        spec.options["run"].check(value)


@pytest.mark.usefixtures("spec")
async def test_the_server_hears_with_it(configured: Callable[..., Config], tmp_path: Path) -> None:
    del tmp_path
    config = configured(
        ASR__PROVIDERS__COMMAND=yaml.safe_dump({"enabled": True, "run": RUN}), ASR__DEFAULT_PROVIDER="command"
    )
    async with asr_server(config) as service:
        heard = await transcribe(service.address, read_wav(WAV))
    assert heard.text == SAID
