"""The sherpa engine: Moonshine from its wheel, and a small real model of another family, on synthesised speech."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from irene_wyoming.engines.asr.sherpa.spec import SPEC
from irene_wyoming.engines.base import AsrEngine, AsrRequest, EngineContext
from irene_wyoming.errors import EngineFailed, EngineUnavailable
from tests.conftest import SPEECH_DIR, read_wav
from tests.engines.contract import AsrEngineContract
from tests.models import sherpa

pytest.importorskip("sherpa_onnx", reason="sherpa-onnx is not installed")

DEFAULTS = {name: option.default for name, option in SPEC.options.items()}
LIGHT = "turn on the living room light"
COMMANDS = (LIGHT, "set the bedroom brightness to fifty percent", "set a timer for five minutes")
SMALL = ("zipformer-ctc-en",)


def create(folder: Path, **options: Any) -> AsrEngine:
    engine: AsrEngine = SPEC.create(DEFAULTS | {"model": str(folder), "threads": 1} | options, EngineContext())
    return engine


def moonshine() -> Path:
    """The model in the wheel that the default engine takes it from, too."""
    package = find_spec("moonshine_voice")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "assets" / "tiny-en"


def spoken(text: str) -> bytes:
    return read_wav(SPEECH_DIR / "asr" / f"{text.replace(' ', '_')}.wav").pcm


def hear(engine: AsrEngine, pcm: bytes) -> str:
    session = engine.session(AsrRequest())
    session.push(pcm)
    return session.finish().text


class _Contract(AsrEngineContract):
    folder: Path

    @pytest.fixture
    def engine(self) -> Iterator[AsrEngine]:
        engine = create(self.folder)
        yield engine
        engine.close()

    @pytest.fixture
    def said(self) -> str:
        return LIGHT

    @pytest.fixture
    def speech(self) -> bytes:
        return spoken(LIGHT)


class TestMoonshine(_Contract):
    folder = moonshine()

    @pytest.fixture
    def said(self) -> str:
        return "Turn on the living room light."


class TestZipformerCtc(_Contract):
    folder = sherpa("zipformer-ctc-en")


@pytest.mark.parametrize("name", SMALL)
def test_commands_are_understood(name: str) -> None:
    engine = create(sherpa(name))
    assert [hear(engine, spoken(text)) for text in COMMANDS] == list(COMMANDS)
    engine.close()


@pytest.fixture(scope="module")
def streaming() -> Iterator[AsrEngine]:
    """A streaming model that hears words, though not always the right ones: what is tested is when it says them."""
    engine = create(sherpa("streaming-nemo-ctc-en"))
    yield engine
    engine.close()


def streamed(engine: AsrEngine, pcm: bytes, step: int) -> tuple[list[str], str]:
    """The text so far after each piece, and the transcript."""
    session = engine.session(AsrRequest())
    so_far = []
    for start in range(0, len(pcm), step):
        session.push(pcm[start : start + step])
        so_far.append(session.partial() or "")
    return so_far, session.finish().text


def test_the_text_so_far_grows_while_the_person_speaks(streaming: AsrEngine) -> None:
    so_far, text = streamed(streaming, spoken(COMMANDS[2]), 3_200)
    assert len(set(so_far)) > 3
    assert all(later.startswith(earlier) for earlier, later in pairwise([*so_far, text]))


@pytest.mark.parametrize("step", [318, 3_200, 1_000_000])
def test_the_cut_of_the_audio_changes_nothing_of_a_stream(streaming: AsrEngine, step: int) -> None:
    assert streamed(streaming, spoken(COMMANDS[2]), step)[1] == streamed(streaming, spoken(COMMANDS[2]), 640)[1] != ""


def test_a_command_cut_off_after_its_last_word_is_heard_to_its_end(streaming: AsrEngine) -> None:
    pcm = spoken(COMMANDS[2])
    cut = pcm[: len(pcm.rstrip(b"\0")) // 2 * 2]
    assert streamed(streaming, cut, 3_200)[1] == streamed(streaming, pcm + bytes(64_000), 3_200)[1]


def test_streams_do_not_mix(streaming: AsrEngine) -> None:
    pcm = spoken(COMMANDS[2])
    alone = streamed(streaming, pcm, 3_200)[1]
    listening, quiet = streaming.session(AsrRequest()), streaming.session(AsrRequest())
    for start in range(0, len(pcm), 3_200):
        listening.push(pcm[start : start + 3_200])
        quiet.push(bytes(3_200))
    assert listening.finish().text == alone
    assert quiet.finish().text != alone
    with pytest.raises(EngineFailed, match="closed"):
        listening.push(bytes(2))


@pytest.mark.parametrize("broken", ["encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"])
def test_a_missing_an_empty_and_a_truncated_file_of_moonshine_are_told(tmp_path: Path, broken: str) -> None:
    folder = Path(shutil.copytree(moonshine(), tmp_path / "moonshine-tiny-en"))
    path = folder / broken
    whole = path.read_bytes()
    for content, said in ((whole[: len(whole) // 2], "fetch the model again"), (b"", "is empty")):
        path.write_bytes(content)
        with pytest.raises(EngineUnavailable, match=said):
            create(folder)
    path.unlink()
    with pytest.raises(EngineUnavailable, match=r"moonshine-tiny-en (holds|has no)"):
        create(folder)


def test_the_folders_name_tells_the_language(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sherpa("zipformer-ctc-en"), tmp_path / "sherpa-onnx-zipformer-de-kroko-2025"))
    engine = create(folder)
    assert engine.models()[0].languages == ("de",)
    engine.close()


def test_without_a_model_it_says_how_to_get_one(tmp_path: Path) -> None:
    for context, advice in ((EngineContext(), "data_dir"), (EngineContext(data_dir=tmp_path), "models download")):
        with pytest.raises(EngineUnavailable, match=advice):
            SPEC.create(DEFAULTS, context)
        assert SPEC.offers is not None
        assert [model.installed for model in SPEC.offers(DEFAULTS, context)] == [False]


def test_describing_it_imports_nothing_of_it() -> None:
    script = "import sys; from irene_wyoming.engines.registry import specs; specs('asr'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "sherpa_onnx" not in done.stdout.split()
