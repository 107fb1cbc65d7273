"""Decoys: they can be said, and a home's commands do not hold them."""

from random import Random

import pytest

from irene_wyoming.language.commands import command_grammar, unsayable
from irene_wyoming.language.decoys import DECOYS
from irene_wyoming.language.grammar import Grammar
from irene_wyoming.language.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def commands() -> Grammar:
    return command_grammar(Vocabulary(), ())


def test_every_decoy_can_be_said() -> None:
    assert unsayable(DECOYS) == []


@pytest.mark.parametrize("decoy", DECOYS)
def test_a_decoy_is_more_than_the_commands_hold(commands: Grammar, decoy: str) -> None:
    both = command_grammar(Vocabulary(), (decoy,))
    seen = {both.sentence(Random(seed))[0] for seed in range(400)}
    assert both.count() > commands.count()
    assert all(both.accepts(said) for said in seen)


@pytest.mark.parametrize(
    "said", ["turn that off", "what day is it", "dim the kitchen lights", "don't turn on the light"]
)
def test_what_decoys_are_for_is_told_from_commands(commands: Grammar, said: str) -> None:
    assert not commands.accepts(said)
    both = command_grammar(Vocabulary(), (), decoys=DECOYS)
    assert both.accepts(said)
    assert both.decoy(said)


def test_decoys_change_nothing_about_commands(commands: Grammar) -> None:
    both = command_grammar(Vocabulary(), (), decoys=DECOYS)
    said = {commands.sentence(Random(seed))[0] for seed in range(400)}
    assert not any(both.decoy(one) for one in said)
    assert all(both.written(one) for one in said)
    assert not both.decoy("what nobody says")


def test_a_sentence_of_the_homes_own_stays_a_command() -> None:
    grammar = command_grammar(Vocabulary(), ("set the table for four",), decoys=DECOYS)
    assert not grammar.decoy("set the table for four")
    assert grammar.decoy("set the table for six")
