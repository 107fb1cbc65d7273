"""Link: one of the things between a person's voice and a light, with the doctor's result."""

from collections.abc import Iterable
from dataclasses import dataclass

from irene_wyoming.app.findings import Level


@dataclass(frozen=True, slots=True)
class Link:
    name: str
    """The link's name, such as ``microphone`` or ``wake word``."""
    level: Level
    text: str
    """The result in words."""
    cure: str = ""
    """One sentence on what to do; empty: nothing."""


def good(name: str, text: str) -> Link:
    return Link(name, Level.OK, text)


def doubtful(name: str, text: str, cure: str) -> Link:
    """Make a link that works, but not well."""
    return Link(name, Level.WARNING, text, cure)


def broken(name: str, text: str, cure: str) -> Link:
    return Link(name, Level.ERROR, text, cure)


def first_broken(links: Iterable[Link]) -> Link | None:
    """The link to mend first: the first broken one, else the first doubtful one; None: all are good."""
    links = list(links)
    for level in (Level.ERROR, Level.WARNING):
        for link in links:
            if link.level is level:
                return link
    return None
