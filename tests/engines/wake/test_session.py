import math
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from irene_wyoming.engines.base import Hit, MeasuredScore, Score
from irene_wyoming.engines.wake.session import Session
from irene_wyoming.engines.wake.trigger import Trigger
from irene_wyoming.errors import EngineFailed


class LoudStream:
    """Scores two words by each byte of the audio: its low and high half, each over 15."""

    def __init__(self) -> None:
        self.frame = 0
        self.closed = 0
        self.needs = 1

    def steps_to(self, _word: str, _score: float) -> int:
        return 1

    def frames_to(self, _word: str, step: int, /) -> int:
        return self.needs + step - 1

    def push(self, pcm: bytes) -> Iterator[Score]:
        for byte in pcm[::2]:
            self.frame += 1
            yield Score("low", (byte & 15) / 15, self.frame)
            yield Score("high", (byte >> 4) / 15, self.frame)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def stream() -> LoudStream:
    return LoudStream()


@pytest.fixture
def session(stream: LoudStream) -> Session:
    return Session(stream, {"low": Trigger(0.5, 1, 2), "high": Trigger(0.5, 2, 0)})


def pcm(*levels: int) -> bytes:
    return b"".join(bytes([level, 0]) for level in levels)


def noise(amplitude: int, frames: int) -> bytes:
    """Noise of an ``amplitude`` that is a multiple of 256, so that the lower byte, LoudStream's scores, is 0."""
    signs = np.random.default_rng(3).choice([-1, 1], frames)
    return bytes((signs * amplitude).astype("<i2").tobytes())


def heard(hits: Sequence[Hit]) -> list[tuple[str, float, int]]:
    return [(hit.model, hit.score, hit.frame) for hit in hits]


def test_hits_come_in_the_order_of_the_audio(session: Session) -> None:
    assert heard(session.push(pcm(0x00, 0xF0, 0xFF, 0x00))) == [("low", 1.0, 3), ("high", 1.0, 3)]


def test_each_word_has_its_own_trigger_and_it_lasts_from_push_to_push(session: Session) -> None:
    assert heard(session.push(pcm(0xFF))) == [("low", 1.0, 1)]
    assert heard(session.push(pcm(0xFF))) == [("high", 1.0, 2)]
    assert heard(session.push(pcm(0xFF))) == [("low", 1.0, 3)]


def test_it_needs_what_the_word_needs_that_can_be_heard_first(stream: LoudStream) -> None:
    session = Session(stream, {"low": Trigger(0.5, 4, 0), "high": Trigger(0.5, 3, 0)})
    assert session.needs == 3
    session.push(pcm(0x0F, 0x0F))
    assert session.needs == 2


def test_it_never_asks_for_much_at_a_time(stream: LoudStream) -> None:
    stream.needs = 16_000
    assert Session(stream, {"low": Trigger(0.5, 1, 0)}).needs == 4_000


def test_every_score_is_shown_whether_it_is_a_hit_or_not(stream: LoudStream) -> None:
    scores: list[Score] = []
    Session(stream, {"low": Trigger(1, 1, 0), "high": Trigger(1, 1, 0)}, scores.append).push(pcm(0xF3))
    assert scores == [Score("low", 0.2, 1), Score("high", 1.0, 1)]


def test_a_hit_says_how_loud_it_was_and_how_far_it_stood_out_of_the_noise(stream: LoudStream) -> None:
    stream.needs = 16_000
    session = Session(stream, {"low": Trigger(0.5, 1, 16_000), "high": Trigger(1, 1, 0)})
    assert session.push(noise(256, 16_000)) == []
    (hit,) = session.push(noise(25_600, 16_000)[:-2] + pcm(0x0F))
    assert hit.level_dbfs == pytest.approx(20 * math.log10(25_600 / 2**15), abs=0.5)
    assert hit.snr_db == pytest.approx(40, abs=1)


def test_words_softer_than_the_least_level_are_not_heard(stream: LoudStream) -> None:
    soft, loud = Trigger(0.5, 1, 0, min_level_dbfs=-60), Trigger(0.5, 1, 0, min_level_dbfs=-1)
    hits = Session(stream, {"low": soft, "high": loud}).push(noise(25_600, 16_000) + pcm(0xFF))
    assert heard(hits) == [("low", 1.0, 16_001)]


def test_half_a_frame_never_reaches_the_stream(session: Session, stream: LoudStream) -> None:
    with pytest.raises(ValueError, match="5 bytes: expected whole frames of 2 bytes"):
        session.push(bytes(5))
    assert stream.frame == 0


def test_a_closed_session_closes_its_stream_and_refuses_audio(session: Session, stream: LoudStream) -> None:
    session.close()
    assert stream.closed
    with pytest.raises(EngineFailed, match="closed"):
        session.push(b"")


def test_a_high_score_has_the_level_of_its_words_highest_step(stream: LoudStream) -> None:
    """Levels are not measured again on a plateau or behind it: that takes as long as a step of an engine."""
    shown: list[Score] = []
    session = Session(stream, {"low": Trigger(1, 99, 0), "high": Trigger(1, 99, 0)}, shown.append)
    session.push(
        noise(256, 8_000) + pcm(0x08) + noise(12_800, 800) + pcm(0x0F) + noise(25_600, 8_000) + pcm(0x0F, 0x0A)
    )
    first, highest, plateau, behind = (score for score in shown if isinstance(score, MeasuredScore))
    assert first.level_dbfs < highest.level_dbfs - 10
    assert [score.score for score in (highest, plateau, behind)] == [1.0, 1.0, 10 / 15]
    assert plateau.level_dbfs == behind.level_dbfs == highest.level_dbfs
    shown.clear()
    session.push(noise(256, 16_000) + pcm(0x0A))
    (later,) = (score for score in shown if isinstance(score, MeasuredScore))
    assert later.level_dbfs != highest.level_dbfs
