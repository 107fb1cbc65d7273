"""Templates: sentences of Home Assistant's intents in a language, as far as people say them.

English has templates of our own, see ``wordings``. Other languages use the hub's, which accept far more than people
say. Three kinds are left out: those with free words ("play ..."), those that are only a name or a colour, and intents
that nobody uses by voice.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from hassil.expression import Alternative, Expression, Permutation, RuleReference, TextChunk
from hassil.expression import Sequence as TemplateSequence
from hassil.parse_expression import parse_sentence
from home_assistant_intents import get_intents

from irene_wyoming.language.spoken import family

INTENTS = (
    *("HassTurnOn", "HassTurnOff", "HassLightSet", "HassSetPosition", "HassFanSetSpeed"),
    *("HassClimateSetTemperature", "HassClimateGetTemperature"),
    *("HassStartTimer", "HassCancelTimer", "HassCancelAllTimers", "HassPauseTimer", "HassUnpauseTimer"),
    *("HassTimerStatus", "HassIncreaseTimer", "HassDecreaseTimer"),
    *("HassMediaPause", "HassMediaUnpause", "HassMediaNext", "HassMediaPrevious"),
    *("HassMediaPlayerMute", "HassMediaPlayerUnmute", "HassSetVolume", "HassSetVolumeRelative"),
    *("HassVacuumStart", "HassVacuumReturnToBase", "HassVacuumCleanArea"),
    *("HassLawnMowerStartMowing", "HassLawnMowerDock"),
    *("HassGetCurrentTime", "HassGetCurrentDate", "HassGetWeather", "HassNevermind"),
)
"""Intents that people use by voice. Questions for states and lists with free items need the open transcript."""


MOST_TIMES = 2
"""Most units of time in a sentence about a timer: nobody says hours, minutes and seconds."""
KELVIN = "{color_temperature:"
"""Start of the list of colour temperatures, a hundred numbers that hardly anybody says; named ones are kept."""
DEEPEST = 20
"""Most levels of nested rules; one that names itself would never end."""


@cache
def intents(language: str) -> Mapping[str, Any]:
    """Home Assistant's intents of a language; empty where it has none."""
    return get_intents(language) or get_intents(family(language)) or {}


@cache
def hub_templates(language: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Templates in hassil's notation, each with the domains allowed for its ``{name}``; empty: any."""
    known = intents(language)
    rules: Mapping[str, str] = known.get("expansion_rules", {})
    marks = open_marks(known)
    found = dict[tuple[str, tuple[str, ...]], None]()
    for name in INTENTS:
        for data in known.get("intents", {}).get(name, {}).get("data", ()):
            domains = _domains(data)
            if data.get("metadata", {}).get("slot_combination", "").startswith("name_area"):
                continue  # a named thing needs no place, and each doubles the search
            for sentence in data["sentences"]:
                if sentence.count("{timer_") > MOST_TIMES or any(mark in sentence for mark in (*marks, KELVIN)):
                    continue
                if _spells(parsed(sentence), rules):
                    found[sentence, domains] = None
    return tuple(found)


def open_marks(known: Mapping[str, Any]) -> tuple[str, ...]:
    """Lists and rules that mark a template with free words, in the spelling of templates.

    :param known: Home Assistant's intents.
    """
    lists = [name for name, values in known.get("lists", {}).items() if values.get("wildcard")]
    marks = [f"{{{name}{end}" for name in lists for end in "}:"]
    rules = known.get("expansion_rules", {})
    while more := [
        f"<{rule}>" for rule, text in rules.items() if f"<{rule}>" not in marks and any(mark in text for mark in marks)
    ]:
        marks += more
    return tuple(marks)


@cache
def parsed(template: str) -> Expression:
    """Parse a template; raises HassilError or ParseError where it is none."""
    return parse_sentence(template).expression


def _domains(data: Mapping[str, Any]) -> tuple[str, ...]:
    wanted = data.get("requires_context", {}).get("domain", ())
    return (wanted,) if isinstance(wanted, str) else tuple(wanted)


def _spells(item: Expression, rules: Mapping[str, str], depth: int = 0) -> bool:
    """Whether each sentence has a word that the template itself spells, besides names and colours."""
    match item:
        case TextChunk():
            return any(letter.isalpha() for letter in item.original_text)
        case Alternative():
            return all(_spells(way, rules, depth) for way in item.items)
        case Permutation() | TemplateSequence():
            return any(_spells(part, rules, depth) for part in item.items)
        case RuleReference():
            return depth < DEEPEST and _spells(parsed(rules.get(item.rule_name, "")), rules, depth + 1)
    return False
