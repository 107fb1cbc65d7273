"""Captions: text that was given out is never taken back."""

import pytest

from irene_wyoming.engines.base import Steady
from irene_wyoming.servers.captions import Captions


@pytest.mark.parametrize(
    ("partials", "final", "given"),
    [
        ([], "turn on", ["turn on"]),
        (["turn", "turn on", "turn on the"], "turn on the light", ["turn", " on", " the light"]),
        (["turn", "burn", "turn on", "turn on the"], "turn on the light", ["turn on", " the light"]),
        (["turn on", "turn on"], "burn on", ["turn on"]),
        (["turn", "turn"], "turn", ["turn"]),
        (["turn on the", "turn on the", "turn"], "turn on the light", ["turn on the", " light"]),
        ([], "", []),
        ([Steady("tur"), Steady("turn"), Steady("turn on")], "turn on the light", ["tur", "n", " on", " the light"]),
        ([Steady("turn"), Steady("burn"), Steady("turn on")], "burn", ["turn", " on"]),
    ],
)
def test_words_come_once_two_in_a_row_agree(partials: list[str], final: str, given: list[str]) -> None:
    captions = Captions()
    chunks = [captions.push(partial) for partial in partials] + [captions.finish(final)]
    assert [chunk for chunk in chunks if chunk] == given
