"""Recordings of people: reading a folder, mixing in noise, and counting right answers."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.bench.mixing import (
    LEAD_S,
    TAIL_S,
    Condition,
    Noise,
    Samples,
    active_level,
    encoded,
    end_of_speech,
    floats,
    mixed,
    pink,
    rms,
)
from irene_wyoming.bench.people import Spoken, folder_of
from irene_wyoming.bench.verdict import compared, difference, distance, slots_in
from irene_wyoming.errors import AudioError

RATE = SPEECH.rate
VALUES = {"drink": ["coffee", "iced coffee"], "milk": ["milk", "a lot of milk"], "size": ["sixteen ounce"]}


@pytest.mark.parametrize(
    ("said", "heard", "wrong"),
    [
        ("turn on the light", "turn on the light", 0),
        ("turn on the light", "", 4),
        ("", "turn on", 2),
        ("turn on the light", "turn the night", 2),
        ("a b c d", "b c d e", 2),
    ],
)
def test_distance_counts_words(said: str, heard: str, wrong: int) -> None:
    assert distance(said.split(), heard.split()) == wrong


@pytest.mark.parametrize(
    ("written", "spoken"),
    [("Set it to 50 %.", "set it to fifty percent"), ("50%", "fifty percent"), ("twenty-one", "twenty one"),
     ("What's Tom's?", "what is tom's"), ("in 2026", "in 2026")],
)  # fmt: skip
def test_texts_are_compared_as_spoken(written: str, spoken: str) -> None:
    assert compared(written) == spoken


@pytest.mark.parametrize(
    ("said", "heard", "kind"),
    [("turn on the lamp", "turn off the lamp", "on/off"), ("close it", "open it", "open/close"),
     ("set it to fifteen", "set it to fifty", "number"), ("light", "lamp", "words"), ("a b", "b a", "words")],
)  # fmt: skip
def test_mistakes_have_a_kind(said: str, heard: str, kind: str) -> None:
    assert difference(said, heard) == kind


def test_articles_do_not_make_another_command() -> None:
    spoken = Spoken("one", b"", "Open the door.")
    assert spoken.mistakes("open my door") == spoken.mistakes("Open door") == []
    assert spoken.mistakes("open the other door") == ["words"]
    assert Spoken("none", b"", "").mistakes("the") == []


def test_the_longest_value_is_the_slots() -> None:
    assert slots_in("a sixteen ounce iced coffee with a lot of milk", VALUES) == {
        "size": "sixteen ounce", "drink": "iced coffee", "milk": "a lot of milk",
    }  # fmt: skip
    spoken = Spoken("one", b"", None, {"drink": "iced coffee", "milk": "milk"}, VALUES)
    assert spoken.command
    assert spoken.mistakes("give me an iced coffee with milk") == []
    assert [spoken.slots_right(text) for text in ("iced coffee milk", "coffee, milk", "tea")] == [2, 1, 0]
    assert spoken.mistakes("give me a 16 ounce coffee with milk") == ["drink", "size"]


def tone(seconds: float, level: float) -> Samples:
    sine: Samples = level * np.sqrt(2) * np.sin(np.arange(round(seconds * RATE)) * 0.3)
    return sine


def test_noise_is_mixed_at_the_level_of_what_is_spoken() -> None:
    """Silence in a recording, and sound 25 dB softer than its loudest, does not count as speech."""
    speech = np.concatenate((tone(1, 0.1), np.zeros(RATE), tone(1, 0.001)))
    assert active_level(speech) == pytest.approx(0.1, rel=0.01)
    assert end_of_speech(speech) == RATE
    noise = Noise("pink", pink())
    lead, tail = round(LEAD_S * RATE), round(TAIL_S * RATE)
    both = floats(mixed(encoded(speech), Condition(noise, 20.0), "a"))
    assert len(both) == lead + len(speech) + tail
    added = both - np.pad(floats(encoded(speech)), (lead, tail))
    assert rms(added) == pytest.approx(0.01, rel=0.02)
    assert mixed(encoded(speech), Condition(noise, 20.0), "a") == encoded(both)
    assert mixed(encoded(speech), Condition(noise, 20.0), "b") != encoded(both)


def test_speech_is_made_softer_and_cut_off() -> None:
    speech = encoded(np.concatenate((tone(1, 0.1), np.zeros(RATE))))
    soft = floats(mixed(speech, Condition(level_dbfs=-50.0, tail_s=None), "a"))
    assert len(soft) == round((1 + LEAD_S) * RATE)
    assert active_level(soft) == pytest.approx(10**-2.5, rel=0.05)


def write(path: Path, frames: int = 320) -> None:
    with wave.open(str(path), "wb") as wav:
        wav.setparams((1, 2, RATE, 0, "NONE", ""))
        wav.writeframes(bytes(2 * frames))


def read(path: Path) -> bytes:
    with wave.open(str(path), "rb") as wav:
        return wav.readframes(wav.getnframes())


def test_a_folder_has_texts_or_slots_or_is_other_speech(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no wav file there"):
        folder_of(tmp_path, read)
    for number in range(4):
        write(tmp_path / f"order_{number:03}.wav")
    with pytest.raises(AudioError, match=r"order_000\.txt: expected what is said in order_000\.wav"):
        folder_of(tmp_path, read)
    other = folder_of(tmp_path, read, other=True, half="odd")
    assert [spoken.name for spoken in other.spoken] == ["order_001", "order_003"]
    assert not any(spoken.command for spoken in other.spoken)
    (tmp_path / "slots.json").write_text(json.dumps(VALUES))
    (tmp_path / "labels.json").write_text(json.dumps({"order_000.wav": {"drink": "coffee"}}))
    (tmp_path / "sentence.txt").write_text("give me (coffee|iced coffee)\n")
    with pytest.raises(AudioError, match=r"labels\.json: it says nothing of order_001\.wav"):
        folder_of(tmp_path, read)
    found = folder_of(tmp_path, read, limit=1)
    assert found.sentences == ("give me (coffee|iced coffee)",)
    assert found.spoken[0].mistakes("give me coffee") == []
    (tmp_path / "labels.json").write_text("[]")
    with pytest.raises(AudioError, match="expected a JSON object"):
        folder_of(tmp_path, read)
