"""Users' own models, with real files, engines and child processes."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from irene_wyoming.engines.wake.microwakeword import engine as microwakeword_engine
from irene_wyoming.engines.wake.microwakeword.engine import MicroWakeWord
from irene_wyoming.engines.wake.openwakeword import words as openwakeword_words
from irene_wyoming.engines.wake.openwakeword.engine import OpenWakeWord
from irene_wyoming.engines.wake.tflite import MAX_MODEL_BYTES
from irene_wyoming.engines.wake.trigger import TriggerSettings
from irene_wyoming.errors import EngineFailed, UnknownModel
from tests.engines.wake.models import MICRO_DESCRIPTION, MICROWAKEWORD, OPENWAKEWORD, OWN_WORD, USELESS, put_micro
from tests.engines.wake.speech import synthesised

SETTINGS = TriggerSettings(None, 1, 32_000)
SPEECH = synthesised("hey_jarvis_slt")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[OpenWakeWord]:
    engine = OpenWakeWord(OPENWAKEWORD.parent, SETTINGS, [tmp_path])
    yield engine
    engine.close()


@pytest.fixture
def micro(tmp_path: Path) -> Iterator[MicroWakeWord]:
    engine = MicroWakeWord(MICROWAKEWORD.parent, SETTINGS, [tmp_path])
    yield engine
    engine.close()


def names(engine: OpenWakeWord | MicroWakeWord) -> list[str]:
    return [info.name for info in engine.models()]


def refresh_until_settled(engine: OpenWakeWord | MicroWakeWord) -> None:
    """Refresh twice: new files are believed at the second look."""
    engine.refresh()
    engine.refresh()


def test_a_model_is_offered_and_heard_once_it_is_there(engine: OpenWakeWord, tmp_path: Path) -> None:
    assert not engine.refresh()
    (tmp_path / "hey zelda_v0.2.tflite").write_bytes(OWN_WORD)
    assert engine.refresh()
    assert not engine.refresh()
    (info,) = (info for info in engine.models() if info.name == "hey_zelda_v0.2")
    assert (info.phrase, info.version, info.languages) == ("Hey Zelda", "0.2", ())
    (hit,) = engine.session(["hey_zelda_v0.2"]).push(SPEECH)
    assert hit.model == "hey_zelda_v0.2"


def test_a_model_that_was_there_at_the_start_is_offered_at_once(tmp_path: Path) -> None:
    (tmp_path / "hey_zelda.tflite").write_bytes(OWN_WORD)
    engine = OpenWakeWord(OPENWAKEWORD.parent, SETTINGS, [tmp_path])
    assert "hey_zelda" in names(engine)
    engine.close()


def test_a_session_keeps_its_model_when_the_file_is_removed(engine: OpenWakeWord, tmp_path: Path) -> None:
    path = tmp_path / "hey_zelda.tflite"
    path.write_bytes(OWN_WORD)
    engine.refresh()
    session = engine.session(["hey_zelda"])
    path.unlink()
    assert engine.refresh()
    assert "hey_zelda" not in names(engine)
    with pytest.raises(UnknownModel):
        engine.session(["hey_zelda"])
    engine.session(["okay_nabu"])  # the engine closes models that are not offered any more
    assert [hit.model for hit in session.push(SPEECH)] == ["hey_zelda"]


def test_a_replaced_model_is_another_for_new_sessions_only(engine: OpenWakeWord, tmp_path: Path) -> None:
    path = tmp_path / "hey_zelda.tflite"
    path.write_bytes(OWN_WORD)
    engine.refresh()
    old = engine.session(["hey_zelda"])
    path.write_bytes((OPENWAKEWORD / "alexa.tflite").read_bytes())
    assert engine.refresh()
    assert list(engine.session(["hey_zelda"]).push(SPEECH)) == []
    assert len(engine.session(["hey_zelda"]).push(synthesised("alexa_slt"))) == 1
    assert len(old.push(SPEECH)) == 1


def test_a_model_of_the_users_own_goes_before_a_packaged_one(engine: OpenWakeWord, tmp_path: Path) -> None:
    (tmp_path / "alexa.tflite").write_bytes(OWN_WORD)
    assert engine.refresh()
    assert names(engine).count("alexa") == 1
    assert len(engine.session(["alexa"]).push(SPEECH)) == 1
    (tmp_path / "alexa.tflite").unlink()
    assert engine.refresh()
    assert len(engine.session(["alexa"]).push(synthesised("alexa_slt"))) == 1


def test_every_kind_of_useless_file_is_named_once_with_its_reason(
    engine: OpenWakeWord, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, (content, _) in USELESS.items():
        (tmp_path / f"{name}.tflite").write_bytes(content)
    with (tmp_path / "film.tflite").open("wb") as file:
        file.truncate(MAX_MODEL_BYTES + 1)
    (tmp_path / "!.tflite").write_bytes(OWN_WORD)
    before = names(engine)
    for _ in range(3):
        assert not engine.refresh()
    assert names(engine) == before
    reasons = {path.stem: reason for path, reason in engine.refused.items()}
    assert reasons.keys() == {*USELESS, "film", "!"}
    assert "larger than 16777216 bytes" in reasons["film"]
    assert "no letter or digit" in reasons["!"]
    for name, (_, reason) in USELESS.items():
        with pytest.raises(AssertionError, match=reason):
            raise AssertionError(reasons[name])
        assert len([line for line in caplog.messages if f"{name}.tflite is not used" in line]) == 1
    assert len(engine.session(["hey_jarvis"]).push(SPEECH)) == 1


def test_a_file_that_is_still_growing_is_tried_again(
    engine: OpenWakeWord, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "hey_zelda.tflite"
    with caplog.at_level(logging.WARNING), path.open("wb") as file:
        for part in range(4):
            file.write(OWN_WORD[part * len(OWN_WORD) // 4 : (part + 1) * len(OWN_WORD) // 4])
            file.flush()
            engine.refresh()
    assert "hey_zelda" in names(engine)
    assert caplog.messages == []


def test_a_refused_file_is_looked_at_again_when_it_changes(engine: OpenWakeWord, tmp_path: Path) -> None:
    path = tmp_path / "hey_zelda.tflite"
    path.write_bytes(OWN_WORD[:1000])
    refresh_until_settled(engine)
    assert list(engine.refused) == [path]
    path.write_bytes(OWN_WORD)
    assert engine.refresh()
    engine.refresh()
    assert not engine.refused
    assert "hey_zelda" in names(engine)


def test_a_word_stays_while_its_file_is_being_replaced_and_goes_when_it_stays_bad(
    engine: OpenWakeWord, tmp_path: Path
) -> None:
    path = tmp_path / "hey_zelda.tflite"
    path.write_bytes(OWN_WORD)
    engine.refresh()
    path.write_bytes(b"")
    assert not engine.refresh()
    assert "hey_zelda" in names(engine)
    assert engine.refresh()
    assert "hey_zelda" not in names(engine)


def test_of_two_files_of_one_name_the_first_is_taken(engine: OpenWakeWord, tmp_path: Path) -> None:
    (tmp_path / "hey zelda.tflite").write_bytes(OWN_WORD)
    (tmp_path / "hey_zelda.tflite").write_bytes((OPENWAKEWORD / "alexa.tflite").read_bytes())
    refresh_until_settled(engine)
    assert len(engine.session(["hey_zelda"]).push(SPEECH)) == 1
    assert "its name hey_zelda is taken by" in engine.refused[tmp_path / "hey_zelda.tflite"]
    (tmp_path / "hey zelda.tflite").unlink()
    refresh_until_settled(engine)
    assert len(engine.session(["hey_zelda"]).push(synthesised("alexa_slt"))) == 1


def test_the_first_folder_goes_before_the_second(tmp_path: Path) -> None:
    for name, word in (("one", "hey_jarvis"), ("two", "alexa")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "zelda.tflite").write_bytes((OPENWAKEWORD / f"{word}.tflite").read_bytes())
    engine = OpenWakeWord(OPENWAKEWORD.parent, SETTINGS, [tmp_path / "one", tmp_path / "two"])
    assert len(engine.session(["zelda"]).push(SPEECH)) == 1
    engine.close()


def test_a_micro_model_and_its_description_come_in_any_order(micro: MicroWakeWord, tmp_path: Path) -> None:
    put_micro(tmp_path, "hey_zelda")
    description = (tmp_path / "hey_zelda.json").read_text(encoding="utf-8")
    (tmp_path / "hey_zelda.json").unlink()
    refresh_until_settled(micro)
    assert "needs its description beside it: hey_zelda.json" in micro.refused[tmp_path / "hey_zelda.tflite"]
    (tmp_path / "hey_zelda.json").write_text(description, encoding="utf-8")
    assert micro.refresh()
    micro.refresh()
    assert not micro.refused
    assert [hit.model for hit in micro.session(["hey_zelda"]).push(SPEECH)] == ["hey_zelda"]
    session = micro.session(["hey_zelda"])
    (tmp_path / "hey_zelda.tflite").unlink()
    refresh_until_settled(micro)
    assert "hey_zelda" not in names(micro)
    assert len(session.push(SPEECH)) == 1


def test_a_description_may_name_its_model_as_it_likes(micro: MicroWakeWord, tmp_path: Path) -> None:
    put_micro(tmp_path, "hey_zelda")
    (tmp_path / "hey_zelda.json").rename(tmp_path / "zelda.json")
    refresh_until_settled(micro)
    assert not micro.refused
    assert "zelda" in names(micro)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (USELESS["page"][0], "a web page"),
        (USELESS["truncated"][0], "a damaged TensorFlow Lite model"),
        (OWN_WORD, "another kind"),
    ],
)
def test_a_useless_micro_model_is_named(micro: MicroWakeWord, tmp_path: Path, content: bytes, reason: str) -> None:
    put_micro(tmp_path, "hey_zelda", content)
    refresh_until_settled(micro)
    assert reason in micro.refused[tmp_path / "hey_zelda.json"]
    assert "hey_zelda" not in names(micro)


@pytest.mark.parametrize("model", ["../hey_jarvis.tflite", "/etc/passwd", "", 3, None])
def test_a_description_cannot_lead_out_of_its_folder(tmp_path: Path, model: object) -> None:
    engine = MicroWakeWord(MICROWAKEWORD.parent, SETTINGS, [tmp_path])
    (tmp_path / "zelda.json").write_text(json.dumps(MICRO_DESCRIPTION | {"model": model}), encoding="utf-8")
    refresh_until_settled(engine)
    assert "no description of a microWakeWord model" in engine.refused[tmp_path / "zelda.json"]
    engine.close()


def test_a_description_of_endless_depth_is_refused(micro: MicroWakeWord, tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text("[" * 60_000, encoding="utf-8")
    (tmp_path / "long.json").write_text(" " * 70_000, encoding="utf-8")
    refresh_until_settled(micro)
    assert len(micro.refused) == 2


def test_the_readers_name_what_they_cannot_read(tmp_path: Path) -> None:
    for read in (openwakeword_words.read_own, microwakeword_engine.read_own):
        with pytest.raises(EngineFailed, match="cannot be read"):
            read(tmp_path / ("absent.json" if read is microwakeword_engine.read_own else "absent.tflite"))
