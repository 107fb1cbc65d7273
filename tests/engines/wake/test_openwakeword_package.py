"""The openwakeword package itself, where it is installed with its dependencies."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from irene_wyoming.engines.base import EngineContext, WakeEngine
from irene_wyoming.engines.registry import missing
from irene_wyoming.engines.wake.openwakeword_package.spec import SPEC
from irene_wyoming.errors import EngineUnavailable
from tests.engines.contract import WakeEngineContract
from tests.engines.wake.models import OWN_WORD
from tests.engines.wake.speech import loaded_by_describing, synthesised

DEFAULTS = {name: option.default for name, option in SPEC.options.items()}

installed = pytest.mark.skipif(
    bool(missing(SPEC)) or find_spec("ai_edge_litert") is None or find_spec("sklearn") is None,
    reason=f"the openwakeword package is not installed: {SPEC.install}",
)


def create(**options: Any) -> WakeEngine:
    engine: WakeEngine = SPEC.create(DEFAULTS | options, EngineContext())
    return engine


@installed
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
class TestContract(WakeEngineContract):
    @pytest.fixture
    def engine(self) -> Iterator[WakeEngine]:
        engine = create()
        yield engine
        engine.close()

    @pytest.fixture
    def word(self) -> str:
        return "alexa"

    @pytest.fixture
    def speech(self) -> bytes:
        """The word with 1.5 s before it: the package ignores its first 0.4 s, and hears its own noise for a second."""
        return bytes(48_000) + synthesised("alexa_slt")

    def test_a_word_of_the_users_own_is_heard(self, tmp_path: Path) -> None:
        (tmp_path / "hey_zelda.tflite").write_bytes(OWN_WORD)
        engine = create(folders=[str(tmp_path)])
        session = engine.session(["hey_zelda"])
        (tmp_path / "hey_zelda.tflite").write_bytes(b"")
        assert [hit.model for hit in session.push(bytes(48_000) + synthesised("hey_jarvis_slt"))] == ["hey_zelda"]
        engine.close()

    def test_onnx_needs_feature_models_in_onnx(self, tmp_path: Path) -> None:
        with pytest.raises(EngineUnavailable, match=r"no melspectrogram\.onnx in .*feature_models"):
            create(inference_framework="onnx", feature_models=str(tmp_path))


@pytest.mark.skipif(not missing(SPEC), reason="the openwakeword package is installed")
def test_without_the_package_it_says_what_to_install() -> None:
    with pytest.raises(EngineUnavailable, match="pip install"):
        create()


@pytest.mark.parametrize(
    ("option", "value"), [("inference_framework", "torch"), ("feature_models", 3), ("feature_models", "")]
)
def test_its_options_are_checked(option: str, value: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        SPEC.options[option].check(value)


def test_describing_it_loads_nothing_heavy() -> None:
    assert loaded_by_describing("microwakeword") == []
