"""Names from Home Assistant's answers: pure.

Everything in an answer may be missing or of an unexpected type: versions of Home Assistant differ, and integrations
write what they like. Unusable names are left out and counted.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from irene_wyoming.home.ask import Answers, exposed_ids
from irene_wyoming.home.things import (
    MAX_ALIASES,
    MAX_NAME_CHARS,
    MAX_NAMES,
    MAX_SENTENCE_CHARS,
    MAX_SENTENCES,
    Things,
    by_likelihood,
)
from irene_wyoming.language.vocabulary import Kind, Name

NOT_UP = ("NOT_RUNNING", "STARTING")
"""States of Home Assistant in which it does not know all of its entities yet."""


@dataclass(slots=True)
class LeftOut:
    """How many names cannot be used, by the reason."""

    nameless: int = 0
    long: int = 0
    many: int = 0

    def sentences(self) -> Iterator[str]:
        if self.nameless:
            yield f"names without a letter or digit, which nobody can say: {self.nameless}; give the things an alias"
        if self.long:
            yield f"names longer than {MAX_NAME_CHARS} characters: {self.long}; give the things a short alias"
        if self.many:
            yield f"names beyond the first {MAX_NAMES}: {self.many}; expose fewer entities to assistants"


def read(answers: Answers, before: Things, now: float) -> Things:
    """Read the names of a home, which takes up to a second for thousands.

    :param before: known names, kept for each kind that this Home Assistant does not give.
    :param now: seconds since the epoch.
    """
    left = LeftOut()
    told: dict[Kind, Callable[[], list[Name]]] = {}
    if answers.floors is not None:
        told["floor"] = lambda: floors(answers, left)
    if answers.areas is not None:
        told["area"] = lambda: areas(answers, left)
    if answers.exposed is not None:
        told["entity"] = lambda: entities(answers, left)
    kinds: tuple[Kind, ...] = ("floor", "area", "entity")
    names = by_likelihood(name for kind in kinds for name in (told[kind]() if kind in told else before.of_kind(kind)))
    left.many = max(0, len(names) - MAX_NAMES)
    return Things(
        names=names[:MAX_NAMES],
        sentences=before.sentences if answers.sentences is None else sentences(answers.sentences),
        left_out=(*left.sentences(), *not_told(answers)),
        version=answers.version,
        read_at=now,
        starting=mapping(answers.config).get("state") in NOT_UP,
    )


def not_told(answers: Answers) -> Iterator[str]:
    if answers.too_old_for:
        yield f"Home Assistant {answers.version} does not tell {', '.join(answers.too_old_for)}; newer ones do"
    if answers.forbidden:
        yield f"the token is not an administrator's, and only they are told {', '.join(answers.forbidden)}"


def floors(answers: Answers, left: LeftOut) -> list[Name]:
    found = (named(left, place.get("name"), "floor", place.get("aliases")) for place in rows(answers.floors))
    return [floor for floor in found if floor is not None]


def areas(answers: Answers, left: LeftOut) -> list[Name]:
    on = names_by(answers.floors, "floor_id")
    found = (
        named(left, place.get("name"), "area", place.get("aliases"), floor=on.get(str(place.get("floor_id"))))
        for place in rows(answers.areas)
    )
    return [area for area in found if area is not None]


def entities(answers: Answers, left: LeftOut) -> list[Name]:
    """The entities that voice assistants may use, under the names that the hub shows."""
    in_area = names_by(answers.areas, "area_id")
    device_areas = {str(device.get("id")): device.get("area_id") for device in rows(answers.devices)}
    friendly = friendly_names(answers.states)
    found = []
    for entity_id in exposed_ids(answers.exposed):
        entry = mapping(mapping(answers.entries).get(entity_id))
        if entry.get("disabled_by"):
            continue
        area = in_area.get(str(entry.get("area_id") or device_areas.get(str(entry.get("device_id")))))
        name = friendly.get(entity_id) or text(entry.get("name")) or text(entry.get("original_name"))
        domain = entity_id.partition(".")[0]
        found.append(named(left, name, "entity", entry.get("aliases"), domain=domain, area=area))
    return [entity for entity in found if entity is not None]


def named(left: LeftOut, name: Any, kind: Kind, aliases: Any, **about: str | None) -> Name | None:
    """A thing with those of its names that can be used; None: none can."""
    others = aliases if isinstance(aliases, list) else []  # newer versions have null in this list for the name itself
    usable = [found for each in (name, *others) if (found := sayable(left, each))]
    if not usable:
        return None
    first, *rest = dict.fromkeys(usable)
    return Name(first, kind, aliases=tuple(rest[:MAX_ALIASES]), **about)


def sayable(left: LeftOut, name: Any) -> str:
    """A name on one line, stripped; empty: nobody can say it."""
    found = text(name)
    if len(found) > MAX_NAME_CHARS:
        left.long += 1
        return ""
    if found and not any(letter.isalnum() for letter in found):
        left.nameless += 1
        return ""
    return found


def friendly_names(states: Any) -> dict[str, str]:
    """The name of each entity as the hub shows it, by the entity's id."""
    found = {
        str(state.get("entity_id")): text(mapping(state.get("attributes")).get("friendly_name"))
        for state in rows(states)
    }
    return {entity_id: name for entity_id, name in found.items() if name}


def names_by(told: Any, key: str) -> dict[str, str]:
    """The names of floors or areas by their id."""
    found = {str(place.get(key)): text(place.get("name")) for place in rows(told)}
    return {place: name for place, name in found.items() if name}


def sentences(told: Any) -> tuple[str, ...]:
    """The sentence triggers, each once."""
    wanted = mapping(told).get("trigger_sentences")
    texts = [text(each) for each in wanted] if isinstance(wanted, list) else []
    return tuple(dict.fromkeys(each for each in texts if each and len(each) <= MAX_SENTENCE_CHARS))[:MAX_SENTENCES]


def text(value: Any) -> str:
    """A text on one line with printable characters only; empty where the value is no text."""
    if not isinstance(value, str):
        return ""
    if not value.isprintable():
        value = "".join(letter if letter.isprintable() else " " for letter in value)
    return " ".join(value.split())


def mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[Mapping[str, Any]]:
    """The mappings in a list; empty where the value is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
