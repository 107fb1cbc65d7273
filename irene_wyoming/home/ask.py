"""Which of Home Assistant's commands are asked for the names of a home."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from irene_wyoming.errors import HomeRefused
from irene_wyoming.home.things import MAX_NAMES

UNKNOWN_COMMAND = "unknown_command"
"""Home Assistant's code for what it is too old for."""

UNAUTHORIZED = "unauthorized"
"""Home Assistant's code for what it tells administrators only."""


class Asked(Protocol):
    """Who answers commands: a ``Conversation``."""

    @property
    def version(self) -> str: ...

    async def call(self, command: str, **fields: Any) -> Any: ...


@dataclass(slots=True)
class Answers:
    """Results as they came. None: Home Assistant does not tell."""

    version: str
    config: Any = None
    floors: Any = None
    areas: Any = None
    exposed: Any = None
    devices: Any = None
    entries: Any = None
    states: Any = None
    sentences: Any = None
    too_old_for: list[str] = field(default_factory=list)
    """What this Home Assistant does not have."""
    forbidden: list[str] = field(default_factory=list)
    """What it tells administrators only."""


async def ask(home: Asked) -> Answers:
    """All that is needed to know the names of a home.

    :raises HomeUnavailable: the answers do not come.
    """
    answers = Answers(home.version)

    async def told(what: str, command: str, **fields: Any) -> Any:
        try:
            return await home.call(command, **fields)
        except HomeRefused as refused:
            if refused.reason == UNKNOWN_COMMAND:
                answers.too_old_for.append(what)
            elif refused.reason == UNAUTHORIZED:
                answers.forbidden.append(what)
            else:
                raise
            return None

    answers.config = await told("whether it is up", "get_config")
    answers.floors = await told("floors", "config/floor_registry/list")
    answers.areas = await told("areas", "config/area_registry/list")
    answers.exposed = await told("which entities are exposed", "homeassistant/expose_entity/list")
    if ids := exposed_ids(answers.exposed):
        answers.devices = await told("devices", "config/device_registry/list")
        answers.entries = await told("aliases", "config/entity_registry/get_entries", entity_ids=ids)
        answers.states = await told("names of entities", "get_states")
    answers.sentences = await told("sentence triggers", "conversation/sentences/list")
    return answers


def exposed_ids(told: Any) -> Sequence[str]:
    """The ids of entities that the conversation assistant may use, at most ``MAX_NAMES`` of them."""
    settings = told.get("exposed_entities") if isinstance(told, dict) else None
    if not isinstance(settings, dict):
        return []
    wanted = (name for name, each in settings.items() if isinstance(each, dict) and each.get("conversation") is True)
    return [name for name in wanted if isinstance(name, str)][:MAX_NAMES]
