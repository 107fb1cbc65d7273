from collections.abc import Iterator

import pytest

from irene_wyoming.engines.base import Hit
from irene_wyoming.engines.wake.session import Score, Session
from irene_wyoming.engines.wake.trigger import Trigger
from irene_wyoming.errors import EngineFailed


class LoudStream:
    """Scores two words by each byte of the audio: its low and its high half, over 15."""

    def __init__(self) -> None:
        self.frame = 0
        self.closed = 0

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


def test_hits_come_in_the_order_of_the_audio(session: Session) -> None:
    assert session.push(pcm(0x00, 0xF0, 0xFF, 0x00)) == [Hit("low", 1.0, 3), Hit("high", 1.0, 3)]


def test_each_word_has_its_own_trigger_and_it_lasts_from_push_to_push(session: Session) -> None:
    assert session.push(pcm(0xFF)) == [Hit("low", 1.0, 1)]
    assert session.push(pcm(0xFF)) == [Hit("high", 1.0, 2)]
    assert session.push(pcm(0xFF)) == [Hit("low", 1.0, 3)]


def test_half_a_frame_never_reaches_the_stream(session: Session, stream: LoudStream) -> None:
    with pytest.raises(ValueError, match="5 bytes: expected whole frames of 2 bytes"):
        session.push(bytes(5))
    assert stream.frame == 0


def test_a_closed_session_closes_its_stream_and_refuses_audio(session: Session, stream: LoudStream) -> None:
    session.close()
    assert stream.closed
    with pytest.raises(EngineFailed, match="closed"):
        session.push(b"")
