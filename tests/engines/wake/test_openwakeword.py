from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from irene_wyoming.engines.base import EngineContext, Hit, WakeEngine
from irene_wyoming.engines.registry import require, spec
from irene_wyoming.engines.wake.openwakeword.engine import OpenWakeWord
from irene_wyoming.engines.wake.openwakeword.spec import SPEC
from irene_wyoming.engines.wake.packages import PYOPEN_WAKEWORD
from irene_wyoming.engines.wake.trigger import TriggerSettings
from irene_wyoming.errors import EngineFailed, EngineUnavailable
from tests.engines.contract import WakeEngineContract, push_in_pieces
from tests.engines.wake.speech import (
    SOUNDS,
    SYNTHESISED,
    loaded_by_describing,
    read,
    recorded,
    silence,
    synthesised,
    word_of,
)

WORDS = ["okay_nabu", "hey_jarvis", "alexa", "hey_mycroft", "hey_rhasspy"]
PACKAGE = PYOPEN_WAKEWORD.folder()
DEFAULTS = {name: option.default for name, option in SPEC.options.items()}
EVERY_SCORE = TriggerSettings(threshold=1e-30, level=1, refractory_frames=0)
"""Settings with which every step of every word is a hit, so that its score can be seen."""


def create(**options: Any) -> WakeEngine:
    engine: WakeEngine = SPEC.create(DEFAULTS | options, EngineContext())
    return engine


@pytest.fixture(scope="module")
def shared() -> Iterator[WakeEngine]:
    engine = create()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def scoring() -> Iterator[OpenWakeWord]:
    engine = OpenWakeWord(PACKAGE, EVERY_SCORE)
    yield engine
    engine.close()


def peaks(engine: OpenWakeWord, pcm: bytes) -> dict[str, float]:
    """The highest score of every word."""
    highest = dict.fromkeys(WORDS, 0.0)
    for hit in engine.session(WORDS).push(pcm):
        highest[hit.model] = max(highest[hit.model], hit.score)
    return highest


def fired(hits: list[Hit]) -> list[str]:
    return [hit.model for hit in hits]


class TestContract(WakeEngineContract):
    @pytest.fixture
    def engine(self) -> Iterator[WakeEngine]:
        engine = create()
        yield engine
        engine.close()

    @pytest.fixture
    def word(self) -> str:
        return "okay_nabu"

    @pytest.fixture
    def speech(self) -> bytes:
        return synthesised("okay_nabu_rms")


def test_offers_the_packaged_words(shared: WakeEngine) -> None:
    require(SPEC)
    assert spec("wake", "openwakeword") is SPEC
    assert [model.name for model in shared.models()] == WORDS
    assert [model.phrase for model in shared.models()][:2] == ["Okay Nabu", "Hey Jarvis"]


@pytest.mark.parametrize("path", SYNTHESISED, ids=lambda path: path.stem)
def test_every_word_fires_its_own_model_and_no_other(shared: WakeEngine, path: Path) -> None:
    assert fired(list(shared.session(WORDS).push(read(path)))) == [word_of(path)]


@pytest.mark.parametrize("word", ["okay_nabu", "hey_jarvis"])
def test_a_recorded_voice_fires_its_own_model_and_no_other(shared: WakeEngine, word: str) -> None:
    assert fired(list(shared.session(WORDS).push(recorded(word)))) == [word]


def test_a_recorded_command_fires_nothing(shared: WakeEngine) -> None:
    assert list(shared.session(WORDS).push(recorded("living_room_light_en"))) == []


@pytest.mark.parametrize("frames", [1, 7, 1279, 1281, 1760, 16_000])
def test_the_scores_never_depend_on_the_cut(scoring: OpenWakeWord, frames: int) -> None:
    pcm = synthesised("hey_jarvis_slt")[: 2 * 12_800]
    whole = scoring.session(WORDS).push(pcm)
    assert len(whole) == 10 * len(WORDS)
    assert push_in_pieces(scoring.session(WORDS), pcm, frames) == whole


def test_further_words_do_not_change_the_scores_of_the_first(scoring: OpenWakeWord) -> None:
    pcm = synthesised("alexa_slt")
    alone = scoring.session(["alexa"]).push(pcm)
    assert [hit for hit in scoring.session(WORDS).push(pcm) if hit.model == "alexa"] == alone


def test_a_step_ends_every_80_ms(scoring: OpenWakeWord) -> None:
    hits = scoring.session(["alexa"]).push(silence(0.5))
    assert [hit.frame for hit in hits] == [1280, 2560, 3840, 5120, 6400, 7680]


@pytest.mark.parametrize("path", SYNTHESISED, ids=lambda path: path.stem)
def test_a_word_spoken_right_at_the_start_is_heard(scoring: OpenWakeWord, path: Path) -> None:
    """The recordings are played without the 0.3 s of silence at their beginning. The engine's threshold is 0.5."""
    assert peaks(scoring, read(path)[2 * 4800 :])[word_of(path)] >= 0.5


@pytest.mark.parametrize("sound", SOUNDS)
def test_a_stream_does_not_start_with_false_hits(scoring: OpenWakeWord, sound: str) -> None:
    assert max(peaks(scoring, SOUNDS[sound]).values()) < 0.3


@pytest.mark.parametrize("path", SYNTHESISED, ids=lambda path: path.stem)
def test_a_stream_that_starts_within_a_word_fires_no_other(scoring: OpenWakeWord, path: Path) -> None:
    scores = peaks(scoring, read(path)[2 * 9600 :])
    assert max(score for word, score in scores.items() if word != word_of(path)) < 0.3


def test_a_recorded_word_scores_as_the_package_scores_it_and_not_later(scoring: OpenWakeWord) -> None:
    compare_with_package(scoring, recorded("okay_nabu"), "okay_nabu")


def test_a_synthesised_word_scores_as_the_package_scores_it_and_not_later(scoring: OpenWakeWord) -> None:
    compare_with_package(scoring, synthesised("alexa_slt"), "alexa")


def compare_with_package(scoring: OpenWakeWord, pcm: bytes, word: str) -> None:
    pcm += silence(0.5)
    ours = [(hit.frame, hit.score) for hit in scoring.session([word]).push(pcm)]
    theirs = package_scores(pcm, word)
    assert max(score for _, score in ours) == pytest.approx(max(score for _, score in theirs), abs=0.05)
    assert next(frame for frame, score in ours if score >= 0.5) <= next(f for f, score in theirs if score >= 0.5)


def package_scores(pcm: bytes, word: str) -> list[tuple[int, float]]:
    """The package's own streaming scores, fed 40 ms at a time: pairs of (frames given, score)."""
    import pyopen_wakeword

    features = pyopen_wakeword.OpenWakeWordFeatures.from_builtin()
    head = pyopen_wakeword.OpenWakeWord.from_builtin(pyopen_wakeword.Model(word))
    scores = [
        (start // 2 + 640, score)
        for start in range(0, len(pcm) - 1279, 1280)
        for embedding in features.process_streaming(pcm[start : start + 1280])
        for score in head.process_streaming(embedding)
    ]
    features.close()
    head.close()
    return scores


def test_the_threshold_option_is_used() -> None:
    strict = create(threshold=1.0)
    assert list(strict.session(WORDS).push(synthesised("okay_nabu_rms"))) == []
    strict.close()


def test_the_refractory_option_is_used() -> None:
    eager = create(refractory_s=0.0)
    assert len(eager.session(["alexa"]).push(synthesised("alexa_slt"))) > 1
    eager.close()


def test_the_same_word_said_again_later_is_another_hit(shared: WakeEngine) -> None:
    pcm = synthesised("alexa_slt") + silence(1.0) + synthesised("alexa_slt")
    first, second = shared.session(["alexa"]).push(pcm)
    assert second.frame - first.frame >= 2 * 16_000


def test_a_hundred_open_sessions_take_less_than_5_mb(shared: WakeEngine) -> None:
    shared.session(WORDS).push(silence(0.1))
    before = resident_kb()
    sessions = [shared.session(WORDS) for _ in range(100)]
    for session in sessions:
        session.push(silence(0.1))
    assert resident_kb() - before < 5000


def resident_kb() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4


def installation(folder: Path, broken: Mapping[str, bytes | None]) -> Path:
    """A copy of the package by links, with other content for some models; None: the model is missing."""
    (folder / "models").mkdir()
    (folder / "lib").symlink_to(PACKAGE / "lib")
    for path in (PACKAGE / "models").glob("*.tflite"):
        content = broken.get(path.stem, b"") if path.stem in broken else path
        if isinstance(content, bytes):
            (folder / "models" / path.name).write_bytes(content)
        elif content is not None:
            (folder / "models" / path.name).symlink_to(content)
    return folder


OTHER_KIND = (PACKAGE / "models" / "alexa.tflite").read_bytes()


@pytest.mark.parametrize("model", ["melspectrogram", "embedding_model"])
@pytest.mark.parametrize("content", [None, b"", b"<html></html>", OTHER_KIND[:100_000], OTHER_KIND])
def test_broken_feature_models_fail_at_creation(tmp_path: Path, model: str, content: bytes | None) -> None:
    package = installation(tmp_path, {model: content})
    with pytest.raises(EngineFailed, match=rf"{model}\.tflite"):
        OpenWakeWord(package, EVERY_SCORE)


@pytest.mark.parametrize(
    "content", [b"", OTHER_KIND[:100_000], (PACKAGE / "models/embedding_model.tflite").read_bytes()]
)
def test_a_broken_word_fails_alone(tmp_path: Path, content: bytes) -> None:
    engine = OpenWakeWord(installation(tmp_path, {"alexa": content}), EVERY_SCORE)
    with pytest.raises(EngineFailed, match=r"alexa\.tflite"):
        engine.session(["okay_nabu", "alexa"])
    assert engine.session(["okay_nabu"]).push(silence(0.1))
    engine.close()


def test_a_word_without_file_is_not_offered(tmp_path: Path) -> None:
    engine = OpenWakeWord(installation(tmp_path, {"alexa": None}), EVERY_SCORE)
    assert [model.name for model in engine.models()] == [word for word in WORDS if word != "alexa"]
    engine.close()


def test_a_package_without_words_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="reinstall"):
        OpenWakeWord(installation(tmp_path, dict.fromkeys(WORDS)), EVERY_SCORE)


def test_a_session_of_a_closed_engine_fails_and_does_not_crash() -> None:
    engine = create()
    session = engine.session(["okay_nabu"])
    engine.close()
    with pytest.raises(EngineFailed, match="closed"):
        session.push(silence(0.1))


def test_describing_an_engine_loads_nothing_heavy() -> None:
    assert loaded_by_describing("openwakeword") == []
