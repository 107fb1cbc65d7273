"""The automaton itself, on small handmade grammars."""

from random import Random

import pytest

from irene_wyoming.language.grammar import Arc, Grammar, plain

LIGHTS = Grammar(
    (
        (Arc(("please",), "", 1), Arc(("turn on",), "turn on", 2)),
        (Arc(("turn on",), "turn on", 2),),
        (
            Arc(("kitchen",), "Kitchen", 3),
            Arc(("kitchen light",), "Kitchen Light", 4),
            Arc(("t v", "tv", "t.v."), "TV", 4),
        ),
        (Arc(("lights",), "lights", 4),),
        (),
    ),
    frozenset([4]),
)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("turn on kitchen lights", "turn on Kitchen lights"),
        ("Please turn on kitchen light.", "turn on Kitchen Light"),
        ("Turn on T.V.!", "turn on TV"),
        ("turn on t v", "turn on TV"),
        ("turn on kitchen", None),
        ("turn on the tv", None),
        ("please", None),
        ("", None),
    ],
)
def test_what_was_said_becomes_what_the_home_writes(text: str, written: str | None) -> None:
    assert LIGHTS.written(text) == written
    assert LIGHTS.accepts(text) == (written is not None)


def test_sentences_are_counted_and_each_of_them_is_accepted() -> None:
    random = Random(1)
    sentences = {LIGHTS.sentence(random) for _ in range(200)}
    assert LIGHTS.count() == 6 == len(sentences)
    for said, written in sentences:
        assert LIGHTS.written(said) == written


def test_a_grammar_without_a_sentence_says_so() -> None:
    nothing = Grammar(((),), frozenset())
    assert nothing.count() == 0
    assert not nothing.accepts("anything")
    with pytest.raises(ValueError, match="no sentence"):
        nothing.sentence(Random(1))


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Turn on the T.V., please!", "turn on the t.v please"),
        ("It\N{RIGHT SINGLE QUOTATION MARK}s 50 %", "it's 50 %"),
        ("  René's\troom ", "rené's room"),
        ("\N{LEFT DOUBLE QUOTATION MARK}Good night\N{RIGHT DOUBLE QUOTATION MARK}", "good night"),
    ],
)
def test_marks_around_words_and_capital_letters_mean_nothing(text: str, seen: str) -> None:
    assert plain(text) == seen
