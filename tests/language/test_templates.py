"""Templates of other languages: sentences come from the hub's intents, and the hub understands them."""

from functools import cache
from random import Random

import pytest
from hassil import recognize
from hassil.intents import SlotList, TextSlotList

from irene_wyoming.language.commands import command_grammar
from irene_wyoming.language.grammar import Grammar, plain
from irene_wyoming.language.narrowing import Narrowing
from irene_wyoming.language.templates import hub_templates
from irene_wyoming.language.vocabulary import Name, Vocabulary
from tests.language.everyday import OTHERS
from tests.language.hub import Hub, intents

NO_NAMES: dict[str, SlotList] = {"floor": TextSlotList("floor", []), "name": TextSlotList("name", [])}
HOMES = {
    "de": (
        ("Wohnzimmer", "Küche", "Gäste-WC"),
        ("Stehlampe", "light"),
        ("Kaffeemaschine", "switch"),
        ("Obergeschoss", "floor"),
    ),
    "fr": (("Salon", "Cuisine"), ("Lampe de chevet", "light"), ("Cafetière", "switch"), ("Étage", "floor")),
    "es": (("Salón", "Cocina"), ("Lámpara de pie", "light"), ("Cafetera", "switch"), ("Planta baja", "floor")),
    "nl": (("Woonkamer", "Keuken"), ("Schemerlamp", "light"), ("Koffiezetapparaat", "switch"), ("Zolder", "floor")),
    "it": (
        ("Soggiorno", "Cucina"),
        ("Lampada da tavolo", "light"),
        ("Macchina del caffè", "switch"),
        ("Soffitta", "floor"),
    ),
}


@cache
def home(language: str) -> Vocabulary:
    areas, lamp, switch, floor = HOMES[language]
    return Vocabulary(
        (
            *(Name(area, "area") for area in areas),
            Name(floor[0], "floor"),
            *(Name(name, "entity", domain) for name, domain in (lamp, switch)),
        )
    )


@cache
def grammar(language: str) -> Grammar:
    return command_grammar(home(language), (), language)


@pytest.mark.parametrize(
    ("language", "said", "written"),
    [
        ("de", "schalte die stehlampe ein", "schalte die Stehlampe ein"),
        ("de", "mach das licht im wohnzimmer aus", "mach das Licht im Wohnzimmer aus"),
        ("de", "stell die temperatur auf einundzwanzig grad", None),
        ("de", "bitte schalte das licht in der küche ein", None),
        ("de", "stell einen timer auf fünf minuten", None),
        ("de", "wie spät ist es", None),
        ("fr", "allume la lampe de chevet", None),
        ("fr", "éteins les lumières du salon", None),
        ("fr", "quelle heure est-il", None),
        ("es", "enciende la lámpara de pie", None),
        ("es", "apaga las luces de la cocina", None),
        ("es", "qué hora es", None),
        ("nl", "zet de schemerlamp aan", None),
        ("nl", "doe het licht in de keuken uit", None),
        ("nl", "hoe laat is het", None),
        ("it", "accendi la lampada da tavolo", None),
        ("it", "spegni le luci in cucina", None),
        ("it", "che ore sono", None),
    ],
)
def test_everyday_commands_may_be_said(language: str, said: str, written: str | None) -> None:
    found = grammar(language).written(said)
    assert found is not None
    if written is not None:
        assert found == written
    assert Hub(home(language), language).understands(found) is not None


@pytest.mark.parametrize("language", list(HOMES))
def test_the_hub_understands_what_may_be_said(language: str) -> None:
    random, hub = Random(4), Hub(home(language), language)
    sentences = [grammar(language).sentence(random)[1] for _ in range(60)]
    odd = [sentence for sentence in sentences if hub.understands(sentence) is None]
    assert not odd


@pytest.mark.parametrize("language", list(HOMES))
def test_leaving_out_templates_that_cannot_match_loses_no_sentence(language: str) -> None:
    random, known = Random(9), intents(language)
    narrowing, words = Narrowing(known), frozenset(plain(" ".join(home(language).areas)).split())
    lists: dict[str, SlotList] = {"area": TextSlotList.from_strings(home(language).areas, allow_template=False)}
    said = [grammar(language).sentence(random)[way] for _ in range(20) for way in (0, 1)]
    for text in [*said, *OTHERS[language]]:
        possible = narrowing.narrowed(text, words)
        found, narrowed = (recognize(text, each, slot_lists={**NO_NAMES, **lists}) for each in (known, possible))
        assert (found is None) == (narrowed is None), text
        assert found is None or narrowed is None or found.entities == narrowed.entities
        assert len(possible.intents) < len(known.intents)


@pytest.mark.parametrize("language", list(HOMES))
def test_no_english_can_be_said_there_and_a_name_alone_is_no_command(language: str) -> None:
    assert not grammar(language).accepts("turn on the lights")
    assert not grammar(language).accepts(HOMES[language][1][0])
    assert hub_templates(language)


def test_a_language_without_intents_has_own_sentences_only() -> None:
    assert hub_templates("xx") == ()
    only = command_grammar(Vocabulary.of(["Kuirejo"]), ["saluton {area}"], "eo")
    assert only.written("saluton kuirejo") == "saluton Kuirejo"
