"""The whisper engine: a small real model on synthesised speech."""

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from irene_wyoming.engines import registry
from irene_wyoming.engines.asr.lifecycle import PausingSession
from irene_wyoming.engines.asr.whisper.spec import SPEC, languages
from irene_wyoming.engines.base import AsrEngine, AsrRequest, EngineContext
from irene_wyoming.errors import EngineFailed, EngineUnavailable, UnsupportedRequest
from irene_wyoming.language.vocabulary import TypedNames, Vocabulary
from tests.config.files import ROOT
from tests.conftest import SPEECH_DIR, read_wav
from tests.engines.contract import AsrEngineContract
from tests.models import whisper

pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")

Samples = NDArray[np.float64]
"""Samples at 16 kHz, mono, full scale 1."""

DEFAULTS = {name: option.default for name, option in SPEC.options.items()}
COMMANDS = ("set a timer for five minutes", "set the bedroom brightness to fifty percent")


def create(folder: Path | None = None, context: EngineContext | None = None, **options: Any) -> AsrEngine:
    settings = DEFAULTS | {"model": str(folder or whisper()), "cpu_threads": 1} | options
    engine: AsrEngine = SPEC.create(settings, context or EngineContext())
    return engine


def spoken(text: str) -> bytes:
    return read_wav(SPEECH_DIR / "asr" / f"{text.replace(' ', '_')}.wav").pcm


def until_the_end(text: str) -> bytes:
    """A recording without the 0.4 s of silence after the last word."""
    return spoken(text)[: -2 * 6_400]


def hear(engine: AsrEngine, pcm: bytes, request: AsrRequest | None = None) -> str:
    session = engine.session(request or AsrRequest())
    session.push(pcm)
    return session.finish().text


@pytest.fixture(scope="module")
def shared() -> Iterator[AsrEngine]:
    engine = create()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def real() -> Iterator[AsrEngine]:
    """A published multilingual model such as Whisper base, which is not part of the project."""
    folder = os.environ.get("IRENE_WYOMING_TEST_WHISPER")
    if folder is None:
        pytest.skip("set IRENE_WYOMING_TEST_WHISPER to the folder of a published Whisper model for CTranslate2")
    engine = create(Path(folder))
    yield engine
    engine.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the model that a test may damage."""
    return Path(shutil.copytree(whisper(), tmp_path / "base"))


class TestContract(AsrEngineContract):
    @pytest.fixture
    def engine(self) -> Iterator[AsrEngine]:
        engine = create()
        yield engine
        engine.close()

    @pytest.fixture
    def expected(self) -> AsrRequest:
        """A request without hints: the small model has never had any, and new ones mislead it."""
        return AsrRequest(names=("pause my timer",))

    @pytest.fixture
    def said(self) -> str:
        return COMMANDS[0]

    @pytest.fixture
    def speech(self) -> bytes:
        return spoken(COMMANDS[0])


@pytest.mark.parametrize("text", COMMANDS)
def test_a_command_is_understood(shared: AsrEngine, text: str) -> None:
    assert hear(shared, spoken(text)) == text


def test_silence_around_the_command_changes_nothing(shared: AsrEngine) -> None:
    silence = bytes(2 * 16_000 * 8)
    assert hear(shared, silence + spoken(COMMANDS[0]) + silence) == COMMANDS[0]


SECOND = 16_000


def white(level: float) -> Samples:
    noise: Samples = level * np.random.default_rng(1).standard_normal(4 * SECOND)
    return noise


def music() -> Samples:
    """Make a melody of plucked strings."""
    random, string = np.random.default_rng(4), np.arange(SECOND) / SECOND
    heard = np.zeros(5 * SECOND)
    for start in range(SECOND, 3 * SECOND, SECOND // 4):
        hertz = 220 * 2 ** (random.integers(24) / 12)
        tone = sum(np.sin(2 * np.pi * hertz * harmonic * string) / harmonic for harmonic in range(1, 5))
        heard[start : start + SECOND] += tone * np.exp(-3 * string)
    loudest = float(np.abs(heard).max())
    return heard * (0.3 / loudest)


def knocks() -> Samples:
    heard = np.zeros(4 * SECOND)
    for start in (8_000, 20_000, 24_000, 50_000):
        heard[start : start + 2_000] += white(0.2)[:2_000] * np.exp(-np.arange(2_000) / 300)
    return heard


STEADY = {"silence": np.zeros(4 * SECOND), "soft noise": white(0.003), "loud noise": white(0.1)}
BUSY = {"music": music(), "knocks": knocks(), "a burst of noise": np.pad(white(0.1)[:SECOND], SECOND)}


def encoded(samples: Samples) -> bytes:
    return bytes(np.clip(samples * 32_768, -32_768, 32_767).astype("<i2").tobytes())


@pytest.mark.parametrize("sound", STEADY)
def test_nothing_is_made_of_silence_and_steady_noise(shared: AsrEngine, sound: str) -> None:
    assert hear(shared, encoded(STEADY[sound])) == ""


@pytest.mark.parametrize("sound", [*STEADY, *BUSY])
def test_a_real_model_makes_nothing_of_what_is_no_speech(real: AsrEngine, sound: str) -> None:
    assert hear(real, encoded((STEADY | BUSY)[sound])) == ""


@pytest.mark.parametrize("text", COMMANDS)
def test_a_real_model_understands_commands_with_and_without_names(real: AsrEngine, text: str) -> None:
    for request in (AsrRequest(), AsrRequest(vocabulary=Vocabulary.of(["Kitchen", "Attic"], ["AC/DC lamp"]))):
        heard = hear(real, spoken(text), request).casefold().rstrip(".").replace("50%", "fifty percent")
        assert heard.replace(" 5 ", " five ") == text


def test_it_is_decoded_when_the_person_pauses(shared: AsrEngine) -> None:
    session = shared.session(AsrRequest())
    session.push(until_the_end(COMMANDS[0]))
    assert session.partial() is None
    session.push(bytes(16_000))
    assert isinstance(session, PausingSession)
    assert session.pause()
    assert session.partial() == COMMANDS[0]
    assert session.finish().text == COMMANDS[0]


def test_names_of_the_home_and_of_the_request_are_hints() -> None:
    context = EngineContext(vocabulary=TypedNames(areas=("living room",), devices=("light",)))
    engine = create(context=context, initial_prompt="Turn on the kitchen light.")
    assert hear(engine, spoken(COMMANDS[0]), AsrRequest(names=("x" * 10_000,))) != ""


@pytest.mark.parametrize("language", ["en", "en-GB", "en_US"])
def test_a_language_may_have_a_region(shared: AsrEngine, language: str) -> None:
    assert shared.session(AsrRequest(language=language)).finish().language == "en"


def test_what_an_english_model_cannot_hear_is_refused() -> None:
    with pytest.raises(UnsupportedRequest, match=r"'de': the model whisper-tiny knows en only"):
        create(language="de").session(AsrRequest())


def test_a_language_may_be_found_out() -> None:
    session = create(language="auto").session(AsrRequest())
    session.push(spoken(COMMANDS[0]))
    found = session.finish()
    assert (found.language, found.text) == ("en", COMMANDS[0])


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_without_a_gpu_the_cpu_does_the_work(device: str, caplog: pytest.LogCaptureFixture) -> None:
    import ctranslate2

    if ctranslate2.get_cuda_device_count():
        pytest.skip("there is a GPU")
    with caplog.at_level(logging.WARNING):
        engine = create(device=device)
    assert ("the GPU cannot be used" in caplog.text) == (device == "cuda")
    assert hear(engine, spoken(COMMANDS[0])) == COMMANDS[0]


def test_what_this_cpu_cannot_calculate_is_told_and_replaced(caplog: pytest.LogCaptureFixture) -> None:
    import ctranslate2

    other = {"int8_float16", "float16", "bfloat16"} - ctranslate2.get_supported_compute_types("cpu")
    if not other:
        pytest.skip("this CPU can do everything")
    engine = create(compute_type=sorted(other)[0], device="cpu")
    assert "auto is used" in caplog.text
    assert hear(engine, spoken(COMMANDS[0])) == COMMANDS[0]


def test_a_closed_engine_opens_nothing_and_finishes_nothing() -> None:
    engine = create()
    session = engine.session(AsrRequest())
    session.push(until_the_end(COMMANDS[0]))
    engine.close()
    with pytest.raises(EngineFailed, match="closed"):
        engine.session(AsrRequest())
    with pytest.raises(EngineFailed, match="closed"):
        session.finish()


@pytest.mark.parametrize("broken", ["model.bin", "config.json", "tokenizer.json", "vocabulary.json"])
def test_a_missing_or_empty_file_is_named(folder: Path, broken: str) -> None:
    path = folder / broken
    path.write_bytes(b"")
    with pytest.raises(EngineUnavailable, match=rf"{path} is empty.*fetch the model again"):
        create(folder)
    path.unlink()
    with pytest.raises(EngineUnavailable, match=rf"has no .*{broken}"):
        create(folder)


def test_a_truncated_model_is_told_before_it_is_loaded(folder: Path) -> None:
    path = folder / "model.bin"
    whole = path.read_bytes()
    for length in (3, 40, len(whole) // 2, len(whole) - 100):
        path.write_bytes(whole[:length])
        with pytest.raises(EngineUnavailable, match=rf"{path} is cut short"):
            create(folder)


def test_another_kind_of_file_is_told(folder: Path) -> None:
    path = folder / "model.bin"
    path.write_bytes(b"PK\x03\x04" + bytes(1_000))  # as PyTorch writes model files
    with pytest.raises(EngineUnavailable, match="not a model of CTranslate2; one of PyTorch has to be converted"):
        create(folder)
    path.write_bytes(b"\x06\0\0\0\x10\0TransformerSpec\0" + bytes(100))
    with pytest.raises(EngineUnavailable, match="is a TransformerSpec model, expected Whisper"):
        create(folder)


def test_a_damaged_text_file_is_told(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(EngineUnavailable, match=r"base: .*fetch the model again"):
        create(folder)


def test_what_it_understands_is_told_without_loading_it(folder: Path) -> None:
    assert SPEC.offers is not None
    (info,) = SPEC.offers(DEFAULTS | {"model": str(folder)}, EngineContext())
    assert (info.name, info.languages, info.installed) == ("base", ("en",), True)
    tokens = [*map(str, range(51_800)), "<|en|>", "<|de|>", "<|haw|>", "<|nospeech|>", *map(str, range(99))]
    (folder / "vocabulary.json").write_text(json.dumps(tokens))
    assert languages(folder) == ("en", "de", "haw")
    (folder / "vocabulary.json").unlink()
    (folder / "vocabulary.txt").write_text("\n".join(tokens))
    assert languages(folder) == ("en", "de", "haw")
    (folder / "vocabulary.txt").unlink()
    assert [model.installed for model in SPEC.offers(DEFAULTS | {"model": str(folder)}, EngineContext())] == [False]
    assert [model.installed for model in SPEC.offers(DEFAULTS, EngineContext())] == [False]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("device", "gpu"),
        ("device", ["cpu"]),
        ("compute_type", "int4"),
        ("cpu_threads", 0),
        ("cpu_threads", True),
        ("beam_size", 0),
        ("beam_size", 1.5),
        ("language", "English"),
        ("language", 1),
        ("initial_prompt", ""),
        ("model", 5),
    ],
)
def test_a_wrong_option_is_refused(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        SPEC.options[option].check(value)


def test_describing_it_imports_nothing_of_it() -> None:
    script = (
        "import sys; from irene_wyoming.engines.registry import specs; specs('asr');"
        "print({'faster_whisper', 'ctranslate2', 'numpy'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    assert registry.missing(SPEC) == []


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("Turn on the light.", False),
        ("", False),
        ("Stop.", False),
        ("Turn it on, turn it off.", False),
        ("May I have a coffee? May I have a coffee?", True),
        ("Open the roof. Open the roof. Open the", True),
        ("Brew a mocha. Brew a mocha. Br", True),
        ("Stop. Go.", False),
        ("la la la la la la", True),
    ],
)
def test_a_phrase_that_is_said_again_is_known(text: str, again: bool) -> None:
    from irene_wyoming.engines.asr.whisper.decoder import said_again

    assert said_again(text) is again


@pytest.mark.parametrize("text", COMMANDS)
def test_a_window_of_30_s_gives_the_same_text(text: str) -> None:
    assert hear(create(short_window=False), spoken(text)) == text


def test_speech_of_more_than_one_window_is_decoded_to_its_end(shared: AsrEngine) -> None:
    session = shared.session(AsrRequest())
    for _ in range(15):
        session.push(spoken(COMMANDS[0]))
    assert session.finish().text.count("timer") > 1


def test_the_library_does_not_tell_of_every_command(shared: AsrEngine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert hear(shared, 15 * spoken(COMMANDS[0])) != ""
    assert not [record for record in caplog.records if record.name.startswith("faster_whisper")]


def test_the_home_as_it_is_now_goes_before_the_configured_names(shared: AsrEngine) -> None:
    from irene_wyoming.engines.asr.whisper.engine import Settings, hints

    home = Vocabulary.of(["K\u00fcche"], ["AC/DC lamp"])
    settings = Settings(hotwords=("kitchen",))
    assert hints(AsrRequest(names=("Anna",)), settings) == ["Anna", "kitchen"]
    assert hints(AsrRequest(names=("Anna",), vocabulary=home), settings) == ["Anna", "K\u00fcche", "AC/DC lamp"]
    assert hear(shared, spoken(COMMANDS[0]), AsrRequest(vocabulary=Vocabulary())) == COMMANDS[0]


@pytest.mark.parametrize("name", ["lamp {}", "\u043b\u0430\u043c\u043f\u0430 {}", "\u30e9\u30f3\u30d7{}"])
def test_whole_names_are_told_as_far_as_they_fit(name: str) -> None:
    import tokenizers
    from faster_whisper.tokenizer import Tokenizer

    from irene_wyoming.engines.asr.whisper.decoder import MAX_TOKENS, told_names

    tokenizer = Tokenizer(tokenizers.Tokenizer.from_file(str(whisper() / "tokenizer.json")), multilingual=False)
    names = [name.format(number) for number in range(200)]
    told = (told_names(tokenizer, names, MAX_TOKENS) or "").split(", ")
    assert told == names[: len(told)]
    assert len(told) > 10
    assert len(tokenizer.encode(" " + ", ".join(names[: len(told)]))) <= MAX_TOKENS
    assert told_names(tokenizer, ["x" * 10_000], MAX_TOKENS) is None


def test_a_distilled_model_is_told_nothing_before_the_speech(
    shared: AsrEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    strange = AsrRequest(names=("zebra", "pelican", "walrus"))
    assert hear(shared, spoken(COMMANDS[0]), strange) != COMMANDS[0], "names lead the small model astray"
    engine = create(Path(shutil.copytree(whisper(), tmp_path / "distil-tiny")), initial_prompt="Zebras.")
    assert "initial_prompt: distil-tiny takes none" in caplog.text
    assert hear(engine, spoken(COMMANDS[0]), strange) == COMMANDS[0]


def test_it_hears_without_pyav_which_the_image_leaves_out() -> None:
    """The engine runs in a process of its own, for which PyAV is not installed."""
    hidden = """
import importlib.machinery
find = importlib.machinery.PathFinder.find_spec
importlib.machinery.PathFinder.find_spec = lambda name, *more: None if name == "av" else find(name, *more)
import irene_wyoming.engines.asr.whisper.library
from tests.engines.asr.test_whisper import create, hear, spoken
print(hear(create(), spoken("set a timer for five minutes")))
try:
    import av
except ModuleNotFoundError:
    print("PyAV is missing for everybody else")
"""
    ran = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "timer" in ran.stdout
    assert "PyAV is missing for everybody else" in ran.stdout
