"""Names: said or written in any form, each comes back as the home writes it, and the hub finds its entity."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irene_wyoming.language.commands import command_grammar
from irene_wyoming.language.grammar import Grammar, plain
from irene_wyoming.language.hub import why_unfound
from irene_wyoming.language.network import Network, Piece
from irene_wyoming.language.snap import Snap
from irene_wyoming.language.snapping import Snapper
from irene_wyoming.language.spoken import MOST_FORMS, spoken_forms, why_unsayable
from irene_wyoming.language.vocabulary import Name, Vocabulary
from tests.language.hub import Hub
from tests.language.names import ENGLISH, OTHERS

NAMES = {"en": {name: ways for kind in ENGLISH.values() for name, ways in kind.items()}, **OTHERS}
TURN_ON = {
    "en": "turn on {}",
    "de": "schalte {} ein",
    "fr": "allume {}",
    "es": "enciende {}",
    "nl": "zet {} aan",
    "it": "accendi {}",
}
UNKNOWN_EVEN_WHEN_TYPED = {"Kitchen: main", "Lamp, tall", "St. Mary's lamp", "Dr. Who", "Mr. Coffee", "No. 5"} | {
    *("Temp. sensor", "2. Stock"),  # hassil takes the marks out of what is typed, and leaves them in its lists of names
}


@cache
def home(language: str) -> Vocabulary:
    return Vocabulary(tuple(Name(name, "entity", "light") for name in NAMES[language]))


@cache
def hub(language: str) -> Hub:
    return Hub(home(language), language)


@cache
def grammar(language: str) -> Grammar:
    return command_grammar(home(language), [TURN_ON[language].format("{name}")], language)


@pytest.mark.parametrize("language", list(NAMES))
def test_however_a_name_is_said_it_comes_back_as_the_home_writes_it(language: str) -> None:
    sentence = TURN_ON[language]
    wrong = list[tuple[str, str, str | None]]()
    for name, ways in NAMES[language].items():
        forms = set(spoken_forms(name, language))
        same = [other for other in NAMES[language] if forms & set(spoken_forms(other, language))]  # "2nd", "Second"
        for way in ways:
            written = grammar(language).written(sentence.format(way))
            if written not in [sentence.format(each) for each in same]:
                wrong.append((name, way, written))
    assert not wrong


@pytest.mark.parametrize("language", list(NAMES))
def test_the_hub_finds_the_entity_of_every_name_in_what_comes_back(language: str) -> None:
    for name in NAMES[language]:
        if name in UNKNOWN_EVEN_WHEN_TYPED:
            assert hub(language).entity(TURN_ON[language].format(name)) is None
            continue
        written = grammar(language).written(TURN_ON[language].format(spoken_forms(name, language)[0]))
        assert hub(language).entity(written or "") is not None, written


def test_names_that_the_hub_does_not_find_are_told_with_what_to_do() -> None:
    assert {name for names in NAMES.values() for name in names if why_unfound(name)} == UNKNOWN_EVEN_WHEN_TYPED
    assert "alias 'Kitchen main'" in why_unfound("Kitchen: main")
    one = Vocabulary((Name("Wow!", "entity", "light"),))
    assert why_unfound("Wow!")
    assert Hub(one).entity("turn on Wow!") is None


@pytest.mark.parametrize(
    ("names", "said", "meant"),
    [
        (("Lamp 01", "Lamp 1"), "lamp one", "Lamp 1"),
        (("Lamp two", "Lamp 2"), "lamp 2", "Lamp 2"),
        (("The Den", "Den"), "den", "Den"),
        (("My lamp", "Lamp"), "lamp", "Lamp"),
        (("Bed room", "Bedroom"), "bedroom", "Bedroom"),
        (("Mums lamp", "Mum's lamp"), "mum's lamp", "Mum's lamp"),
    ],
)
def test_a_name_is_not_taken_for_one_that_says_it_less_well(names: tuple[str, str], said: str, meant: str) -> None:
    for order in (names, names[::-1]):
        home = Vocabulary(tuple(Name(name, "entity", "light") for name in order))
        assert command_grammar(home, ()).written(f"turn on {said}") == f"turn on {meant}"
        assert Snapper(Snap.NAMES, home).snapped(f"turn on {said}").text == f"turn on {meant}"


@pytest.mark.parametrize(
    ("language", "name", "heard"),
    [
        ("en", "Bed room lamp", "turn on the bedroom lamp"),
        ("en", "Livingroom TV", "turn on the living room TV"),
        ("de", "Wohn Zimmer", "schalte Wohnzimmer ein"),
        ("nl", "Eet kamer", "zet eetkamer aan"),
    ],
)
def test_an_open_transcript_may_part_words_that_the_home_joins(language: str, name: str, heard: str) -> None:
    home = Vocabulary((Name(name, "entity", "light"),))
    snapped = Snapper(Snap.NAMES, home, (), language).snapped(heard)
    assert Hub(home, language).entity(snapped.text) == name


def test_there_are_ten_names_of_every_kind() -> None:
    assert all(len(names) >= 10 for names in (*ENGLISH.values(), *OTHERS.values()))
    assert sum(map(len, ENGLISH.values())) >= 60


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("\N{CHRISTMAS TREE}", "no letter and no digit"),
        ("---", "no letter and no digit"),
        ("", "no letter and no digit"),
        ("日本", "'日本', whose letters cannot be said in en"),
        ("Кухня", "cannot be said in en"),
        ("lamp " * 60, "has 60 words"),
        ("x" * 300, "a word of more than 40 letters"),
    ],
)
def test_what_cannot_be_said_is_told_with_its_reason(name: str, why: str) -> None:
    assert spoken_forms(name) == ()
    assert why in why_unsayable(name)


@pytest.mark.parametrize(
    ("name", "said"), [("Bay \u00b9", "bay one"), ("Bay \u2462", "bay three"), ("m\u00b2", "m two")]
)
def test_raised_and_circled_digits_are_digits(name: str, said: str) -> None:
    assert spoken_forms(name)[0] == said


@pytest.mark.parametrize(("name", "language"), [("Кухня", "ru"), ("日本", "ja"), ("Küche", "de"), ("Κουζίνα", "el")])
def test_each_language_says_its_own_letters(name: str, language: str) -> None:
    assert spoken_forms(name, language)[0] == name.lower()


PARTS = st.sampled_from(
    [
        *("lamp", "Kitchen", "LED", "TV", "AC", "2nd", "#2", "101", "1200W", "&", "+", "/", "-", "Wi-Fi", "sofa_left"),
        *(
            "Mum's",
            "Kids'",
            "café",
            "Zoë",
            "Fan",
            "(left)",
            "24/7",
            "50%",
            "2.4",
            "30°",
            "A/B",
            "kidsRoom",
            "\N{SNOWMAN}",
        ),
        *(
            "The",
            "Dr.",
            "007",
            "3D",
            "No.",
            "Straße",
            "1,200",
            "II",
            "M&M",
            "@",
            "=",
            "1984",
            "0",
            "999999",
            "12345678",
        ),
    ]
)


@settings(max_examples=40)
@given(parts=st.lists(PARTS, min_size=1, max_size=5), language=st.sampled_from(list(NAMES)))
def test_every_form_of_a_made_up_name_leads_back_to_it(parts: list[str], language: str) -> None:
    name = " ".join(parts)
    forms = spoken_forms(name, language)
    assert len(forms) <= MOST_FORMS
    assert bool(forms) != bool(why_unsayable(name, language))
    if not forms:
        return
    assert forms[0] == " ".join(forms[0].lower().split())
    assert not set(forms[0]) & set("0123456789&+/#%_")
    network = Network(lambda word: spoken_forms(word, language))
    network.finish(network.pieces(Network.START, [Piece(forms, name)]))
    for form in forms:
        assert network.grammar().written(form) == name


ODD = st.sampled_from(
    [*"0123456789½¼¾²③Ⅳ/#%&+°№€-_'. ()", "kW", "m²", "\u200f", "\u202e", "חדר", "مطبخ", "台所", "\N{PARTY POPPER}"]
)


@settings(max_examples=150)
@given(parts=st.lists(ODD | PARTS, min_size=1, max_size=8), language=st.sampled_from(list(NAMES)))
def test_no_odd_name_fails_or_is_lost(parts: list[str], language: str) -> None:
    name = "".join(parts)
    forms = spoken_forms(name, language)
    assert bool(forms) != bool(why_unsayable(name, language))
    layout = Network(lambda word: spoken_forms(word, language))
    layout.finish(layout.pieces(Network.START, [Piece(forms, name)] if forms else []))
    assert all(layout.grammar().written(form) == name for form in forms if plain(form))


@settings(max_examples=60)
@given(name=st.text(max_size=60), language=st.sampled_from([*NAMES, "ru", "ja", "xx"]))
def test_any_text_at_all_has_forms_or_a_reason(name: str, language: str) -> None:
    assert bool(spoken_forms(name, language)) != bool(why_unsayable(name, language))
