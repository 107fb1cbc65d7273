"""The session of an engine that proposes words to another's."""

import gc
import weakref

from irene_wyoming.engines.base import OnScore, Score
from irene_wyoming.routing.wake import Seconding


class Silent:
    """A wake session that hears nothing."""

    needs = 1

    def __init__(self, on_score: OnScore) -> None:
        self.on_score = on_score

    def push(self, _pcm: bytes) -> tuple[()]:
        return ()

    def close(self) -> None:
        """It has nothing to give back."""


class First:
    """A session that has a second engine's as a part."""

    def __init__(self) -> None:
        self.second = Seconding(Silent, self.show, lambda: False)

    def show(self, score: Score) -> None:
        """It takes no note of them."""


def test_a_session_that_has_ended_is_freed_at_once() -> None:
    first = First()
    kept = weakref.ref(first)
    gc.collect()
    gc.disable()
    try:
        first.second.close()
        del first
        assert kept() is None
    finally:
        gc.enable()
