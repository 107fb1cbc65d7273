"""The default command grammar: what a person may say to a home, in hassil's template notation.

Home Assistant's own templates accept far more than people say (a bare name, ``bring our lamps on throughout the
flat``); each such way is one more thing that a noise or another sentence may be mistaken for. So the templates here are
the plain ways to say things, with the lists (colours, kinds of covers, states) of ``home_assistant_intents``. Every one
of their sentences is understood by Home Assistant's full set: a test keeps it so.

In a template ``{name.light}`` is a device that may be a light; ``{area}``, ``{floor}`` and number ranges are ours.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import permutations
from typing import Any

from hassil.expression import Alternative, Expression, ListReference, Permutation, RuleReference, TextChunk
from hassil.expression import Sequence as TemplateSequence
from hassil.parse_expression import parse_sentence
from hassil.parser import ParseError

from irene_wyoming.engines.asr.sphinx.grammar import SPACE, Grammar, Network
from irene_wyoming.engines.asr.sphinx.lexicon import number_words

COMMANDS = (
    # Lights of a room
    "<turn> (on|off) [the] {area} (light|lights)",
    "<turn> [the] {area} (light|lights) (on|off)",
    "<turn> (on|off) [the] (light|lights) [in [the] {area}]",
    "<turn> [the] (light|lights) (on|off)",
    "<turn> (on|off) all [the] lights [in [the] {area}]",
    "<turn> (on|off) [the] {floor} lights",
    "[[the] {area}] lights (on|off)",
    "(set|change|turn) [the] (light|lights) [in [the] {area}] to {color}",
    "(set|change|turn) the {area} (light|lights) to {color}",
    "(set|change) [the] [{area}] brightness to {brightness} percent",
    "(set|change) [the] brightness in [the] {area} to {brightness} percent",
    "set [the] lights in [the] {area} to {brightness} percent",
    # Lights by name
    "(set|change|turn) [the] {name.light} to {color}",
    "(set|change) [the] {name.light} [brightness] to {brightness} percent",
    # Switching by name
    "<turn> (on|off) [the] {name.switch}",
    "<turn> [the] {name.switch} (on|off)",
    "<turn> (on|off) [the] {name.switch} in [the] {area}",
    # Fans
    "<turn> (on|off) [the] {area} (fan|fans)",
    "set [the] {name.fan} [speed] to {fan_speed} percent",
    # Covers, locks, vacuum cleaners
    "<open_close> [the] [{area}] {cover_classes}",
    "<open_close> [the] {cover_classes} in [the] {area}",
    "<open_close> [the] {name.cover}",
    "(set|open|close) [the] {name.cover} to {position} percent",
    "(lock|unlock) [the] {name.lock}",
    "start [the] {name.vacuum}",
    "return [the] {name.vacuum} to base",
    "(vacuum|clean) [the] {area}",
    # Climate
    "(set|change) [the] [{area}] temperature to {temperature} [degrees]",
    "(set|change) [the] temperature in [the] {area} to {temperature} [degrees]",
    "set [the] {name.climate} to {temperature} [degrees]",
    "<what_is> the temperature [in [the] {area}]",
    "<what_is> the {area} temperature",
    "how (hot|cold|warm|cool) is it [in [the] {area}]",
    # Media
    "(pause|stop|resume|mute|unmute) [the] (music|movie)",
    "stop playing",
    "(next|previous) (song|track)",
    "skip [this|the] (song|track)",
    "(pause|mute|unmute) [the] {name.media_player}",
    "volume (up|down)",
    "turn (up|down) the volume",
    "turn the volume (up|down)",
    "(increase|decrease) the volume [by {volume} percent]",
    "set [the] volume to {volume} percent",
    "set [the] {name.media_player} volume to {volume} percent",
    # Timers
    "(set|start) [a] timer for <duration>",
    "(set|start) a (one|{timer_minutes}) minute timer",
    "(set|start) a (one|{timer_hours}) hour timer",
    "(cancel|stop|pause|resume) [the|my] timer",
    "cancel all [the|my] timers",
    "add <minutes> to [the|my] timer",
    "how (much time is|long is) left on [the|my] timer",
    # Shopping list
    "add {groceries} to (my|the) shopping list",
    # Questions
    "what time is it",
    "<what_is> the time",
    "<what_is> the date [today]",
    "<what_is> the weather [like]",
    "<what_is> [the] {name.sensor}",
    "is [the] {name.light} (on|off)",
    "is [the] {name.fan} (on|off)",
    "is [the] {name.cover} (open|closed|shut)",
    "is [the] {name.lock} {lock_states}",
    "never mind",
)

RULES = {
    # Homophones (what's and whats) are kept out: no ear could tell which was said.
    "turn": "(turn|switch)",
    "open_close": "(open|close)",
    "what_is": "(what is|what's)",
    "minutes": "(one minute|{timer_minutes} minutes)",
    "hours": "(one hour|{timer_hours} hours|half an hour)",
    "duration": "({timer_seconds} seconds|<minutes>|<hours>)",
}

DEFAULT_AREAS = (
    *("living room", "kitchen", "bedroom", "bathroom", "dining room", "hallway", "office", "garage", "garden"),
    *("basement", "attic", "guest room", "kids room", "laundry room", "entrance", "porch", "patio"),
)
FLOORS = ("upstairs", "downstairs", "ground floor", "first floor", "second floor")

DEFAULT_DEVICES = (
    *("bedside lamp", "desk lamp", "floor lamp", "table lamp", "ceiling light", "reading light", "night light"),
    *("christmas lights", "ceiling fan", "fan", "tv", "television", "radio", "speaker", "heater", "thermostat"),
    *("air conditioner", "coffee maker", "kettle", "dishwasher", "washing machine", "humidifier", "vacuum"),
    *("front door", "back door", "garage door", "gate", "outside temperature", "humidity"),
)

GROCERIES = (
    *("apples", "bananas", "bread", "butter", "cheese", "chicken", "chocolate", "coffee", "eggs", "fish", "flour"),
    *("juice", "lemons", "milk", "onions", "oranges", "pasta", "potatoes", "rice", "salt", "soap", "sugar", "tea"),
    *("tomatoes", "toilet paper", "water", "yogurt"),
)

_KINDS = {
    # A word of a device's name -> what the device may be. A name without any of them may be a light, a switch, a cover.
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
_ANY_KIND = ("light", "switch", "cover")

_RANGES: dict[str, tuple[range, ...]] = {
    "brightness": (range(101),),
    "fan_speed": (range(101),),
    "position": (range(101),),
    "volume": (range(101),),
    "temperature": (range(5, 31), range(50, 91)),  # degrees Celsius, degrees Fahrenheit
    "timer_seconds": (range(5, 61, 5), range(90, 91)),
    "timer_minutes": (range(2, 61), range(90, 91)),
    "timer_hours": (range(2, 13), range(24, 25)),
}


_TEENS = frozenset({"thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"})
_UNITS = frozenset({"percent", "minute", "minutes"})

_NO_ARTICLE = 1e-10
"""A left out "the" changes no meaning, so that it may count as less likely than it is."""
_ODD = 1e-5
"""Of a percentage or a number of minutes that is not a round one."""
_HOT = 0.1
"""Of 80 degrees and more. Both were chosen on the tuning sentences; sentences made of odd numbers stayed as right."""


def likelihood(word: str, choices: Collection[str]) -> float:
    """Weight of a word among those that may come next, 0 to 1.

    In noise nobody hears whether a "the" was left out, whether "-teen" or "-ty" was said, or how "fifty" went on: then
    it is taken for what people mostly say. Clear speech outweighs these weights. Timers are set to any number of
    minutes, temperatures rather to 18 than to 80 degrees.
    """
    if "the" in choices:
        return 1.0 if word in ("the", "my") else _NO_ARTICLE
    if not _UNITS.isdisjoint(choices):  # after a number, which may go on
        return 1.0 if word in _UNITS or word == "five" else _ODD
    if "eighteen" in choices and "zero" in choices:  # percent
        return _ODD if word in _TEENS else 1.0
    if "eighteen" in choices and "two" not in choices:  # degrees
        return _HOT if word in ("eighty", "ninety") else 1.0
    return 1.0


def spoken(name: str) -> str:
    """A name from a configuration as a transcript shows it: lower case, words and digits only."""
    text = unicodedata.normalize("NFC", name).casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return " ".join(re.sub(r"[^\w']|_", " ", text).split())


def command_grammar(
    areas: Sequence[str],
    devices: Sequence[str],
    sentences: Sequence[str],
    intents: Mapping[str, Any],
    speakable: Callable[[str], bool],
) -> Grammar:
    """The automaton of COMMANDS and ``sentences``.

    :param areas, devices: as ``spoken`` gives them.
    :param sentences: further templates, in the same notation.
    :param intents: of ``home_assistant_intents``: its ``lists`` and ``expansion_rules``.
    :param speakable: whether a word can be pronounced; ways that hold another word are left out.
    :raises ValueError: a template cannot be parsed or names an unknown rule or list.
    """
    layout = _Layout(areas, devices, intents)
    for template in (*COMMANDS, *sentences):
        layout.add(template)
    return layout.network.grammar(speakable)


class _Layout:
    """Lays templates out into a Network."""

    def __init__(self, areas: Sequence[str], devices: Sequence[str], intents: Mapping[str, Any]) -> None:
        self.network = Network()
        self._rules = {**intents["expansion_rules"], **RULES}
        self._lists = intents["lists"]
        self._texts: dict[str, Iterable[str]] = {"area": areas, "floor": FLOORS, "groceries": GROCERIES}
        self._texts["name"] = devices
        for device in devices:
            for kind in _kinds(device):
                self._texts.setdefault(f"name.{kind}", []).append(device)  # type: ignore[attr-defined]

    def add(self, template: str) -> None:
        end = self._template(Network.START, template)
        self.network.arc(end, SPACE, Network.END)

    def _template(self, source: int, template: str) -> int:
        try:
            expression = parse_sentence(template).expression
        except ParseError as error:
            raise ValueError(f"sentence {template!r} cannot be parsed: {error}") from error
        return self._expression(source, expression)

    def _expression(self, source: int, item: Expression) -> int:
        match item:
            case TextChunk():
                return self.network.text(source, item.text.casefold())
            case Alternative():
                return self._join(self._expression(source, way) for way in item.items)
            case Permutation():
                return self._join(self._chain(source, order) for order in permutations(item.items))
            case TemplateSequence():
                return self._chain(source, item.items)
            case RuleReference():
                return self._rule(source, item.rule_name)
            case ListReference():
                return self._list(source, item.list_name)
        raise ValueError(f"sentence holds {type(item).__name__}, which is not supported")

    def _chain(self, source: int, items: Iterable[Expression]) -> int:
        for item in items:
            source = self._expression(source, item)
        return source

    def _join(self, ends: Iterable[int]) -> int:
        join = self.network.node()
        for end in ends:
            self.network.arc(end, "", join)
        return join

    def _rule(self, source: int, name: str) -> int:
        if name not in self._rules:
            raise ValueError(f"sentence names the rule <{name}>; known are {', '.join(sorted(self._rules))}")
        return self._template(source, self._rules[name])

    def _list(self, source: int, name: str) -> int:
        if name in self._texts or name.startswith("name."):
            return self._join(self.network.text(source, text) for text in self._texts.get(name, ()))
        if name in _RANGES:
            numbers = (number_words(number) for numbers in _RANGES[name] for number in numbers)
            return self._join(self.network.text(source, words) for words in numbers)
        values = self._lists.get(name, {}).get("values")
        if not values:
            known = sorted({*self._texts, *_RANGES, *(key for key in self._lists if "values" in self._lists[key])})
            raise ValueError(f"sentence names the list {{{name}}}; known are {', '.join(known)}")
        texts = (value["in"] if isinstance(value, dict) else value for value in values)
        return self._join(self._template(source, text) for text in texts)


def _kinds(device: str) -> tuple[str, ...]:
    kinds = [kind for word in device.split() for kind in _KINDS.get(word, ())]
    return tuple(dict.fromkeys(kinds)) or _ANY_KIND
