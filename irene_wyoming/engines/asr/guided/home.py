"""Home: the graphs of what may be said to a home, kept as long as its names stay the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from home_assistant_intents import get_intents

from irene_wyoming.engines.asr.guided.graph import Graph
from irene_wyoming.engines.asr.guided.tokens import Tokens
from irene_wyoming.engines.asr.sphinx.commands import DEFAULT_AREAS, DEFAULT_DEVICES, command_grammar, spoken
from irene_wyoming.engines.asr.sphinx.lexicon import number_words
from irene_wyoming.engines.base import AsrRequest, Vocabulary


@dataclass(frozen=True, slots=True)
class Arc:
    said: tuple[str, ...]
    written: str
    target: int


_W = {number_words(number): number for number in range(20)}
_T = {number_words(10 * ten): 10 * ten for ten in range(2, 10)}


def _num(ws: tuple[str, ...]) -> int | None:
    if len(ws) == 1:
        return _W.get(ws[0], _T.get(ws[0]))
    if ws == ("one", "hundred"):
        return 100
    t, o = _T.get(ws[0]), _W.get(ws[1], 0)
    return t + o if t and 0 < o < 10 else None


class Adapted:
    def __init__(self, g: Any) -> None:
        last = len(g.arcs) + 1
        arcs: list[list[Arc]] = [[] for _ in range(last + 1)]
        for s, a in enumerate(g.arcs):
            for w, t in a.items():
                v = ["percent", "per cent", "%"] if w == "percent" else ["tv", "t.v."] if w == "tv" else [w]
                if (k := _num((w,))) is not None:
                    v.append(str(k))
                arcs[s + 1].append(Arc(tuple(v), w, t + 1))
                for w2, t2 in g.arcs[t].items():
                    if (k := _num((w, w2))) is not None:
                        arcs[s + 1].append(Arc((w + " " + w2, str(k)), w + " " + w2, t2 + 1))
            if s in g.ends:
                arcs[s + 1] += [Arc((x,), "", last) for x in ("please", "thanks", "thank you", "for me", "now")]
        polite = (
            "please",
            "could you",
            "can you",
            "could you please",
            "can you please",
            "would you",
            "um",
            "uh",
            "okay",
            "hey",
            "and",
            "now",
        )
        arcs[0] = [*arcs[1], *(Arc((x,), "", 1) for x in polite)]
        self.arcs = tuple(map(tuple, arcs))
        self.ends = frozenset({*(x + 1 for x in g.ends), last})


class Graphs:
    def __init__(self, tokens: Tokens, vocabulary: Vocabulary, sentences: Sequence[str]) -> None:
        areas = [spoken(area) for area in vocabulary.areas] or DEFAULT_AREAS
        devices = [spoken(device) for device in vocabulary.devices] or DEFAULT_DEVICES
        self._graph = Graph(
            Adapted(command_grammar(areas, devices, sentences, get_intents("en") or {}, lambda _: True)), tokens
        )

    def now(self, _: AsrRequest) -> Graph:
        return self._graph
