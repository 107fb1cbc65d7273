"""Manifests as their publishers have written them over the years, read by the real engines."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from irene_wyoming.engines.wake.manifest import read_manifest
from irene_wyoming.engines.wake.microwakeword.engine import FEATURES, MicroWakeWord, Word
from irene_wyoming.engines.wake.openwakeword.engine import OpenWakeWord
from irene_wyoming.engines.wake.packages import PYMICRO_WAKEWORD
from irene_wyoming.engines.wake.tflite import Model, Runtime
from irene_wyoming.engines.wake.trigger import TriggerSettings
from irene_wyoming.errors import EngineFailed
from tests.engines.wake.models import MICRO_DESCRIPTION, MICRO_WORD, MICROWAKEWORD, OPENWAKEWORD, OWN_WORD
from tests.engines.wake.speech import synthesised

SETTINGS = TriggerSettings(None, 1, 32_000)
SPEECH = synthesised("hey_jarvis_slt")
FIRST_GENERATION = {
    "type": "micro",
    "wake_word": "Hey Zelda",
    "author": "Kevin Ahrendt",
    "website": "https://www.kevinahrendt.com/",
    "model": "./zelda.tflite",
    "version": 1,
    "micro": {"probability_cutoff": 0.66, "sliding_window_average_size": 5},
}


@pytest.fixture
def micro(tmp_path: Path) -> Iterator[MicroWakeWord]:
    engine = MicroWakeWord(MICROWAKEWORD.parent, SETTINGS, [tmp_path])
    yield engine
    engine.close()


@pytest.fixture
def open_engine(tmp_path: Path) -> Iterator[OpenWakeWord]:
    engine = OpenWakeWord(OPENWAKEWORD.parent, SETTINGS, [tmp_path])
    yield engine
    engine.close()


def settle(engine: MicroWakeWord | OpenWakeWord) -> None:
    """Refresh twice: new files are believed at the second look."""
    engine.refresh()
    engine.refresh()


def put(folder: Path, name: str, data: object) -> Path:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_a_manifest_of_the_first_generation_is_read(micro: MicroWakeWord, tmp_path: Path) -> None:
    (tmp_path / "zelda.tflite").write_bytes(MICRO_WORD)
    put(tmp_path, "zelda", FIRST_GENERATION)
    settle(micro)
    assert micro.refused == {}
    (info,) = (info for info in micro.models() if info.name == "zelda")
    assert (info.phrase, info.threshold, info.version) == ("Hey Zelda", 0.66, "1")
    assert [hit.model for hit in micro.session(["zelda"]).push(SPEECH)] == ["zelda"]


@pytest.mark.parametrize(("step_ms", "rows"), [(10, 3), (20, 6), (None, 3)])
def test_a_word_takes_rows_as_far_apart_as_its_model_was_trained(step_ms: int | None, rows: int) -> None:
    model = Model(Runtime.of_package(PYMICRO_WAKEWORD.folder()), Path("hey_jarvis.tflite"), MICRO_WORD)
    word = Word(model, 1, step_ms)
    feed = np.zeros((4 * rows, FEATURES))
    assert word.rows_to(1) == rows
    scores = list(word.push(feed[:2]))
    assert word.rows_to(1) == rows - 2
    assert word.rows_to(2) == 2 * rows - 2
    scores += word.push(feed[2:])
    assert len(scores) == 4
    assert [row for row, _ in scores] == [rows - 1 - 2 + rows * n for n in range(4)]
    word.close()


def test_a_manifest_of_openwakeword_names_its_word(open_engine: OpenWakeWord, tmp_path: Path) -> None:
    """The manifest is in the form of Linux Voice Assistant."""
    (tmp_path / "zelda_v0.1.tflite").write_bytes(OWN_WORD)
    said = {"type": "openWakeWord", "wake_word": "Hey, Zelda!", "model": "./zelda_v0.1.tflite", "threshold": 0.62}
    put(tmp_path, "zelda", said)
    settle(open_engine)
    assert open_engine.refused == {}
    (info,) = (info for info in open_engine.models() if "zelda" in info.name)
    assert (info.name, info.phrase, info.threshold) == ("zelda", "Hey, Zelda!", 0.62)
    assert [hit.model for hit in open_engine.session(["zelda"]).push(SPEECH)] == ["zelda"]


def test_a_damaged_manifest_costs_no_openwakeword_model(open_engine: OpenWakeWord, tmp_path: Path) -> None:
    (tmp_path / "zelda.tflite").write_bytes(OWN_WORD)
    put(tmp_path, "zelda", {"type": "openWakeWord", "model": "zelda.tflite"})
    put(tmp_path, "settings", {"of": "another program"})
    settle(open_engine)
    assert open_engine.refused == {
        tmp_path / "zelda.json": "no description of an openWakeWord model: wake_word is missing"
    }
    assert "zelda" in [info.name for info in open_engine.models()]


def test_a_manifest_in_the_wrong_folder_says_where_it_belongs(
    micro: MicroWakeWord, open_engine: OpenWakeWord, tmp_path: Path
) -> None:
    path = put(tmp_path, "zelda", {"type": "openWakeWord", "wake_word": "Zelda", "model": "zelda.tflite"})
    settle(micro)
    assert "belongs into the folder wake/openwakeword" in micro.refused[path]
    put(tmp_path, "zelda", FIRST_GENERATION)
    settle(open_engine)
    assert "belongs into the folder wake/microwakeword" in open_engine.refused[path]


def test_a_helper_beside_the_words_is_neither_offered_nor_refused(micro: MicroWakeWord, tmp_path: Path) -> None:
    (tmp_path / "vad.tflite").write_bytes(MICRO_WORD)
    put(tmp_path, "vad", MICRO_DESCRIPTION | {"wake_word": "vad", "model": "vad.tflite"})
    settle(micro)
    assert micro.refused == {}
    assert "vad" not in [info.name for info in micro.models()]


def test_a_link_in_a_circle_costs_only_itself(open_engine: OpenWakeWord, tmp_path: Path) -> None:
    (tmp_path / "circle.tflite").symlink_to(tmp_path / "circle.tflite")
    (tmp_path / "zelda.tflite").write_bytes(OWN_WORD)
    settle(open_engine)
    assert "zelda" in [info.name for info in open_engine.models()]
    assert "cannot be read" in open_engine.refused[tmp_path / "circle.tflite"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"model": "../zelda.tflite"}, "expected the name of a file"),
        ({"micro": {"probability_cutoff": 0.5}}, "micro.sliding_window_size is missing"),
        ({"micro": {"sliding_window_size": 5}}, "micro.probability_cutoff is missing"),
        ({"micro": {"probability_cutoff": 0.5, "sliding_window_size": 5, "feature_step_size": 7}}, "10 or 20 ms"),
        ({"micro": [1]}, "micro: expected an object"),
        ({"type": "vosk", "micro": None}, "no type"),
    ],
)
def test_what_is_wrong_is_told_in_words(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    path = put(tmp_path, "zelda", FIRST_GENERATION | change)
    with pytest.raises(EngineFailed, match=why) as refused:
        read_manifest(path, "micro")
    assert "Error" not in str(refused.value)
