"""The command grammar: its sentences, all of which the hub must understand."""

import re
from collections.abc import Sequence
from random import Random

import pytest

from irene_wyoming.language.commands import command_grammar, unsayable
from irene_wyoming.language.grammar import Grammar
from irene_wyoming.language.numbers import number_forms
from irene_wyoming.language.vocabulary import Name, Vocabulary
from tests.language.everyday import EVERYDAY, TALK
from tests.language.hub import Hub

HOME = (
    Vocabulary(
        (
            Name("Movie Night", "entity", "scene"),
            Name("Bedtime", "entity", "script"),
            Name("Doorbell", "entity", "button"),
            Name("Robo", "entity", "vacuum"),
            Name("Mowbot", "entity", "lawn_mower"),
            Name("Chores", "entity", "todo"),
            Name("Shopping list", "entity", "todo"),
            Name("Anna", "entity", "person"),
            Name("Window contact", "entity", "binary_sensor"),
            Name("Water", "entity", "valve"),
            Name("LED strip #2", "entity", "light"),
            Name("Mum & Dad's room", "area"),
            Name("2nd Floor", "floor"),
        )
    )
    + Vocabulary().with_defaults()
)


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return command_grammar(HOME, ())


@pytest.fixture(scope="module")
def hub() -> Hub:
    return Hub(HOME)


DOMAINS = (
    *("light", "switch", "fan", "media_player", "input_boolean", "climate", "cover", "valve", "lock", "scene"),
    *("script", "button", "vacuum", "lawn_mower", "sensor", "binary_sensor", "person", "todo", "weather"),
)


@pytest.mark.parametrize(
    "sentence",
    [
        *("is the {} on", "is the {} open", "is the {} locked", "what is the state of the {}", "what's the {}"),
        *("turn on the {}", "turn the {} off", "open the {}", "set the {} to fifty percent", "set the {} to red"),
        *("start the {}", "pause the {}", "activate the {}", "press the {}", "where is {}", "{} volume up"),
        *("set the fan speed to nine percent", "set my kitchen fan speed to fifty"),
    ],
)
def test_what_may_be_said_of_a_thing_is_what_the_hub_knows_of_its_domain(sentence: str) -> None:
    names = {domain: Name(f"X{domain}".replace("_", " "), "entity", domain) for domain in DOMAINS}
    home = Vocabulary((Name("Kitchen", "area"), *names.values()))
    grammar, hub = command_grammar(home, ()), Hub(home)
    written = [grammar.written(sentence.format(name.written)) for name in names.values()]
    assert any(written)
    assert [each for each in written if each and hub.understands(each) is None] == []


def test_the_hub_understands_every_sentence(grammar: Grammar, hub: Hub) -> None:
    random = Random(1)
    for written in sorted({grammar.sentence(random)[1] for _ in range(100)}):
        assert hub.understands(written) is not None, written


def test_what_it_says_it_accepts(grammar: Grammar) -> None:
    random = Random(2)
    for _ in range(120):
        said, _ = grammar.sentence(random)
        assert grammar.accepts(said), said


@pytest.mark.parametrize(
    ("said", "written"),
    [
        # Politeness and fillers
        ("please turn on the kitchen lights", "turn on the kitchen lights"),
        ("Could you turn on the kitchen lights, please?", "turn on the kitchen lights"),
        ("okay um turn off the TV", "turn off the tv"),
        ("turn off the T.V. thanks", "turn off the tv"),
        # Numbers and units
        ("set the bedroom brightness to 50%", "set the bedroom brightness to fifty percent"),
        ("set the bedroom brightness to fifty per cent", "set the bedroom brightness to fifty percent"),
        ("set the volume to 15", "set the volume to fifteen"),
        ("set the temperature to 21.5 degrees", "set the temperature to twenty one point five degrees"),
        (
            "set the temperature to twenty one and a half degrees",
            "set the temperature to twenty one point five degrees",
        ),
        ("set the temperature to 70°", "set the temperature to seventy degrees"),
        # Timers
        ("set the timer for an hour", "set the timer for one hour"),
        ("set a timer for half an hour", "set a timer for half an hour"),
        ("set a half hour timer", "set a thirty minutes timer"),
        ("set a timer for an hour and a half", "set a timer for one hour and thirty minutes"),
        ("set a timer for 1 hour and 20 minutes", "set a timer for one hour and twenty minutes"),
        ("set a timer for two and a half minutes", "set a timer for two minutes and thirty seconds"),
        ("set a 10-minute timer", "set a ten minute timer"),
        ("set a ten minute pizza timer", "set a ten minute timer for pizza"),
        ("set a pizza timer for 10 minutes", "set a timer called pizza for ten minutes"),
        ("cancel the pizza timer", "cancel the pizza timer"),
        # Names
        ("turn on l e d strip number two", "turn on LED strip #2"),
        ("Turn on LED strip number 2.", "turn on LED strip #2"),
        ("lights on", "lights on"),
        ("turn off the lights in mum and dad's room", "turn off the lights in Mum & Dad's room"),
        ("turn off all second floor lights", "turn off all 2nd Floor lights"),
        # Kinds of things
        ("activate movie night", "activate Movie Night"),
        ("run bedtime", "run Bedtime"),
        ("stop", "stop"),
        ("open the water", "open the Water"),
        ("start the robo", "start the Robo"),
        ("add milk to the chores list", "add milk to the Chores list"),
        ("is the window contact open", "is the Window contact open"),
        ("set the kitchen lights to red", "set the kitchen to red"),
    ],
)
def test_what_people_say_comes_out_as_the_home_writes_it(grammar: Grammar, hub: Hub, said: str, written: str) -> None:
    assert grammar.written(said) == written
    assert hub.understands(written) is not None


MANY_WORDS = "x" + "".join(f"[{letter}]" for letter in "abcdefghijklmnopqrstuvwxyz")

OWN = (
    *("good night, house", "play channel 5", "Movie-Night", "(run|start) program A/B", "bring {1..10:count} beer[s]"),
    *(
        "[please] (lights;down)",
        "feed the {name}",
        "paint {area} {color}",
        "Start die 🚀 jetzt!",
        "turn <the> house green",
    ),
    *("lock & load", "wait 1.5 hours"),
)


@pytest.fixture(scope="module")
def own() -> Grammar:
    assert unsayable(OWN) == []
    return command_grammar(HOME, OWN)


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("good night house", "good night, house"),
        ("play channel five", "play channel 5"),
        ("Play Channel 5.", "play channel 5"),
        ("movie night", "Movie-Night"),
        ("movienight", "Movie-Night"),
        ("start program a b", "start program A/B"),
        ("start program A/B", "start program A/B"),
        ("bring 7 beers", "bring seven beers"),
        ("down lights", "down lights"),
        ("feed the robo", "feed the Robo"),
        ("paint kitchen red", "paint kitchen red"),
        ("start die jetzt", "Start die jetzt!"),
        ("turn my house green", "turn my house green"),
        ("lock and load", "lock & load"),
        ("wait one point five hours", "wait 1.5 hours"),
    ],
)
def test_own_sentences_are_said_and_come_out_as_they_were_typed(own: Grammar, said: str, written: str) -> None:
    assert own.written(said) == written


def test_own_sentences_of_the_home_are_heard_too() -> None:
    home = Vocabulary(HOME.names, ("it is movie time", "日本", "[maybe]"))
    assert command_grammar(home, ()).accepts("it is movie time")


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("turn (on", "cannot be used"),
        ("{nothing} on", r"names the list \{nothing\}; known are area, "),
        ("<nothing> on", "names the rule <nothing>; known are all, "),
        ("[hello]", "may be empty"),
        ("(a;b;c;d;e;f)", "permutes 6 parts"),
        ("日本 on", "whose letters cannot be said in en"),
        ("count {5..x:n}", "no range of numbers"),
        ("count {0..5000000:n}", "holds 5000001 numbers; 1000 are the most"),
        (MANY_WORDS, "spells more than 5000 words"),
        ("🎄", "may be empty"),
    ],
)
def test_a_sentence_that_cannot_be_said_is_named(sentence: str, why: str) -> None:
    ((named, reason),) = unsayable([sentence, "good morning"])
    assert named == sentence
    assert re.search(why, reason)


@pytest.mark.parametrize("sentence", ["turn (on", "{nothing} on", "<nothing> on", "[hello]", MANY_WORDS])
def test_a_sentence_that_cannot_be_read_is_refused_with_its_text(sentence: str) -> None:
    with pytest.raises(ValueError, match="cannot be used") as refused:
        command_grammar(HOME, [sentence])
    assert repr(sentence) in str(refused.value)


def test_a_large_home_stays_a_small_grammar() -> None:
    things = (
        ("LED strip", "light"),
        ("AC", "climate"),
        ("TV", "media_player"),
        ("Blinds", "cover"),
        ("Plug", "switch"),
    )
    names = [Name(f"Room {n} {name}", "entity", domain) for n in range(25) for name, domain in things]
    own = [f"[please] start program {n} in {{area}}" for n in range(20)]
    grammar = command_grammar(Vocabulary(tuple(names)), own)
    assert grammar.accepts("start program 7 in the kitchen") is False
    assert grammar.accepts("start program seven in kitchen")
    assert grammar.accepts("turn on the room 22 plug")
    assert sum(map(len, grammar.arcs)) < 40_000
    assert grammar.count() > 1_000_000


@pytest.mark.parametrize("language", ["de", "fr", "es", "nl", "it", "de-CH"])
def test_own_sentences_are_said_in_other_languages(language: str) -> None:
    sentences: Sequence[str] = ["{area} 5 & 6"]
    grammar = command_grammar(Vocabulary.of(["Café Zoë"]), sentences, language)
    five = number_forms(5, language)[0]
    assert grammar.written(f"café zoë {five} & 6") == "Café Zoë 5 & 6"
    assert grammar.written("Café Zoë 5 & 6") == "Café Zoë 5 & 6"


@pytest.mark.parametrize("wording", [*EVERYDAY, *TALK])
def test_everyday_wordings_are_no_commands(grammar: Grammar, wording: str) -> None:
    assert grammar.written(wording) is None


def test_there_are_36_of_them() -> None:
    assert len(set(EVERYDAY)) >= 36
