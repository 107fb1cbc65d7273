import pytest

from irene_wyoming.engines.wake.words import chosen
from irene_wyoming.errors import UnknownModel


def test_words_keep_the_order_in_which_they_were_asked_for_each_once() -> None:
    assert chosen(["b", "a", "b"], ["a", "b", "c"], "engine") == ["b", "a"]


def test_an_unknown_word_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownModel, match="engine: no wake word 'd'; known: a, b, c"):
        chosen(["a", "d"], ["a", "b", "c"], "engine")


def test_no_word_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        chosen([], ["a"], "engine")
