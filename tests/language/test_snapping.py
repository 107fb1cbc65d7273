"""Snapping: open transcripts become what the home knows, or stay as they are."""

from functools import cache

import pytest

from irene_wyoming.language.closeness import alike, sound
from irene_wyoming.language.snap import Snap
from irene_wyoming.language.snapping import Snapper
from irene_wyoming.language.vocabulary import Name, Vocabulary
from tests.language.everyday import EVERYDAY, OTHERS, TALK


def home(areas: str, lights: str) -> Vocabulary:
    return Vocabulary(
        (
            *(Name(area, "area") for area in areas.split(", ")),
            *(Name(light, "entity", "light") for light in lights.split(", ")),
        )
    )


HOMES = {
    "en": home("Living Room, Kitchen", "Living Room Lamp, Bedroom Light, LED strip #2, Table Lamp, Lamp 3, Lamp 5"),
    "de": home("Wohnzimmer, Küche", "Wohnzimmerlampe, Schreibtischlampe, LED-Streifen 2, Stehlampe"),
    "fr": home("Salon, Cuisine", "Lampe du salon, Lampe de chevet, Guirlande 2"),
    "es": home("Salón, Cocina", "Lámpara del salón, Luz de la mesilla, Lámpara 2"),
    "nl": home("Woonkamer, Keuken", "Schemerlamp, Bureaulamp, Lamp 2"),
    "it": home("Soggiorno, Cucina", "Lampada del soggiorno, Lampada da tavolo, Luce 2"),
}


@cache
def snapper(language: str, snap: str = "names") -> Snapper:
    return Snapper(Snap(snap), HOMES[language], ["open the pod bay doors"], language)


@pytest.mark.parametrize(
    ("language", "heard", "meant"),
    [
        ("en", "Turn on the living room lamb.", "Turn on the Living Room Lamp."),
        ("en", "switch off the table lump", "switch off the Table Lamp"),
        ("en", "turn on the bed room lite", "turn on the Bedroom Light"),
        ("de", "Schalte die Wohnzimmer Lambe ein", "Schalte die Wohnzimmerlampe ein"),
        ("de", "schalte die schreibtischlamppe aus", "schalte die Schreibtischlampe aus"),
        ("fr", "Allume la lampe du sallon.", "Allume la Lampe du salon."),
        ("es", "Enciende la lámpara del sallón", "Enciende la Lámpara del salón"),
        ("nl", "Zet de schemmerlamp aan", "Zet de Schemerlamp aan"),
        ("it", "Accendi la lampada del sogiorno", "Accendi la Lampada del soggiorno"),
    ],
)
def test_a_name_that_was_misheard_is_mended(language: str, heard: str, meant: str) -> None:
    snapped = snapper(language).snapped(heard)
    assert (snapped.text, snapped.how) == (meant, "name")
    assert snapped.confidence is not None
    assert 0.6 < snapped.confidence < 1


@pytest.mark.parametrize(
    ("language", "heard", "meant"),
    [
        ("en", "turn on led strip number two", "turn on LED strip #2"),
        ("en", "Turn on the living room lamp, please!", "Turn on the Living Room Lamp, please!"),
        ("de", "Schalte LED Streifen zwei ein.", "Schalte LED-Streifen 2 ein."),
        ("fr", "allume guirlande deux", "allume Guirlande 2"),
        ("es", "enciende la lámpara dos", "enciende la Lámpara 2"),
        ("nl", "zet lamp twee aan", "zet Lamp 2 aan"),
        ("it", "accendi luce due", "accendi Luce 2"),
    ],
)
def test_what_is_right_stays_but_names_are_written_as_the_home_writes_them(
    language: str, heard: str, meant: str
) -> None:
    snapped = snapper(language).snapped(heard)
    assert (snapped.text, snapped.how, snapped.confidence) == (meant, "right", 1.0)


@pytest.mark.parametrize("snap", ["names", "sentences"])
@pytest.mark.parametrize(
    ("language", "heard"),
    [
        ("en", "turn on the bathroom light"),  # a light that the home lacks
        ("en", "turn on the desk lamp"),
        ("en", "turn on the lantern"),
        ("en", "turn on lamp four"),
        ("en", "dim the table lamp"),
        ("en", "I went to the market yesterday."),
        ("en", "turn everything off"),
        ("de", "schalte die Deckenlampe ein"),
        ("de", "Gestern war ich auf dem Markt"),
        ("fr", "allume la lampe du couloir"),
        ("es", "enciende la lámpara del pasillo"),
        ("nl", "zet de hanglamp aan"),
        ("it", "accendi la lampada del corridoio"),
        ("en", ""),
        ("en", "..."),
    ],
)
def test_what_the_home_does_not_know_is_left_alone(language: str, snap: str, heard: str) -> None:
    snapped = snapper(language, snap).snapped(heard)
    assert (snapped.text, snapped.how, snapped.confidence) == (heard, "left", None)


@pytest.mark.parametrize("snap", ["names", "sentences"])
@pytest.mark.parametrize(
    "heard", ["turn on lamp 3", "turn on lamp five", "play lamb of god", "add lamb to my shopping list"]
)
def test_one_that_the_hub_understands_never_becomes_another(snap: str, heard: str) -> None:
    snapped = snapper("en", snap).snapped(heard)
    assert snapped.how == "right"
    assert snapped.text.casefold().replace("five", "5") == heard.casefold().replace("five", "5")


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("Open the pot bay doors.", "open the pod bay doors"),
        ("set a time for ten minutes", "set a timer for ten minutes"),
        ("But fish on my shopping list", "put fish on my shopping list"),
        ("set the timer for an hour", "set the timer for one hour"),
    ],
)
def test_the_nearest_sentence_is_taken(heard: str, meant: str) -> None:
    assert snapper("en", "sentences").snapped(heard).text == meant


@pytest.mark.parametrize(
    ("language", "heard", "meant"),
    [
        ("de", "Schalde das Licht im Wohnzimmer ein", "schalte das Licht im Wohnzimmer ein"),
        ("fr", "Alume la lumière du salon", "allume la lumière du Salon"),
        ("es", "Apagga la luz de la cocina", "apaga la luz de la Cocina"),
        ("nl", "Schaakel het licht in de keuken uit", "schakel het licht in de Keuken uit"),
        ("it", "Acendi le luci in cucina", "accendi le luci in Cucina"),
        ("de", "Gestern war das Wetter schön", None),
        ("fr", "Je suis dans le salon", None),
        ("es", "Me gusta la cocina", None),
        ("nl", "Ik ben in de keuken", None),
        ("it", "Vado in cucina", None),
    ],
)
def test_a_word_of_the_hub_that_was_misheard_is_mended(language: str, heard: str, meant: str | None) -> None:
    assert snapper(language, "sentences").snapped(heard).text == (meant or heard)


@pytest.mark.parametrize("wording", [*EVERYDAY, *TALK])
def test_talk_is_no_command(wording: str) -> None:
    snapped = snapper("en", "sentences").snapped(wording)
    assert snapped.text.casefold() == wording
    assert snapped.how in ("left", "right")  # the hub may mean something by it


@pytest.mark.parametrize(("language", "wording"), [(each, said) for each, listed in OTHERS.items() for said in listed])
def test_talk_is_no_command_in_other_languages(language: str, wording: str) -> None:
    snapped = snapper(language, "sentences").snapped(wording)
    assert snapped.text.casefold() == wording.casefold()
    assert snapped.how in ("left", "right")


@pytest.mark.parametrize(
    ("language", "heard", "meant"),
    [
        ("de", "Schalte die Wohnzimmer Lambe ein", "schalte die Wohnzimmerlampe ein"),
        ("de", "stell einen teimer auf zehn minuten", "stell einen Timer auf 10 Minuten"),
        ("de", "wie spät isst es", "wie spät ist es"),
        ("fr", "Éteint les lumières de la cuisine", "éteint les lumières de la Cuisine"),
        ("fr", "quelle eure est il", "quelle heure est il"),
        ("es", "apaga las luses de la cocina", "apaga las luces de la Cocina"),
        ("es", "ensiende la luz de la mesilla", "enciende la Luz de la mesilla"),
        ("nl", "zet de buro lamp aan", "zet de Bureaulamp aan"),
        ("nl", "hoe laad is het", "hoe laat is het"),
        ("it", "accendi la lampada da tavvolo", "accendi la Lampada da tavolo"),
        ("it", "spegni le lucci in cucina", "spegni le luci in Cucina"),
    ],
)
def test_sentences_of_other_languages_are_mended(language: str, heard: str, meant: str) -> None:
    assert snapper(language, "sentences").snapped(heard).text.casefold() == meant.casefold()


@pytest.mark.parametrize(
    "heard",
    [
        *("turn an the kitchen light", "turn the kitchen lights of them", "set the brightness to fiftin percent"),
        *("set a timer for fifty or fifteen minutes", "lock or unlock the front door", "open close the blinds"),
    ],
)
def test_twins_are_left_alone(heard: str) -> None:
    assert snapper("en", "sentences").snapped(heard).text == heard


def test_names_that_the_home_has_now_are_known_at_once() -> None:
    names = Vocabulary((Name("Aquarium", "entity", "light"),))
    assert snapper("en").snapped("turn on the aquariam").how == "left"
    assert snapper("en").snapped("turn on the aquariam", names).text == "turn on the Aquarium"


@pytest.mark.parametrize("snap", ["names", "sentences"])
@pytest.mark.parametrize("heard", ["turn on the bad room light", "turn on the ball light", "turn on the wamp"])
def test_a_name_with_a_rival_is_left_alone(snap: str, heard: str) -> None:
    twins = home("Bedroom, Bathroom", "Hall Light, Wall Light, Lamp, Ramp")
    assert Snapper(Snap(snap), twins).snapped(heard).text == heard


def test_a_thousand_names_are_searched() -> None:
    names = Vocabulary(
        tuple(Name(f"{word} lamp {n}", "entity", "light") for word in ("Oak", "Elm") for n in range(500))
    )
    snapped = Snapper(Snap.NAMES, names).snapped("turn on the oack lamp 77")
    assert snapped.text == "turn on the Oak lamp 77"


@pytest.mark.parametrize("snap", ["names", "sentences"])
def test_a_long_talk_is_left_alone(snap: str) -> None:
    talk = "turn on the living room lamb and " * 20_000
    assert snapper("en", snap).snapped(talk).text == talk


def test_a_language_that_the_hub_lacks_has_its_own_sentences() -> None:
    only = Snapper(Snap.SENTENCES, HOMES["en"], ["saluton {area}"], "eo")
    assert only.snapped("saluton kitchen").text == "saluton Kitchen"
    assert only.snapped("bonan matenon").how == "left"


@pytest.mark.parametrize(
    ("one", "other"),
    [("lamb", "lamp"), ("hole", "whole"), ("van", "fan"), ("moka", "moca"), ("schlafzimer", "schlafzimmer")],
)
def test_words_that_sound_alike_are_close(one: str, other: str) -> None:
    assert sound(one) == sound(other)
    assert alike(one, other) > 0.8


@pytest.mark.parametrize(
    ("one", "other"),
    [("light", "lamp"), ("bathroom", "bedroom"), ("hall", "wall"), ("meter", "heater"), ("bad", "bett"), ("on", "off")],
)
def test_other_words_are_not(one: str, other: str) -> None:
    assert alike(one, other) < 0.8


ORDER = (
    "(brew|can i get|can i have|i want|get me|give me|i'd like|make me) (a|an) "
    "([(small|large|eight ounce|sixteen ounce)];[(light|medium|dark) roast];[(single|double|triple) shot]) "
    "(americano|cappuccino|espresso|latte|[iced] mocha|coffee) "
    "[with [(a bit of|a lot of|some|lots of)] (milk|skim milk|soy milk|cream|sugar|sweetener)]"
)


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("Brew a triple shot Americana with a lot of cream.", "brew a triple shot americano with a lot of cream"),
        ("Can I get a light rose triple shot ice mocha?", "can i get a light roast triple shot iced mocha"),
        ("Give me a small 16-ounce latte", None),  # two sizes
        ("I'd like a small single shot of maricano.", "i'd like a small single shot americano"),
        ("Can I have a larger espresso with sweetener?", "can i have a large espresso with sweetener"),
        (
            "Make me a 16-ounce medium rose latte with skin milk",
            "make me a sixteen ounce medium roast latte with skim milk",
        ),
        ("Give me a 60-ounce double shot espresso", None),  # sixty is no sixteen
        ("Brew a double-sided Americano.", None),
        ("I want a dolvish chocolate maracami with lots of sugar.", None),
        ("Get me a tea with milk", None),
    ],
)
def test_orders_that_were_misheard_are_mended_where_they_are_near(heard: str, meant: str | None) -> None:
    snapped = orders().snapped(heard)
    assert snapped.text == (meant or heard)


@cache
def orders() -> Snapper:
    return Snapper(Snap.SENTENCES, Vocabulary(), [ORDER])


@pytest.mark.parametrize("word", ["pipe", "pie", "bike", "pump"])
def test_another_word_with_the_vowel_of_light_or_the_letters_of_a_long_name_is_left_alone(word: str) -> None:
    for home in (Vocabulary(), Vocabulary((Name("Living Room Lamp", "entity", "light"),))):
        assert Snapper(Snap.SENTENCES, home).snapped(f"turn on the living room {word}").how == "left"
