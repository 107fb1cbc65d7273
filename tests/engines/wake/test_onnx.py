"""Users' own models in ONNX, on the engine's own features."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from irene_wyoming.engines.wake.openwakeword.engine import OpenWakeWord
from irene_wyoming.engines.wake.openwakeword.words import ONNX
from irene_wyoming.engines.wake.probe import probe
from irene_wyoming.engines.wake.trigger import TriggerSettings
from irene_wyoming.errors import EngineFailed
from tests.engines.wake.models import OPENWAKEWORD, OWN_WORD
from tests.engines.wake.speech import SYNTHESISED, read, silence, word_of

MODEL = Path(__file__).parents[2] / "models" / "hey_jarvis.onnx"
"""A model made by tests/models/make_wake_onnx.py."""

needs_onnx = pytest.mark.skipif(
    find_spec("onnxruntime") is None, reason="onnxruntime is not installed: pip install 'irene-wyoming[onnx]'"
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[OpenWakeWord]:
    engine = OpenWakeWord(OPENWAKEWORD.parent, TriggerSettings(None, 1, 32_000), [tmp_path])
    yield engine
    engine.close()


@needs_onnx
def test_an_onnx_model_is_offered_and_hears_its_word_and_no_other(engine: OpenWakeWord, tmp_path: Path) -> None:
    (tmp_path / "my_jarvis.onnx").write_bytes(MODEL.read_bytes())
    assert engine.refresh()
    for path in SYNTHESISED:
        hits = engine.session(["my_jarvis"]).push(read(path) + silence(1))
        assert [hit.model for hit in hits] == (["my_jarvis"] if word_of(path) == "hey_jarvis" else [])


@needs_onnx
def test_onnx_and_tflite_words_share_one_session(engine: OpenWakeWord, tmp_path: Path) -> None:
    (tmp_path / "my_jarvis.onnx").write_bytes(MODEL.read_bytes())
    engine.refresh()
    hits = engine.session(["my_jarvis", "hey_jarvis"]).push(read(SYNTHESISED[3]) + silence(1))
    assert {hit.model for hit in hits} == {"my_jarvis", "hey_jarvis"}


@needs_onnx
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (MODEL.read_bytes()[:3000], "a damaged ONNX model, or none"),
        (b"\x08" + bytes(100), "a damaged ONNX model, or none"),
        (MODEL.read_bytes().replace(b"\x08\x10", b"\x08\x11"), "model"),
    ],
)
def test_a_useless_onnx_model_is_named(content: bytes, reason: str) -> None:
    (found,) = probe(ONNX, [content])
    assert found is not None
    assert reason in found


@needs_onnx
def test_a_page_and_another_format_are_told_from_onnx(engine: OpenWakeWord, tmp_path: Path) -> None:
    (tmp_path / "page.onnx").write_bytes(b"<html></html>")
    (tmp_path / "lite.onnx").write_bytes(OWN_WORD)
    engine.refresh()
    engine.refresh()
    reasons = {path.stem: reason for path, reason in engine.refused.items()}
    assert "no ONNX model but a web page" in reasons["page"]
    assert "no ONNX model but something else" in reasons["lite"]


@needs_onnx
def test_a_head_takes_the_last_embeddings() -> None:
    from irene_wyoming.engines.wake.openwakeword.onnx_head import OnnxHead

    head = OnnxHead(MODEL, MODEL.read_bytes(), (128, 96))
    embeddings = np.random.default_rng(1).normal(size=(40, 96)).astype(np.float32)
    assert head.embeddings == 16
    assert head.score(embeddings) == head.score(embeddings[-16:])
    with pytest.raises(EngineFailed, match="another kind of model"):
        OnnxHead(MODEL, MODEL.read_bytes(), (128, 40))


def test_without_onnxruntime_it_says_what_to_install(
    engine: OpenWakeWord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("irene_wyoming.engines.wake.openwakeword.words.find_spec", lambda _: None)
    (tmp_path / "my_jarvis.onnx").write_bytes(MODEL.read_bytes())
    engine.refresh()
    engine.refresh()
    (reason,) = engine.refused.values()
    assert reason == "needs onnxruntime, which is not installed: pip install 'irene-wyoming[onnx]'"
