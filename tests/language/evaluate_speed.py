"""Measures snapping in a home of a thousand names, and making a grammar of four hundred.

OMP_NUM_THREADS=1 python -m tests.language.evaluate_speed

Three hundred transcripts are matched: commands that the hub understands, the same with a misheard word, and talk. Each
is new to the snapper, as in a home. Figures are CPU milliseconds of this process.
"""

import time
import tracemalloc
from random import Random

import numpy as np

from irene_wyoming.heap import lasting
from irene_wyoming.language.commands import command_grammar
from irene_wyoming.language.snap import Snap
from irene_wyoming.language.snapping import Snapper
from irene_wyoming.language.vocabulary import Name, Vocabulary
from tests.language.everyday import EVERYDAY, OTHERS, TALK

ROOMS = {
    "en": (
        *("Living Room", "Kitchen", "Bedroom", "Bathroom", "Office", "Hall", "Garage", "Attic", "Cellar", "Garden"),
        *(
            "Guest Room",
            "Kids Room",
            "Dining Room",
            "Laundry",
            "Porch",
            "Terrace",
            "Library",
            "Studio",
            "Gym",
            "Pantry",
        ),
    ),
    "de": (
        *("Wohnzimmer", "Küche", "Schlafzimmer", "Bad", "Büro", "Flur", "Garage", "Dachboden", "Keller", "Garten"),
        *("Gästezimmer", "Kinderzimmer", "Esszimmer", "Waschküche", "Diele", "Terrasse", "Bibliothek", "Atelier"),
        *("Hobbyraum", "Speisekammer"),
    ),
}
THINGS = {
    "en": {
        "light": ("Lamp", "Ceiling Light", "Desk Lamp", "LED Strip", "Mirror", "Shelf", "Table", "Bed Light"),
        "switch": ("Plug", "Outlet", "Humidifier", "Switch", "Aquarium"),
        "media_player": ("Speaker", "TV", "Radio"),
        "cover": ("Blind", "Curtain"),
        "climate": ("Heater", "Thermostat"),
        "sensor": ("Sensor", "Clock", "Window"),
        "lock": ("Lock",),
        "fan": ("Fan",),
    },
    "de": {
        "light": ("Lampe", "Deckenlicht", "Leselampe", "LED-Streifen", "Spiegel", "Regal", "Tisch", "Bettlicht"),
        "switch": ("Stecker", "Steckdose", "Befeuchter", "Schalter", "Aquarium"),
        "media_player": ("Lautsprecher", "Fernseher", "Radio"),
        "cover": ("Rollo", "Vorhang"),
        "climate": ("Heizung", "Thermostat"),
        "sensor": ("Fühler", "Uhr", "Fenster"),
        "lock": ("Schloss",),
        "fan": ("Ventilator",),
    },
}
MISHEARD = str.maketrans({"a": "e", "e": "i", "i": "e", "b": "p", "p": "b", "d": "t", "t": "d", "m": "n", "s": "z"})


def home(language: str, names: int) -> Vocabulary:
    """Make rooms, and as many things in each."""
    rooms, things = ROOMS[language], THINGS[language]
    made = [
        Name(f"{room} {thing}{number}", "entity", domain, area=room)
        for number in ("", " 2", " 3")
        for room in rooms
        for domain, listed in things.items()
        for thing in listed
    ]
    return Vocabulary((*(Name(room, "area") for room in rooms), *made[: names - len(rooms)]))


def transcripts(names: Vocabulary, language: str) -> list[str]:
    """Make two hundred commands, half of them misheard, and a hundred sentences that are none."""
    random, grammar = Random(11), command_grammar(names, (), language)
    right = [grammar.sentence(random)[0] for _ in range(100)]
    others = (*EVERYDAY, *TALK) if language == "en" else OTHERS[language]
    talk = [random.choice(others) for _ in range(100)]
    return [*right, *(misheard(grammar.sentence(random)[0], random) for _ in range(100)), *talk]


def misheard(said: str, random: Random) -> str:
    """Change two letters of one of its longer words."""
    words = said.split()
    at = max(range(len(words)), key=lambda place: (len(words[place]) > 3, random.random()))
    word, place = words[at], random.randrange(len(words[at]))
    words[at] = word[:place] + word[place : place + 2].translate(MISHEARD) + word[place + 2 :]
    return " ".join(words)


def main() -> None:
    for language in ROOMS:
        for snap in (Snap.NAMES, Snap.SENTENCES):
            print(language, snap, snapping(snap, language), sep=": ", flush=True)
        for again in ("the first time", "again"):
            print(language, f"grammar of 400 names, {again}", grammar_of(home(language, 400), language), sep=": ")


def snapping(snap: Snap, language: str) -> str:
    names = home(language, 1000)
    heard = transcripts(names, language)
    Random(3).shuffle(heard)
    snapper = Snapper(snap, Vocabulary(), (), language)
    began = time.process_time()
    with lasting():
        snapper.prepare(names)
    prepared = time.process_time() - began
    took = list[float]()
    for text in heard:
        began = time.process_time()
        snapper.snapped(text, names)
        took.append(1000 * (time.process_time() - began))
    median, late = np.percentile(took, (50, 95))
    slow = f"first {took[0]:.1f} ms, p50 {median:.1f}, p95 {late:.1f}, slowest {max(took):.1f}"
    return f"prepared in {prepared:.2f} s; {len(took)} transcripts: {slow}"


def grammar_of(names: Vocabulary, language: str) -> str:
    began = time.process_time()
    command_grammar(names, (), language)
    took = time.process_time() - began
    tracemalloc.start()
    grammar = command_grammar(names, (), language)
    size, peak = (each / 1e6 for each in tracemalloc.get_traced_memory())
    tracemalloc.stop()
    return f"{took:.2f} s, {size:.0f} MB kept, {peak:.0f} at the most, {sum(map(len, grammar.arcs))} arcs"


if __name__ == "__main__":
    main()
