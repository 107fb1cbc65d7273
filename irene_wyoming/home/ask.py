"""Asks Home Assistant for the names of a home, and lists the commands for that."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from irene_wyoming.errors import HomeRefused
from irene_wyoming.home.things import MAX_NAMES

UNKNOWN_COMMAND = "unknown_command"
"""Home Assistant's error code for a command that its version does not have."""

UNAUTHORIZED = "unauthorized"
"""Home Assistant's error code for a command that only administrators may send."""


class Asked(Protocol):
    """Something that answers commands: a ``Conversation``, for example."""

    @property
    def version(self) -> str: ...

    async def call(self, command: str, **fields: Any) -> Any: ...


@dataclass(slots=True)
class Answers:
    """Home Assistant's results as they came. None: it did not give this one."""

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
    """Names of data that this Home Assistant is too old to give."""
    forbidden: list[str] = field(default_factory=list)
    """Names of data that it gives to administrators only."""


async def ask(home: Asked) -> Answers:
    """Ask for all data that contain names of the home.

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
