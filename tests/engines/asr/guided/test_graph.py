"""The graph contains all that the grammar accepts, in every spelling, and nothing else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irene_wyoming.engines.asr.guided.graph import Graph, Place
from irene_wyoming.engines.asr.guided.tokens import BLANK, END, FIRST_WORD, Tokens

PIECES = [
    *(BLANK, "t", "u", "r", "n", "o", "f", "a", "l", "i", "g", "h", "s", "5", "0", "%", "e", "c", "p", ",", ".", "?"),
    *("-", "A", "T", "v", "V", f"{BLANK}turn", f"{BLANK}Turn", f"{BLANK}on", f"{BLANK}o", "ff", f"{BLANK}light"),
    *(f"{BLANK}50", f"{BLANK}percent", f"{BLANK}per", f"{BLANK}cent", f"{BLANK}TV", f"{BLANK}off", f"{BLANK}please"),
    *(f"{BLANK}fifty", "if", "ty", "en", f"{BLANK}caf\u00e9", "c", "\u00e9", "'", "y"),
]
TOKENS = Tokens([*([b"x"] * FIRST_WORD), *(piece.encode() for piece in PIECES)])


@dataclass(frozen=True)
class Arc:
    said: tuple[str, ...]
    written: str
    target: int


@dataclass(frozen=True)
class Sentences:
    """A grammar made by a test."""

    arcs: tuple[tuple[Arc, ...], ...]
    ends: frozenset[int]


HOME = Sentences(
    (
        (Arc(("please",), "", 0 + 1), Arc(("turn on",), "turn on", 2), Arc(("turn off",), "turn off", 2)),
        (Arc(("turn on",), "turn on", 2), Arc(("turn off",), "turn off", 2)),
        (Arc(("tv", "t.v."), "TV", 3), Arc(("cafe light",), "Caf\u00e9 Light", 3), Arc(("light",), "light", 4)),
        (Arc(("please",), "", 5),),
        (Arc(("fifty percent", "50%", "50 %", "fifty-percent", "50 per cent"), "fifty percent", 3),),
        (),
    ),
    frozenset([3, 4, 5]),
)


def followed(graph: Graph, ids: Sequence[int]) -> set[str] | None:
    """The texts that may be written for a sequence of tokens, END included; None: the graph does not have it."""
    places = {graph.start: {""}}
    for number in ids:
        ways = graph.ways(frozenset(places))
        if number not in ways.ids:
            return None
        after: dict[Place, set[str]] = {}
        for source, target, written in ways.moves[list(ways.ids).index(number)]:
            after.setdefault(target, set()).update(f"{text} {written}".strip() for text in places[source])
        places = after
    return set().union(*places.values())


def walk(graph: Graph, random: Random) -> list[int]:
    """Take a random way through the graph, to an end."""
    places, ids = frozenset([graph.start]), list[int]()
    while not ids or ids[-1] != END:
        ways = graph.ways(places)
        place = random.randrange(len(ways.ids))
        ids.append(int(ways.ids[place]))
        places = frozenset(target for _, target, _ in ways.moves[place])
    return ids


def cut(text: str, random: Random) -> list[int]:
    """Tokens that spell ``text``, each word in the fewest."""
    numbers = {piece: FIRST_WORD + at for at, piece in enumerate(PIECES)}
    ids = list[int]()
    for word in re.findall(r" ?[^ ,.?-]+(?:\.\w\.)*|[-,.?]", f" {text}"):
        ids += random.choice(shortest(word.replace(" ", BLANK), numbers))
    return ids


def shortest(word: str, numbers: dict[str, int]) -> list[list[int]]:
    """All ways to cut a word into the fewest tokens."""
    if not word:
        return [[]]
    ways = [
        [numbers[word[:size]], *rest]
        for size in range(1, len(word) + 1)
        if word[:size] in numbers
        for rest in shortest(word[size:], numbers)
    ]
    fewest = min(map(len, ways), default=0)
    return [way for way in ways if len(way) == fewest]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("turn on light", "turn on light"),
        ("Turn on, light.", "turn on light"),
        ("please turn off light 50%", "turn off light fifty percent"),
        ("turn off light 50 %", "turn off light fifty percent"),
        ("turn-off light 50 per cent, please", "turn off light fifty percent"),
        ("turn off light fifty percent?", "turn off light fifty percent"),
        ("Turn on TV", "turn on TV"),
        ("Turn on T.V.", "turn on TV"),
        ("turn on caf\u00e9 light", "turn on Caf\u00e9 Light"),
        ("turn on cafe-light", "turn on Caf\u00e9 Light"),
    ],
)
def test_every_way_to_spell_a_sentence_is_there_and_gives_its_one_wording(text: str, written: str) -> None:
    graph = Graph(HOME, TOKENS)
    for seed in range(20):
        assert followed(graph, [*cut(text, Random(seed)), END]) == {written}


@pytest.mark.parametrize(
    "text", ["turn light", "turn on", "turn on light please", "please", "turn on,, light", "light"]
)
def test_nothing_else_can_be_said(text: str) -> None:
    graph = Graph(HOME, TOKENS)
    assert not any(followed(graph, [*cut(text, Random(seed)), END]) for seed in range(20))


def accepted(grammar: Sentences, text: str) -> bool:
    """Whether a grammar has a text, ignoring marks between its words."""

    def ends(state: int, rest: str) -> bool:
        rest = rest.lstrip(" ")
        if rest in ("", ".", "?") and state in grammar.ends:
            return True
        forms = ((form, arc.target) for arc in grammar.arcs[state] for form in arc.said)
        return any(
            ends(target, left)
            for form, target in forms
            if rest.startswith(form)
            for left in (rest[len(form) :], rest[len(form) :].removeprefix(",").removeprefix("."))
        )

    return ends(0, text.casefold().replace("-", " ").replace("\u00e9", "e"))


@given(st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_every_way_through_the_graph_is_a_sentence_of_the_grammar(random: Random) -> None:
    assert accepted(HOME, TOKENS.text(walk(Graph(HOME, TOKENS), random)))


@st.composite
def grammars(draw: st.DrawFn) -> Sentences:
    """Random automata of a few states over short words, so that many texts begin alike."""
    words = st.text("turnof", min_size=1, max_size=5)
    states = draw(st.integers(1, 4))
    arcs = tuple(
        tuple(
            Arc((word,), word, draw(st.integers(state + 1, states)))
            for word in draw(st.lists(words, min_size=1, max_size=4))
        )
        for state in range(states)
    )
    return Sentences((*arcs, ()), frozenset([states, draw(st.integers(1, states))]))


@given(grammars(), st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_of_any_grammar_all_sentences_and_only_those_can_be_spelled(grammar: Sentences, random: Random) -> None:
    graph = Graph(grammar, TOKENS)
    state, said = 0, list[str]()
    while state not in grammar.ends or (grammar.arcs[state] and random.random() < 0.5):
        arc = random.choice(grammar.arcs[state])
        said.append(arc.said[0])
        state = arc.target
    assert " ".join(said) in (followed(graph, [*cut(" ".join(said), random), END]) or ())
    assert accepted(grammar, TOKENS.text(walk(graph, random)))


def test_a_word_is_spelled_in_few_pieces_only() -> None:
    """A part of a word is likely as a word of its own, and would crowd the search."""
    graph = Graph(HOME, TOKENS)
    numbers = {piece: FIRST_WORD + at for at, piece in enumerate(PIECES)}
    assert followed(graph, [numbers[piece] for piece in (f"{BLANK}turn", f"{BLANK}on", f"{BLANK}light")] + [END])
    spelled = [numbers[piece] for piece in (BLANK, "t", "u", "r", "n", f"{BLANK}on", f"{BLANK}light")]
    assert followed(graph, [*spelled, END]) is None
