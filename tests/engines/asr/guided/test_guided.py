"""The engine ``guided`` on the packaged model."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from irene_wyoming.engines.asr.guided.model import DECODER, ENCODER, TOKENIZER, Moonshine, packaged
from irene_wyoming.engines.asr.guided.phrases import PhraseScorer
from irene_wyoming.engines.asr.guided.spec import SPEC
from irene_wyoming.engines.base import AsrEngine, AsrRequest
from irene_wyoming.errors import EngineUnavailable, UnsupportedRequest
from irene_wyoming.wire.hear import Recording
from tests.conftest import SPEECH_DIR, read_wav
from tests.engines.asr.conftest import made
from tests.engines.contract import AsrEngineContract
from tests.speech_around import with_silence


@pytest.fixture(scope="module")
def loaded() -> AsrEngine:
    return made(SPEC)


class TestContract(AsrEngineContract):
    @pytest.fixture
    def engine(self, loaded: AsrEngine) -> AsrEngine:
        return loaded  # it has nothing to close and keeps nothing of earlier utterances

    @pytest.fixture
    def said(self) -> str:
        return "set the bedroom brightness to fifty percent"

    @pytest.fixture
    def speech(self, speech: Callable[[str], Recording]) -> bytes:
        return with_silence(speech("asr/set_the_bedroom_brightness_to_fifty_percent").pcm)

    @pytest.fixture
    def other(self) -> bytes:
        return with_silence(read_wav(SPEECH_DIR / "asr/we_need_to_talk_about_the_kitchen.wav").pcm)

    def test_what_is_no_command_comes_as_it_was_said(self, engine: AsrEngine, other: bytes) -> None:
        heard = self.hear(engine, other)
        assert heard.kind == "open"
        assert "talk about the kitchen." in heard.text

    def test_a_client_may_ask_for_commands_only_or_for_the_words_only(
        self, engine: AsrEngine, speech: bytes, other: bytes
    ) -> None:
        commands, words = AsrRequest(context={"answer": "command"}), AsrRequest(context={"answer": "open"})
        assert self.hear(engine, other, commands).text == ""
        assert self.hear(engine, other, commands).details["reason"] == "no command"
        assert self.hear(engine, speech, commands).kind == "command"
        assert self.hear(engine, speech, words).kind == "open"
        with pytest.raises(UnsupportedRequest, match=r"'all'.*command, open, both"):
            engine.session(AsrRequest(context={"answer": "all"}))

    def test_says_how_loud_and_how_clear_it_was(self, engine: AsrEngine, speech: bytes) -> None:
        details = self.hear(engine, speech).details
        assert -30 < float(str(details["level_dbfs"])) < -10
        assert float(str(details["snr_db"])) > 20

    def test_digital_silence_says_so(self, engine: AsrEngine) -> None:
        assert self.hear(engine, bytes(32_000)).details["reason"] == "silence"


@pytest.mark.parametrize("name", [ENCODER, DECODER, TOKENIZER])
@pytest.mark.parametrize("damage", ["missing", "cut short", "another file"])
def test_a_model_with_a_broken_file_is_refused_with_what_to_do(tmp_path: Path, name: str, damage: str) -> None:
    for file in packaged().iterdir():
        (tmp_path / file.name).symlink_to(file)
    broken = tmp_path / name
    data = broken.read_bytes()
    broken.unlink()
    if damage == "cut short":
        broken.write_bytes(data[: len(data) // 2])
    elif damage == "another file":
        broken.write_bytes(b"RIFF, but no network" * 100)
    with pytest.raises(EngineUnavailable, match=rf"{name}.*fetch the model again or give another folder"):
        Moonshine(tmp_path)


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(EngineUnavailable, match="no folder /nowhere"):
        made(SPEC, model="/nowhere")


def test_a_look_tells_a_phrase_from_others(model: Moonshine, speech: Callable[[str], Recording]) -> None:
    samples = np.frombuffer(speech("asr/turn_on_the_living_room_light").pcm, "<i2").astype(np.float32) / np.float32(
        32768
    )
    look = PhraseScorer(model).look(samples, ["turn on the living room light", "okay nabu"])
    assert look.phrase == "turn on the living room light"
    assert look.llr > -2
    other = PhraseScorer(model).look(samples, ["okay nabu", "alexa"])
    assert other.llr < -10
    assert other.open_text == look.open_text
