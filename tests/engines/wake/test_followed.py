from collections.abc import Sequence

from irene_wyoming.engines.base import Hit, OnScore, Score
from irene_wyoming.engines.wake.followed import FollowedSession, Told
from irene_wyoming.engines.wake.proposals import MOST_LOOKS, Proposed

RATE = 100
"""Frames per second of these streams; each frame has a score."""


class Scripted:
    """A WakeSession whose audio holds its scores: a frame is two bytes, the first is the score in hundredths."""

    needs = 1

    def __init__(self, on_score: OnScore, threshold: float) -> None:
        self._on_score = on_score
        self._threshold = threshold
        self._frame = 0
        self._deaf = False

    def push(self, pcm: bytes) -> Sequence[Hit]:
        hits = []
        for value in pcm[::2]:
            self._frame += 1
            score = Score("word", value / 100, self._frame)
            self._on_score(score)
            if score.score >= self._threshold and not self._deaf:
                self._deaf = True
                hits.append(Hit("word", score.score, self._frame))
        return hits

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


class Heard:
    def __init__(self, *looked_at: str, threshold: float = 0.5) -> None:
        self.near: list[tuple[float, int]] = []
        self.peaks: list[tuple[int, float]] = []
        told = Told(lambda s: self.near.append((s.score, s.frame)), lambda h, p: self.peaks.append((h.frame, p)))
        self.session = FollowedSession(lambda on_score: Scripted(on_score, threshold), RATE, told, looked_at, looked_at)

    def push(self, *scores: int) -> Sequence[Hit]:
        return self.session.push(b"".join(bytes([score, 0]) for score in scores))


def test_a_near_miss_is_told_once_it_has_passed_and_once_only() -> None:
    heard = Heard()
    heard.push(10, 30, 45, 30)
    heard.push(*[0] * 99)
    assert heard.near == []
    heard.push(0)
    assert heard.near == [(0.45, 3)]
    heard.push(*[0] * 300)
    heard.session.close()
    assert heard.near == [(0.45, 3)]


def test_a_peak_is_told_behind_its_hit_however_much_is_pushed_at_once() -> None:
    heard = Heard()
    assert len(heard.push(69, *[0] * 200)) == 1
    assert heard.peaks == []
    heard.push(0)
    assert heard.peaks == [(1, 0.69)]


def test_a_word_that_is_heard_is_no_near_miss_and_told_with_its_peak() -> None:
    heard = Heard()
    (hit,) = heard.push(30, 69, 94, 80)
    assert (hit.score, hit.frame) == (0.69, 2)
    assert heard.peaks == []
    heard.push(*[20] * 60)
    assert heard.peaks == [(2, 0.94)]
    heard.push(*[0] * 200)
    assert heard.near == []


def test_the_peak_may_come_with_later_audio() -> None:
    heard = Heard()
    heard.push(69)
    heard.push(94)
    heard.push(80)
    heard.session.settle()
    assert heard.peaks == [(1, 0.94)]


def test_what_was_left_out_of_the_stream_counts_in_it() -> None:
    heard = Heard()
    heard.push(30)
    heard.session.skip(1000)
    (hit,) = heard.push(60)
    assert hit.frame == 1002
    assert heard.session.closest == Score("word", 0.6, 1002)
    heard.session.close()
    assert heard.peaks == [(1002, 0.6)]


def test_a_stream_that_ends_amid_a_near_miss_tells_it() -> None:
    heard = Heard()
    heard.push(10, 30)
    heard.session.close()
    assert heard.near == [(0.3, 2)]


def test_what_the_engine_tells_is_proposed_however_many_looks_came_before_it() -> None:
    """Earlier looks may all have been left out: then nothing would have proposed the word."""
    heard = Heard("word", threshold=0.9)
    looks: list[Hit] = []
    for score in (21, 32, 43, 54, 65, 76, 87):
        looks += heard.push(score, *[0] * 20)
    assert [getattr(look, "usual", None) for look in looks] == [False] * MOST_LOOKS
    (hit,) = heard.push(90)
    assert isinstance(hit, Proposed)
    assert hit.usual


def test_a_usual_word_is_proposed_again_when_a_look_has_refused_it() -> None:
    heard = Heard("word")
    (hit,) = heard.push(60)
    assert list(heard.push(*[0] * 20)) == []
    heard.session.refuse(hit)
    (again,) = heard.push(0)
    assert isinstance(again, Proposed)
    assert again.usual
    heard.session.accept(again)
    assert list(heard.push(*[0] * 20)) == []
