"""The graph says all that the grammar accepts, in every spelling, and nothing else."""

from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irene_wyoming.engines.asr.guided.graph import Graph
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
    """A grammar as a test writes it down."""

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


def spelled(graph: Graph, ids: list[int]) -> bool:
    """Whether the graph has this sequence of tokens, END included."""
    state = graph.start
    for number in ids:
        ways = graph.ways(state)
        if number not in ways.ids:
            return False
        state = ways.states[list(ways.ids).index(number)]
    return True


def walk(graph: Graph, random: Random) -> list[int]:
    """A way through the graph, to an end."""
    state, ids = graph.start, list[int]()
    while not ids or ids[-1] != END:
        ways = graph.ways(state)
        place = random.randrange(len(ways.ids))
        ids.append(int(ways.ids[place]))
        state = ways.states[place]
    return ids


def cut(text: str, random: Random) -> list[int]:
    """Tokens that say ``text``, cut anywhere."""
    numbers = {piece: FIRST_WORD + at for at, piece in enumerate(PIECES)}
    whole, ids = BLANK + text.replace(" ", BLANK), list[int]()
    while whole:
        sizes = [size for size in range(1, len(whole) + 1) if whole[:size] in numbers]
        size = random.choice(sizes)
        ids.append(numbers[whole[:size]])
        whole = whole[size:]
    return ids


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
    assert graph.written(text) == written
    for seed in range(20):
        assert spelled(graph, [*cut(text, Random(seed)), END])


@pytest.mark.parametrize(
    "text", ["turn light", "turn on", "turn on light please", "please", "turn on,, light", "light"]
)
def test_nothing_else_can_be_said(text: str) -> None:
    graph = Graph(HOME, TOKENS)
    assert graph.written(text) is None
    assert not any(spelled(graph, [*cut(text, Random(seed)), END]) for seed in range(20))


@given(st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_every_way_through_the_graph_is_a_sentence_of_the_grammar(random: Random) -> None:
    graph = Graph(HOME, TOKENS)
    assert graph.written(TOKENS.text(walk(graph, random))) is not None


@st.composite
def grammars(draw: st.DrawFn) -> Sentences:
    """Random automata of a few states over words of few letters, so that many texts begin alike."""
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
@settings(max_examples=200, deadline=None)
def test_of_any_grammar_all_sentences_and_only_those_can_be_spelled(grammar: Sentences, random: Random) -> None:
    graph = Graph(grammar, TOKENS)
    state, said = 0, list[str]()
    while state not in grammar.ends or (grammar.arcs[state] and random.random() < 0.5):
        arc = random.choice(grammar.arcs[state])
        said.append(arc.said[0])
        state = arc.target
    assert spelled(graph, [*cut(" ".join(said), random), END])
    found = TOKENS.text(walk(graph, random))
    assert graph.written(found) is not None


def test_a_text_of_several_readings_keeps_names_whole() -> None:
    arcs = (Arc(("light",), "light", 1), Arc(("light off",), "Light Off", 2)), (Arc(("off",), "off", 2),), ()
    assert Graph(Sentences(arcs, frozenset([2])), TOKENS).written("light off") == "Light Off"
