"""Vocabulary: the names of a home's rooms and things."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from irene_wyoming.checks import list_of, setting, text

Kind = Literal["area", "floor", "entity"]

DEFAULT_AREAS = (
    *("living room", "kitchen", "bedroom", "bathroom", "dining room", "hallway", "office", "garage", "garden"),
    *("basement", "attic", "guest room", "kids room", "laundry room", "entrance", "porch", "patio"),
)
DEFAULT_FLOORS = ("upstairs", "downstairs", "ground floor", "first floor", "second floor")
DEFAULT_DEVICES = (
    *("bedside lamp", "desk lamp", "floor lamp", "table lamp", "ceiling light", "reading light", "night light"),
    *("christmas lights", "ceiling fan", "fan", "tv", "television", "radio", "speaker", "heater", "thermostat"),
    *("air conditioner", "coffee maker", "kettle", "dishwasher", "washing machine", "humidifier", "vacuum"),
    *("front door", "back door", "garage door", "gate", "outside temperature", "humidity"),
)

_DOMAINS = {
    # A word of a device's name -> domains that the device may have.
    **dict.fromkeys(["light", "lights", "lamp", "lamps", "bulb", "chandelier", "lantern", "led"], ("light", "switch")),
    **dict.fromkeys(["fan", "fans"], ("fan", "switch")),
    **dict.fromkeys(["tv", "television", "speaker", "speakers", "radio", "stereo"], ("media_player", "switch")),
    **dict.fromkeys(["blind", "blinds", "curtain", "curtains", "shade", "shades"], ("cover",)),
    **dict.fromkeys(["shutter", "shutters", "awning", "gate"], ("cover",)),
    **dict.fromkeys(["door", "doors", "window", "windows"], ("cover", "lock")),
    "lock": ("lock",),
    **dict.fromkeys(["thermostat", "heating"], ("climate", "switch")),
    **dict.fromkeys(["conditioner", "conditioning", "ac", "hvac", "heater", "heat"], ("climate", "switch")),
    **dict.fromkeys(["vacuum", "roomba", "hoover"], ("vacuum", "switch")),
    **dict.fromkeys(["temperature", "humidity", "sensor", "battery", "power", "energy", "pressure"], ("sensor",)),
}
_ANY_DOMAIN = ("light", "switch", "cover")
"""Possible domains of a device whose domain is not given and not shown by its name."""


@dataclass(frozen=True, slots=True)
class Name:
    """A thing of the home that people call by name."""

    written: str
    """The name as the home writes it, and as transcripts get it."""
    kind: Kind
    domain: str | None = None
    """The entity's domain in Home Assistant (``light``, ``scene``). None: not given, and guessed by the name."""
    aliases: tuple[str, ...] = ()
    """Other names of the same thing. A transcript gets the one that was said."""
    area: str | None = None
    """The area of an entity, as written."""
    floor: str | None = None
    """The floor of an area, as written."""

    @property
    def all_written(self) -> tuple[str, ...]:
        """The name and its aliases."""
        return tuple(dict.fromkeys((self.written, *self.aliases)))

    @property
    def domains(self) -> tuple[str, ...]:
        """Domains that an entity has or may have; empty for areas and floors."""
        if self.kind != "entity":
            return ()
        if self.domain is not None:
            return (self.domain,)
        words = self.written.casefold().replace("_", " ").replace("-", " ").split()
        return tuple(dict.fromkeys(domain for word in words for domain in _DOMAINS.get(word, ()))) or _ANY_DOMAIN


@dataclass(frozen=True)
class Vocabulary:
    """The names of a home at one moment. Equality and hash are by value, and cost next to nothing."""

    names: tuple[Name, ...] = ()
    sentences: tuple[str, ...] = ()
    """The home's own sentences (its sentence triggers), in hassil's notation."""

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.names, self.sentences))

    @classmethod
    def of(cls, areas: Iterable[str] = (), devices: Iterable[str] = (), floors: Iterable[str] = ()) -> "Vocabulary":
        """Make a vocabulary of typed names, without further facts about them."""
        return cls(
            (
                *(Name(area, "area") for area in areas),
                *(Name(floor, "floor") for floor in floors),
                *(Name(device, "entity") for device in devices),
            )
        )

    def with_defaults(self) -> "Vocabulary":
        """Add common English names for each kind (areas, floors, entities) that has none."""
        usual = Vocabulary.of(DEFAULT_AREAS, DEFAULT_DEVICES, DEFAULT_FLOORS)
        known = {name.kind for name in self.names}
        return Vocabulary((*self.names, *(name for name in usual.names if name.kind not in known)), self.sentences)

    def __add__(self, other: "Vocabulary") -> "Vocabulary":
        """Join two vocabularies; a name of the first one is not added again."""
        known = {(name.kind, name.written.casefold()) for name in self.names}
        more = (name for name in other.names if (name.kind, name.written.casefold()) not in known)
        sentences = dict.fromkeys((*self.sentences, *other.sentences))
        return Vocabulary((*self.names, *more), tuple(sentences))

    def __bool__(self) -> bool:
        return bool(self.names or self.sentences)

    @property
    def areas(self) -> tuple[str, ...]:
        """Areas as written, aliases included."""
        return tuple(self._written("area"))

    @property
    def floors(self) -> tuple[str, ...]:
        """Floors as written, aliases included."""
        return tuple(self._written("floor"))

    @property
    def devices(self) -> tuple[str, ...]:
        """Entities as written, aliases included."""
        return tuple(self._written("entity"))

    def entities(self, domain: str) -> Iterator[str]:
        """Entities that have, or may have, this domain, as written, aliases included."""
        for name in self.names:
            if domain in name.domains:
                yield from name.all_written

    def _written(self, kind: Kind) -> Iterator[str]:
        return iter(dict.fromkeys(written for name in self.names if name.kind == kind for written in name.all_written))


_NAMES = list_of(text, what="a list of names")


@dataclass(frozen=True, slots=True)
class TypedNames:
    """Names of a home's rooms and things, as typed into the configuration."""

    areas: tuple[str, ...] = setting(_NAMES, default=())
    devices: tuple[str, ...] = setting(_NAMES, default=())
