"""Link: one of the things between a person's mouth and a light that goes on, as the doctor has found it."""

from collections.abc import Iterable
from dataclasses import dataclass

from irene_wyoming.app.findings import Level


@dataclass(frozen=True, slots=True)
class Link:
    name: str
    """What the link is called, such as ``microphone`` or ``wake word``."""
    level: Level
    text: str
    """What was found."""
    cure: str = ""
    """One sentence on what to do; empty: nothing."""


def good(name: str, text: str) -> Link:
    return Link(name, Level.OK, text)


def doubtful(name: str, text: str, cure: str) -> Link:
    """It works, but not well."""
    return Link(name, Level.WARNING, text, cure)


def broken(name: str, text: str, cure: str) -> Link:
    return Link(name, Level.ERROR, text, cure)


def first_broken(links: Iterable[Link]) -> Link | None:
    """What to mend first: the first link that is broken, else the first that is doubtful; None: all are good."""
    links = list(links)
    for level in (Level.ERROR, Level.WARNING):
        for link in links:
            if link.level is level:
                return link
    return None
