"""The vosk engine: a small real model on synthesised speech."""

import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from irene_wyoming.engines import registry
from irene_wyoming.engines.asr.lazy import LazyEngine
from irene_wyoming.engines.asr.vosk.spec import SPEC, model_info
from irene_wyoming.engines.base import AsrEngine, AsrRequest, EngineContext
from irene_wyoming.errors import ConfigError, EngineUnavailable
from irene_wyoming.language.vocabulary import Vocabulary
from tests.conftest import SPEECH_DIR, read_wav
from tests.engines.contract import AsrEngineContract
from tests.models import VOSK

pytest.importorskip("vosk", reason="vosk is not installed")

DEFAULTS = {name: option.default for name, option in SPEC.options.items()}
COMMANDS = (
    "turn on the living room light",
    "set the bedroom brightness to fifty percent",
    "set a timer for five minutes",
)


def create(folder: Path = VOSK, **options: Any) -> AsrEngine:
    engine: AsrEngine = SPEC.create(DEFAULTS | {"model": str(folder)} | options, EngineContext())
    return engine


def spoken(text: str) -> bytes:
    return read_wav(SPEECH_DIR / "asr" / f"{text.replace(' ', '_')}.wav").pcm


def hear(engine: AsrEngine, pcm: bytes, request: AsrRequest | None = None) -> str:
    session = engine.session(request or AsrRequest())
    session.push(pcm)
    return session.finish().text


@pytest.fixture(scope="module")
def shared() -> Iterator[AsrEngine]:
    engine = create()
    yield engine
    engine.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the model that a test may damage."""
    return Path(shutil.copytree(VOSK, tmp_path / "vosk-model-small-en-us-0.15"))


class TestContract(AsrEngineContract):
    @pytest.fixture
    def engine(self) -> Iterator[AsrEngine]:
        engine = create()
        yield engine
        engine.close()

    @pytest.fixture
    def said(self) -> str:
        return COMMANDS[0]

    @pytest.fixture
    def speech(self) -> bytes:
        return spoken(COMMANDS[0])


@pytest.mark.parametrize("text", COMMANDS)
def test_a_command_is_understood(shared: AsrEngine, text: str) -> None:
    assert hear(shared, spoken(text)) == text


def test_commands_with_a_pause_between_them_are_one_transcript(shared: AsrEngine) -> None:
    assert hear(shared, spoken(COMMANDS[0]) + bytes(64_000) + spoken(COMMANDS[2])) == f"{COMMANDS[0]} {COMMANDS[2]}"


def test_the_text_so_far_grows_while_the_person_speaks(shared: AsrEngine) -> None:
    session = shared.session(AsrRequest())
    pcm = spoken(COMMANDS[0])
    so_far = []
    for start in range(0, len(pcm), 3_200):
        session.push(pcm[start : start + 3_200])
        so_far.append(session.partial())
    assert so_far[0] == ""
    assert "turn on" in so_far
    assert so_far[-1] == session.finish().text


@pytest.mark.parametrize("text", COMMANDS)
def test_the_first_word_comes_before_it_would_with_kaldis_own_settings(
    shared: AsrEngine, folder: Path, text: str
) -> None:
    with (folder / "conf" / "model.conf").open("a") as settings:
        settings.write("--frames-per-chunk=20\n")  # what a model says of itself is kept
    assert first_word(shared, spoken(text)) < first_word(create(folder), spoken(text))


def first_word(engine: AsrEngine, pcm: bytes) -> int:
    """Bytes of audio until the first word is told."""
    session = engine.session(AsrRequest())
    for end in range(320, len(pcm), 320):
        session.push(pcm[end - 320 : end])
        if session.partial():
            return end
    raise AssertionError("no word was told")


def test_a_grammar_keeps_to_its_phrases() -> None:
    engine = create(grammar=("turn on the kitchen light", "turn off the kitchen light"))
    assert "living" not in hear(engine, spoken(COMMANDS[0]))


def test_what_a_client_expects_is_added_to_the_grammar() -> None:
    engine = create(grammar=("turn on the kitchen light",))
    request = AsrRequest(names=("Turn on the living room light", "xyzzy"))
    assert hear(engine, spoken(COMMANDS[0]), request) == COMMANDS[0]


def test_names_of_the_home_are_added_to_the_grammar() -> None:
    engine = create(grammar=("turn on the",))
    home = Vocabulary.of(["Living-Room light"], ["Xyzzy"])
    assert hear(engine, spoken(COMMANDS[0]), AsrRequest(vocabulary=home)) == COMMANDS[0]


def test_a_grammar_of_unknown_words_is_a_wrong_configuration() -> None:
    with pytest.raises(ConfigError, match=r"asr\.providers\.vosk\.grammar: .* knows no phrase"):
        create(grammar=("xyzzy plugh",))


def test_a_model_with_a_fixed_graph_takes_no_grammar(folder: Path) -> None:
    shutil.copy(folder / "graph" / "Gr.fst", folder / "graph" / "HCLG.fst")
    with pytest.raises(ConfigError, match=r"fixed graph \(HCLG\.fst\)"):
        create(folder, grammar=("turn on the light",))


@pytest.mark.parametrize(
    "broken", ["am/final.mdl", "conf/mfcc.conf", "graph/words.txt", "graph/HCLr.fst", "graph/Gr.fst"]
)
def test_a_missing_or_empty_file_is_named(folder: Path, broken: str) -> None:
    path = folder / broken
    path.write_bytes(b"")
    with pytest.raises(EngineUnavailable, match=rf"{path} is empty.*fetch the model again"):
        create(folder)
    path.unlink()
    with pytest.raises(EngineUnavailable, match=rf"has no {broken}"):
        create(folder)


@pytest.mark.parametrize("broken", ["am/final.mdl", "graph/HCLr.fst", "graph/Gr.fst"])
def test_another_kind_of_file_and_a_truncated_one_are_told(folder: Path, broken: str) -> None:
    path = folder / broken
    whole = path.read_bytes()
    path.write_bytes(b"<html>not found</html>" * 10)
    with pytest.raises(EngineUnavailable, match=rf"{path} is not"):
        create(folder)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EngineUnavailable, match=r"vosk: .*fetch the model again"):
        create(folder)


def test_a_graph_whose_header_lies_is_told(folder: Path) -> None:
    path = folder / "graph" / "HCLr.fst"
    whole = bytearray(path.read_bytes())
    at = whole.index(b"standard") + len("standard") + 4 + 4 + 8 + 8
    whole[at : at + 16] = struct.pack("<qq", 2**40, 2**40)
    path.write_bytes(whole)
    with pytest.raises(EngineUnavailable, match="cut short"):
        create(folder)


def test_without_a_model_it_says_how_to_get_one(tmp_path: Path) -> None:
    for context, advice in ((EngineContext(), "data_dir"), (EngineContext(data_dir=tmp_path), "models download")):
        with pytest.raises(EngineUnavailable, match=advice):
            SPEC.create(DEFAULTS, context)
        assert SPEC.offers is not None
        assert [model.installed for model in SPEC.offers(DEFAULTS, context)] == [False]


def test_the_only_model_in_the_data_folder_is_taken(tmp_path: Path) -> None:
    for name in ("vosk-model-small-en-us-0.15", "vosk-model-de-0.21"):
        shutil.copytree(VOSK, tmp_path / "asr" / "vosk" / name)
        if name.endswith("15"):
            engine = SPEC.create(DEFAULTS, EngineContext(data_dir=tmp_path))
            assert [model.name for model in engine.models()] == [name]
    with pytest.raises(EngineUnavailable, match=r"several models .* vosk-model-de-0\.21, vosk-model-small-en-us-0\.15"):
        SPEC.create(DEFAULTS, EngineContext(data_dir=tmp_path))
    engine = SPEC.create(DEFAULTS | {"model": "vosk-model-de-0.21"}, EngineContext(data_dir=tmp_path))
    assert engine.models()[0].languages == ("de",)


@pytest.mark.parametrize(
    ("name", "language", "version"),
    [
        ("vosk-model-small-en-us-0.15", "en", "0.15"),
        ("vosk-model-small-cn-0.22", "zh", "0.22"),
        ("vosk-model-tl-ph-generic-0.6", "tl", "0.6"),
        ("mine", "fr", None),
    ],
)
def test_the_folders_name_tells_language_and_version(name: str, language: str, version: str | None) -> None:
    info = model_info(name, "fr")
    assert (info.languages, info.version) == ((language,), version)


def test_one_that_was_let_go_hears_again() -> None:
    now = [0.0]
    engine = LazyEngine("vosk", [model_info("vosk-tiny", "en")], create, unload_after_s=60, clock=lambda: now[0])
    assert hear_and_close(engine) == COMMANDS[0]
    now[0] = 60.0
    assert engine.unload_if_idle()
    assert not engine.loaded
    assert hear_and_close(engine) == COMMANDS[0]
    engine.close()


def hear_and_close(engine: AsrEngine) -> str:
    session = engine.session(AsrRequest())
    session.push(spoken(COMMANDS[0]))
    text = session.finish().text
    session.close()
    return text


def test_describing_it_imports_nothing_of_it() -> None:
    script = "import sys; from irene_wyoming.engines.registry import specs; specs('asr'); print('vosk' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert registry.missing(SPEC) == []
