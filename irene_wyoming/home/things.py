"""The names of a home's rooms and things, as Home Assistant has them."""

from collections.abc import Iterable
from dataclasses import dataclass

from irene_wyoming.language.vocabulary import Kind, Name, Vocabulary

MAX_NAMES = 10_000
"""Most names of a home, twice the exposed entities of the largest known homes. More would slow every search."""

MAX_SENTENCES = 2_000
"""Most sentence triggers of a home, which has some ten."""

MAX_NAME_CHARS = 120
"""Most characters of a name: saying 120 takes about ten seconds, and nobody says more in one breath."""

MAX_SENTENCE_CHARS = 500
"""Most characters of a sentence template. Longer ones are not sentences."""

MAX_ALIASES = 20
"""Most aliases of one thing, since each is one more name to search for."""

LIKELY_DOMAINS = ("light", "switch", "fan", "media_player", "cover", "climate", "lock", "scene", "script", "todo")
"""The domains of entities that people speak to, the most likely first."""


@dataclass(frozen=True, slots=True)
class Things:
    """The names and sentences of a home at one moment."""

    names: tuple[Name, ...] = ()
    """The names; those that people speak to most come first."""
    sentences: tuple[str, ...] = ()
    """Sentence triggers of automations, in hassil's notation."""
    left_out: tuple[str, ...] = ()
    """Things that could not be read: a sentence each, without names."""
    version: str = ""
    """Version of Home Assistant; empty: unknown."""
    read_at: float = 0.0
    """Time of reading, seconds since the epoch."""
    starting: bool = False
    """Home Assistant was still starting and may have given incomplete lists."""

    def same_names(self, other: "Things") -> bool:
        """Whether the names and sentences are the same, whenever they were read."""
        return (self.names, self.sentences) == (other.names, other.sentences)

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.names, self.sentences)

    def of_kind(self, kind: Kind) -> list[Name]:
        return [name for name in self.names if name.kind == kind]

    def counted(self) -> str:
        """The number of names of each kind, for the log: ``2 floors, 9 areas, 61 entities, 3 sentences``."""
        kinds: list[tuple[Kind, str]] = [("floor", "floors"), ("area", "areas"), ("entity", "entities")]
        counts: list[tuple[int, str, str]] = [(len(self.of_kind(kind)), kind, many) for kind, many in kinds]
        counts.append((len(self.sentences), "sentence", "sentences"))
        return ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts)


NOTHING = Things()
"""The things before any names are known."""


def by_likelihood(names: Iterable[Name]) -> tuple[Name, ...]:
    """Sort: first floors and areas with something in them, then entities by domain, then the rest. Stable."""
    names = list(names)
    used = {name.area for name in names if name.kind == "entity"}
    ranks = {domain: number for number, domain in enumerate(LIKELY_DOMAINS, start=1)}

    def rank(name: Name) -> int:
        if name.kind == "entity":
            return ranks.get(name.domain or "", len(ranks) + 2)
        return 0 if name.kind == "floor" or name.written in used else len(ranks) + 1

    return tuple(sorted(names, key=rank))
