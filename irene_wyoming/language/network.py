"""Network: sentences laid out as pieces of text, and how they become a Grammar.

Templates are laid out piece by piece, because an option may sit inside of a word (``light[s]``). Then the pieces are
joined to words, what cannot be said is dropped, the automaton is made deterministic and equal tails are merged. What
is left is a small part of the size, which a search walks fast.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from irene_wyoming.language.grammar import Arc, Grammar

SPACE = " "
"""Label of an arc that ends a word. The empty label is taken without saying anything."""

LONGEST_WORD = 64
"""Characters of one word; options inside of a word could otherwise spell endless ones."""

MOST_SPELLINGS = 5_000
"""Words that may be spelled from one place: ``[a][b][c]`` is eight, and two dozen such options are millions."""
HUB_SPELLINGS = 200_000
"""Words that may be spelled from one place where the hub's own templates begin, of which there are a thousand."""


class Piece(NamedTuple):
    """What an arc will carry: see ``Arc``."""

    said: tuple[str, ...]
    written: str


Pieces = dict[int, set[int]]
"""Number of a piece -> nodes behind it."""


class Network:
    """Arcs of text, spaces and whole pieces. Node 0 is the start, node 1 the end, node 2 the end of decoys.

    :param forms: how people say a word that templates spell out; none: it cannot be said, and neither can what holds
        it.
    :param most: words that may be spelled from one place.
    """

    START, END, DECOY = 0, 1, 2

    def __init__(self, forms: Callable[[str], tuple[str, ...]], most: int = MOST_SPELLINGS) -> None:
        self._forms = forms
        self._most = most
        self._arcs: list[list[tuple[str | int, int]]] = [[], [], []]
        self._pieces: list[Piece] = []
        self._numbers: dict[Piece, int] = {}
        self._words: dict[str, int | None] = {}

    def node(self) -> int:
        self._arcs.append([])
        return len(self._arcs) - 1

    def skip(self, source: int, target: int) -> None:
        """``target`` is reached from ``source`` without a word."""
        self._arcs[source].append(("", target))

    def finish(self, source: int, end: int = END) -> None:
        """A sentence may end behind ``source``: a command's, or with the end DECOY that of a decoy."""
        self._arcs[source].append((SPACE, end))

    def text(self, source: int, text: str) -> int:
        """Lay out ``text`` from ``source`` on; white space ends words. Returns the node behind it."""
        for index, part in enumerate(text.replace("\t", SPACE).split(SPACE)):
            if index:
                source = self._step(source, SPACE)
            if part:
                source = self._step(source, part)
        return source

    def pieces(self, source: int, pieces: Sequence[Piece]) -> int:
        """Lay out a choice of ``pieces``. Returns the node behind them."""
        target = self.node()
        self._arcs[source].extend((self._number(piece), target) for piece in pieces)
        return target

    def grammar(self) -> Grammar:
        """The automaton of all sentences that can be said.

        :raises ValueError: options inside of a word spell too many words.
        """
        return _Minimiser(self._following(), self._pieces).grammar()

    def _number(self, piece: Piece) -> int:
        number = self._numbers.setdefault(piece, len(self._pieces))
        if number == len(self._pieces):
            self._pieces.append(piece)
        return number

    def _word(self, word: str) -> int | None:
        """The piece of a word that was spelled out; None: it cannot be said."""
        if word not in self._words:
            said = self._forms(word)
            self._words[word] = self._number(Piece(said, word)) if said else None
        return self._words[word]

    def _step(self, source: int, label: str) -> int:
        target = self.node()
        self._arcs[source].append((label, target))
        return target

    def _following(self) -> Callable[[int], tuple[Pieces, set[int]]]:
        """A function: node where a piece may start -> pieces that may come, and the ends that may be here."""
        known: dict[int, tuple[Pieces, set[int]]] = {}

        def following(start: int) -> tuple[Pieces, set[int]]:
            if start not in known:
                found, ends = Pieces(), set[int]()
                for piece, node in self._spelled(start):
                    if piece is None:
                        ends.add(node)
                    else:
                        found.setdefault(piece, set()).add(node)
                known[start] = found, ends
            return known[start]

        return following

    def _spelled(self, start: int) -> Iterator[tuple[int | None, int]]:
        """Each piece that can be read from ``start`` on, and the node behind it; None: only the end was reached."""
        stack, seen = [("", start)], set[tuple[str, int]]()
        while stack:
            word, node = stack.pop()
            if len(word) > LONGEST_WORD or not is_new((word, node), seen, self._most):
                continue
            number = self._word(word) if word else None
            if node in (self.END, self.DECOY) and (number is not None or not word):
                yield number, node
            whole = False
            for label, target in self._arcs[node]:
                if isinstance(label, int):
                    whole = whole or bool(word)
                    if not word:
                        yield label, target
                elif label == SPACE and word:
                    if number is not None:
                        yield number, target
                else:
                    stack.append((word + label.strip(), target))
            if whole and number is not None:  # a name directly behind letters begins a piece of its own
                yield number, node


def is_new(spelling: tuple[str, int], seen: set[tuple[str, int]], most: int) -> bool:
    """Whether a spelling is seen for the first time.

    :raises ValueError: there are too many of them.
    """
    if spelling in seen:
        return False
    if len(seen) == most:
        raise ValueError(f"it spells more than {most} words in one place; put blanks between options")
    seen.add(spelling)
    return True


class _Minimiser:
    """Subset construction and merging of equal tails in one walk, possible because there are no cycles."""

    def __init__(self, following: Callable[[int], tuple[Pieces, set[int]]], pieces: Sequence[Piece]) -> None:
        self._following = following
        self._pieces = pieces
        self._known: dict[frozenset[int], int | None] = {}
        self._merged: dict[tuple[int | None, frozenset[tuple[int, int]]], int] = {}  # by end and what may come

    def grammar(self) -> Grammar:
        start = self._state(frozenset([Network.START]))
        if start is None:
            return Grammar(((),), frozenset())
        # Tails are merged before what leads to them, so the start has the highest number: turn the order around.
        last = len(self._merged) - 1
        arcs: list[tuple[Arc, ...]] = [()] * (last + 1)
        for (_, tail), state in self._merged.items():
            arcs[last - state] = tuple(Arc(*self._pieces[piece], last - target) for piece, target in sorted(tail))
        ends = {last - state: end for (end, _), state in self._merged.items() if end is not None}
        return Grammar(tuple(arcs), frozenset(ends), frozenset(at for at in ends if ends[at] == Network.DECOY))

    def _state(self, nodes: frozenset[int]) -> int | None:
        """The merged state of a set of nodes; None where no sentence can be completed."""
        if nodes in self._known:
            return self._known[nodes]
        following = Pieces()
        ends = set(nodes & {Network.END, Network.DECOY})
        for node in nodes:
            found, here = self._following(node)
            ends |= here
            for piece, targets in found.items():
                following.setdefault(piece, set()).update(targets)
        tail = self._tail(following)
        end = min(ends) if ends else None  # what is a command as well is no decoy
        state = self._merged.setdefault((end, tail), len(self._merged)) if ends or tail else None
        self._known[nodes] = state
        return state

    def _tail(self, following: Pieces) -> frozenset[tuple[int, int]]:
        states = [(piece, self._state(frozenset(targets))) for piece, targets in following.items()]
        return frozenset((piece, state) for piece, state in states if state is not None)
