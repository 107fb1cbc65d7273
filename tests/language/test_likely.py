"""The order of names where only some fit."""

from irene_wyoming.language.likely import likely_names
from irene_wyoming.language.vocabulary import Name, Vocabulary

HOME = Vocabulary(
    (
        Name("Attic", "area"),
        Name("Router", "entity", "device_tracker"),
        Name("Chores", "entity", "todo"),
        Name("Movie night", "entity", "scene"),
        Name("Sofa lamp", "entity", "light", ("reading lamp",), area="Den"),
        Name("Kettle", "entity", "switch"),
        Name("Den", "area"),
        Name("Upstairs", "floor"),
        Name("\N{CHRISTMAS TREE}", "entity", "light"),
    )
)


def test_rooms_in_use_and_floors_come_first_then_what_people_switch() -> None:
    assert likely_names(HOME) == (
        *("Den", "Upstairs", "Sofa lamp", "reading lamp", "Kettle", "Movie night", "Chores", "Attic", "Router"),
    )


def test_every_room_may_be_in_use_where_nobody_says_what_is_where() -> None:
    assert likely_names(Vocabulary.of(["Attic", "Den"], ["lamp"])) == ("Attic", "Den", "lamp")
