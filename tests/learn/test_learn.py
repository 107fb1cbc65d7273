"""Learning a word, with the real engine, and the command that does it."""

import json
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from irene_wyoming.__main__ import main
from irene_wyoming.cli import learn_wake
from irene_wyoming.engines.base import EngineContext
from irene_wyoming.engines.registry import phrase_scorer, spec
from irene_wyoming.engines.wake.openwakeword.engine import OpenWakeWord
from irene_wyoming.errors import AudioError
from irene_wyoming.learn import head as heads
from irene_wyoming.learn import learn
from irene_wyoming.learn.augment import in_room, noise, varied
from irene_wyoming.learn.examples import example, in_quiet, pcm, scrambled
from irene_wyoming.learn.head import Head, fitted, windows
from irene_wyoming.learn.onnxfile import model
from tests.engines.wake.speech import synthesised

RATE = 16_000


def word(name: str = "alexa_slt") -> np.ndarray:
    return np.frombuffer(synthesised(name), "<i2").astype(np.float32) / 32_768


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(11)


@pytest.fixture(scope="module")
def engine() -> Iterator[OpenWakeWord]:
    wake = spec("wake", "openwakeword")
    options = {name: option.default for name, option in wake.options.items()}
    engine = wake.create(options, EngineContext())
    yield engine
    engine.close()


def test_an_example_is_cut_to_its_word() -> None:
    padded = np.concatenate([np.zeros(2 * RATE, np.float32), word(), np.zeros(RATE, np.float32)])
    assert len(example("a", padded).word) == pytest.approx(len(example("a", word()).word), abs=800)
    assert 0.4 < len(example("a", padded).word) / RATE < 1.2


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        (np.zeros(RATE, np.float32), "a.wav: nothing to hear"),
        (np.zeros(0, np.float32), "a.wav: nothing to hear"),
        (np.concatenate([np.zeros(RATE), np.ones(800), np.zeros(RATE)]).astype(np.float32), "a word takes at least"),
        (np.random.default_rng(1).normal(size=3 * RATE).astype(np.float32) * 0.1, "expected one word of up to 2 s"),
    ],
)
def test_what_is_no_recording_of_a_word_is_named(samples: np.ndarray, why: str) -> None:
    with pytest.raises(AudioError, match=why):
        example("a.wav", samples)


def test_variants_differ_and_stay_within_full_scale(random: np.random.Generator) -> None:
    quiet, end = in_quiet(example("a", word()).word, random)
    assert 0 < end < len(quiet)
    made = [varied(quiet, random) for _ in range(8)]
    assert all(np.abs(sound).max() <= 1 and np.isfinite(sound).all() for sound in made)
    assert len({sound.tobytes() for sound in made}) == 8
    assert not np.array_equal(in_room(quiet, random), quiet)
    assert np.mean(noise(RATE, random) ** 2) == pytest.approx(1, rel=1e-3)


def test_a_scrambled_word_is_another_one(random: np.random.Generator) -> None:
    said = example("a", word()).word
    for _ in range(20):
        other = scrambled([said], random)
        assert len(other)
        assert len(other) != len(said) or np.abs(other - said).max() > 0.01


def test_a_head_tells_apart_what_it_was_shown(random: np.random.Generator) -> None:
    base = random.normal(size=(400, heads.EMBEDDINGS * heads.SIZE)).astype(np.float32)
    positives = base[:100] + np.float32(0.5)
    head = fitted(positives, base[100:])
    assert head.scores(positives).min() > 0.5
    assert head.scores(base[100:]).max() < 0.5


def test_windows_are_what_a_head_sees_at_each_hop() -> None:
    embeddings = np.arange(20 * heads.SIZE, dtype=np.float32).reshape(20, heads.SIZE)
    seen = windows(embeddings)
    assert seen.shape == (5, heads.EMBEDDINGS * heads.SIZE)
    assert np.array_equal(seen[2].reshape(heads.EMBEDDINGS, heads.SIZE), embeddings[2:18])
    assert len(windows(embeddings[:15])) == 0


def test_the_file_is_loaded_by_onnxruntime_and_gives_the_same_scores(
    engine: OpenWakeWord, random: np.random.Generator
) -> None:
    from irene_wyoming.engines.wake.openwakeword.onnx_head import OnnxHead

    head = Head(random.normal(size=heads.EMBEDDINGS * heads.SIZE).astype(np.float32) * 0.02, -0.3)
    content = model(head)
    loaded = OnnxHead(Path("a.onnx"), content, (128, heads.SIZE))
    embeddings = engine.embeddings(pcm(word()))
    shown = windows(embeddings)
    for number in range(len(shown)):
        part = embeddings[number : number + heads.EMBEDDINGS]
        assert loaded.score(part) == pytest.approx(float(head.scores(shown[number : number + 1])[0]), abs=1e-5)


def test_a_phrase_in_another_script_is_spelled_as_it_is_heard() -> None:
    scorer = phrase_scorer()()
    examples = [example(str(number), word() * np.float32(gain)) for number, gain in enumerate((0.3, 0.6, 1.0))]
    assert learn.spellings(examples, scorer, "Алекса") == ("alexa",)
    assert learn.spellings(examples, scorer, "Alexa") == ("alexa",)


@pytest.mark.parametrize("count", [4, 31])
def test_too_few_or_too_many_are_refused(engine: OpenWakeWord, count: int) -> None:
    with pytest.raises(AudioError, match="expected 5 to 30"):
        learn.learn([example("a", word())] * count, engine, None, "alexa")


def test_a_word_is_learned_by_a_command_and_offered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], random: np.random.Generator
) -> None:
    folder = tmp_path / "said"
    folder.mkdir()
    for number in range(5):
        with wave.open(str(folder / f"{number}.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes(pcm(word() * np.float32(random.uniform(0.2, 1.0))))
    given = ["learn-wake", "my word", str(folder), "--output", str(tmp_path / "out"), "--phrase", "alexa"]
    assert main([*given, "--variants", "15"]) == 0
    told = capsys.readouterr().out
    assert "Of 1 of 5 recordings" in told
    assert "false accepts alone" in told
    manifest = json.loads((tmp_path / "out" / "my_word.json").read_text())
    assert manifest["type"] == "openWakeWord"
    assert manifest["spellings"][0] == "alexa"
    wake = spec("wake", "openwakeword")
    options = {name: option.default for name, option in wake.options.items()}
    own: OpenWakeWord = wake.create(options | {"folders": [str(tmp_path / "out")]}, EngineContext())
    (info,) = (info for info in own.models() if info.name == "my_word")
    assert info.spellings[0] == "alexa"
    scores: list[float] = []
    own.session(["my_word"], on_score=lambda score: scores.append(score.score)).push(
        bytes(32_000) + pcm(word()) + bytes(16_000)
    )
    assert max(scores) >= learn.PROPOSED
    own.close()


def test_of_a_recording_of_the_servers_only_the_word_is_learned(tmp_path: Path) -> None:
    path = tmp_path / "20260102T030405.000000Z-activation-alexa.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(bytes(RATE * 6))
    assert len(learn_wake.heard(path)) == 3 * RATE
    scores = [{"word": "alexa", "at_s": at, "score": score} for at, score in ((1.0, 0.2), (2.0, 0.9), (2.1, 0.5))]
    scores.append({"word": "okay_nabu", "at_s": 0.1, "score": 1.0})
    path.with_suffix(".json").write_text(json.dumps({"word": "alexa", "scores": scores}))
    assert len(learn_wake.heard(path)) == pytest.approx((learn_wake.WORD_S + learn_wake.AFTER_S) * RATE, abs=1)
    for damaged in ("{}", "[]", '{"word": "alexa", "scores": [1]}', '{"word": "alexa", "scores": []}'):
        path.with_suffix(".json").write_text(damaged)
        assert len(learn_wake.heard(path)) == 3 * RATE


@pytest.mark.parametrize(
    ("phrase", "warned"),
    [
        ("computer", "is long enough"),
        ("smart mirror", "is long enough"),
        ("bob", "is short"),
        ("good morning", "is said all day"),
    ],
)
def test_wake_score_warns_of_phrases_that_do_badly(
    phrase: str, warned: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["wake-score", phrase]) == 0
    assert warned in capsys.readouterr().out


def test_wake_score_says_whether_recordings_would_be_heard(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(__file__).parents[1] / "speech" / "wake"
    assert main(["wake-score", "alexa", str(folder / "alexa_slt.wav"), str(folder / "okay_nabu_rms.wav")]) == 1
    told = capsys.readouterr().out
    assert "alexa_slt.wav: heard" in told
    assert "okay_nabu_rms.wav: not heard" in told
    assert "1 of 2 would be heard" in told
