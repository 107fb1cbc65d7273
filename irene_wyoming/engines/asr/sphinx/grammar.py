"""Grammar: every sentence of a closed set of commands, as the smallest acyclic automaton over words.

Sentence templates are first laid out as a Network of text pieces, because an option may sit inside of a word
(``light[s]``). ``Network.grammar`` then joins the pieces to words, drops what cannot be said, makes the automaton
deterministic and merges equal tails. What is left is a tenth of the size, which a decoder loads and searches fast.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from random import Random

SPACE = " "
"""Label of an arc that ends a word. The empty label is taken without saying anything."""

NodeWords = dict[str, set[int]]

Weight = Callable[[str, Collection[str]], float]
"""(word, all words that may come here) -> how likely it is, over 0 to 1; the weights need not add up to 1."""

Transition = tuple[int, int, float] | tuple[int, int, float, str]
"""(from, to, weight[, word])"""


@dataclass(frozen=True, slots=True)
class Grammar:
    """A deterministic acyclic automaton. State 0 is the start."""

    arcs: tuple[dict[str, int], ...]
    """Of each state: word -> next state."""
    ends: frozenset[int]
    """States in which a sentence may end."""

    def words(self) -> set[str]:
        return {word for arcs in self.arcs for word in arcs}

    def accepts(self, sentence: str) -> bool:
        state: int | None = 0
        for word in sentence.split():
            state = None if state is None else self.arcs[state].get(word)
        return state in self.ends

    def sentence(self, random: Random) -> str:
        """One sentence, each way on being as likely as the others."""
        state, said = 0, list[str]()
        while True:
            ways = [*sorted(self.arcs[state]), *([""] if state in self.ends else [])]
            word = random.choice(ways)
            if not word:
                return " ".join(said)
            said.append(word)
            state = self.arcs[state][word]

    def count(self) -> int:
        """How many sentences there are."""
        counts = [0] * len(self.arcs)
        for state in reversed(range(len(self.arcs))):  # arcs lead to higher numbers only
            counts[state] = (state in self.ends) + sum(counts[target] for target in self.arcs[state].values())
        return counts[0]

    def transitions(self, weight: Weight) -> Iterator[Transition]:
        """Every arc; the single final state is ``len(self.arcs)``."""
        final = len(self.arcs)
        for state, arcs in enumerate(self.arcs):
            for word, target in arcs.items():
                yield state, target, weight(word, arcs.keys()), word
            if state in self.ends:
                yield state, final, 1.0


class Network:
    """Sentences as arcs of text pieces. Node 0 is the start, node 1 the end."""

    START, END = 0, 1

    def __init__(self) -> None:
        self._arcs: list[list[tuple[str, int]]] = [[], []]

    def node(self) -> int:
        self._arcs.append([])
        return len(self._arcs) - 1

    def arc(self, source: int, label: str, target: int) -> None:
        """``label``: a piece of a word, SPACE, or nothing."""
        self._arcs[source].append((label, target))

    def text(self, source: int, text: str) -> int:
        """Lay out ``text`` from ``source`` on; white space ends words. Returns the node behind it."""
        for index, piece in enumerate(text.replace("\t", SPACE).split(SPACE)):
            if index:
                source = self._step(source, SPACE)
            if piece:
                source = self._step(source, piece)
        return source

    def _step(self, source: int, label: str) -> int:
        target = self.node()
        self.arc(source, label, target)
        return target

    def grammar(self, speakable: Callable[[str], bool]) -> Grammar:
        """The automaton of all sentences whose words are ``speakable``."""
        return _Minimiser(self._word_arcs(speakable), self.END).grammar()

    def _word_arcs(self, speakable: Callable[[str], bool]) -> Callable[[int], NodeWords]:
        """A function from a node where a word may start to its words and the nodes behind them."""
        known: dict[int, NodeWords] = {}

        def words(start: int) -> NodeWords:
            if start in known:
                return known[start]
            found: NodeWords = {}
            for word, node in self._spellings(start):
                if not word or speakable(word):
                    found.setdefault(word, set()).add(node)
            return known.setdefault(start, found)

        return words

    def _spellings(self, start: int) -> Iterator[tuple[str, int]]:
        """Each way to spell one word from ``start`` on, and the node behind it; no word: only the end was reached."""
        stack, seen = [("", start)], set[tuple[str, int]]()
        while stack:
            word, node = stack.pop()
            if (word, node) in seen:
                continue
            seen.add((word, node))
            if node == self.END:
                yield word, node
            for label, target in self._arcs[node]:
                if label == SPACE and word:
                    yield word, target
                else:
                    stack.append((word + label.strip(), target))


class _Minimiser:
    """Subset construction and merging of equal tails in one walk, possible because there are no cycles."""

    def __init__(self, words: Callable[[int], NodeWords], end: int) -> None:
        self._words = words
        self._end = end
        self._known: dict[frozenset[int], int | None] = {}
        self._merged: dict[tuple[bool, frozenset[tuple[str, int]]], int] = {}

    def grammar(self) -> Grammar:
        start = self._state(frozenset([Network.START]))
        if start is None:
            return Grammar(arcs=({},), ends=frozenset())
        # Tails are merged before what leads to them, so the start has the highest number: turn the order around.
        last = len(self._merged) - 1
        arcs = [dict[str, int]()] * (last + 1)
        for (_, tail), state in self._merged.items():
            arcs[last - state] = {word: last - target for word, target in sorted(tail)}
        ends = frozenset(last - state for (is_end, _), state in self._merged.items() if is_end)
        return Grammar(arcs=tuple(arcs), ends=ends)

    def _state(self, nodes: frozenset[int]) -> int | None:
        """The merged state of a set of nodes; None where no sentence can be completed."""
        if nodes in self._known:
            return self._known[nodes]
        following: NodeWords = {}
        is_end = False
        for node in nodes:
            for word, targets in self._words(node).items():
                if word:
                    following.setdefault(word, set()).update(targets)
                else:
                    is_end = True
        is_end = is_end or self._end in nodes
        tail = self._tail(following)
        state = self._merged.setdefault((is_end, tail), len(self._merged)) if is_end or tail else None
        self._known[nodes] = state
        return state

    def _tail(self, following: NodeWords) -> frozenset[tuple[str, int]]:
        states: Sequence[tuple[str, int | None]] = [
            (word, self._state(frozenset(targets))) for word, targets in following.items()
        ]
        return frozenset((word, state) for word, state in states if state is not None)
