"""What a home calls its rooms and things, as Home Assistant has it."""

from collections.abc import Iterable
from dataclasses import dataclass

from irene_wyoming.language.vocabulary import Kind, Name, Vocabulary

MAX_NAMES = 10_000
"""Twice the exposed entities of the largest homes that are known. More would slow down every search for a name."""

MAX_SENTENCES = 2_000
"""Sentence triggers; a home has some ten."""

MAX_NAME_CHARS = 120
"""Nobody says a longer name in one breath: 120 characters take about ten seconds."""

MAX_SENTENCE_CHARS = 500
"""A template with its alternatives written out; longer ones are no sentences."""

MAX_ALIASES = 20
"""Of one thing. Each is one more name to search for."""

LIKELY_DOMAINS = ("light", "switch", "fan", "media_player", "cover", "climate", "lock", "scene", "script", "todo")
"""What people speak to, the most likely first."""


@dataclass(frozen=True, slots=True)
class Things:
    """One look at a home."""

    names: tuple[Name, ...] = ()
    """Those that are spoken to most come first."""
    sentences: tuple[str, ...] = ()
    """Sentence triggers of automations, in hassil's notation."""
    left_out: tuple[str, ...] = ()
    """What could not be taken, a sentence each, without names."""
    version: str = ""
    """Of Home Assistant; empty: nobody has told."""
    read_at: float = 0.0
    """Seconds since the epoch."""
    starting: bool = False
    """Home Assistant was not up yet, and may have told less than there is."""

    def same_names(self, other: "Things") -> bool:
        """Whether both say the same, whenever they were read."""
        return (self.names, self.sentences) == (other.names, other.sentences)

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.names, self.sentences)

    def of_kind(self, kind: Kind) -> list[Name]:
        return [name for name in self.names if name.kind == kind]

    def counted(self) -> str:
        """How many there are of each, for the log: ``2 floors, 9 areas, 61 entities, 3 sentences``."""
        kinds: list[tuple[Kind, str]] = [("floor", "floors"), ("area", "areas"), ("entity", "entities")]
        counts: list[tuple[int, str, str]] = [(len(self.of_kind(kind)), kind, many) for kind, many in kinds]
        counts.append((len(self.sentences), "sentence", "sentences"))
        return ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts)


NOTHING = Things()
"""Nobody has told anything yet."""


def by_likelihood(names: Iterable[Name]) -> tuple[Name, ...]:
    """Floors and areas with something in them, then entities by what they are, then the rest. Stable otherwise."""
    names = list(names)
    used = {name.area for name in names if name.kind == "entity"}
    ranks = {domain: number for number, domain in enumerate(LIKELY_DOMAINS, start=1)}

    def rank(name: Name) -> int:
        if name.kind == "entity":
            return ranks.get(name.domain or "", len(ranks) + 2)
        return 0 if name.kind == "floor" or name.written in used else len(ranks) + 1

    return tuple(sorted(names, key=rank))
