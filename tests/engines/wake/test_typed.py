import numpy as np
import pytest

from irene_wyoming.engines.wake.proposals import Proposed
from irene_wyoming.engines.wake.typed import FRAME, LONG, TypedEngine, Voice
from irene_wyoming.errors import UnknownModel
from tests.engines.wake.speech import synthesised

RATE = 16_000


@pytest.fixture
def engine() -> TypedEngine:
    return TypedEngine(["Smart  Mirror", "computer"])


def test_a_typed_word_is_a_model_like_any_other(engine: TypedEngine) -> None:
    assert [(info.name, info.phrase) for info in engine.models()] == [
        ("smart_mirror", "Smart Mirror"),
        ("computer", "Computer"),
    ]
    with pytest.raises(UnknownModel, match="alexa"):
        engine.session(["alexa"])


@pytest.mark.parametrize("frames", [160, 1000, 16_000])
def test_what_is_said_is_proposed_with_all_words_in_one_look(engine: TypedEngine, frames: int) -> None:
    pcm = bytes(32_000) + synthesised("alexa_slt") + bytes(32_000)
    session = engine.session(["computer", "smart_mirror"])
    found = [hit for at in range(0, len(pcm), 2 * frames) for hit in session.push(pcm[at : at + 2 * frames])]
    assert 1 <= len(found) <= 5
    for hit in found:
        assert isinstance(hit, Proposed)
        assert not hit.usual
        assert [word for word, _ in hit.phrases] == ["computer", "smart_mirror"]
        assert len(hit.audio) == 2 * LONG
        heard = np.frombuffer(hit.audio, "<i2")
        there = np.frombuffer(bytes(2 * LONG) + pcm, "<i2")[hit.frame : hit.frame + LONG]
        assert np.abs(heard - there).max() <= 1
    assert [hit.frame for hit in found] == [hit.frame for hit in engine.session(["computer"]).push(pcm)]


@pytest.mark.parametrize("level", [0.0, 0.001, 0.03])
def test_a_steady_room_is_not_looked_at(engine: TypedEngine, level: float) -> None:
    noise = np.random.default_rng(3).normal(size=20 * RATE) * level * 32_768
    assert engine.session(["computer"]).push(noise.astype("<i2").tobytes()) == []


def test_while_somebody_speaks_a_look_is_taken_about_twice_a_second() -> None:
    voice = Voice()
    random = np.random.default_rng(4)
    looks = 0
    for number in range(500):
        loud = 0.1 if number % 10 < 8 else 0.001
        looks += voice.frame((random.normal(size=FRAME) * loud).astype(np.float32))
    assert 15 <= looks <= 22
