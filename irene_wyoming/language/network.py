"""Network: lays out sentences as pieces of text and turns them into a Grammar.

Templates are laid out piece by piece, because an option may sit inside of a word (``light[s]``). Then the pieces are
joined to words, and unspeakable ones dropped. The automaton is made deterministic, and equal tails are merged. The
result is much smaller, and fast to search.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from irene_wyoming.language.grammar import Arc, Grammar

SPACE = " "
"""Label of an arc that ends a word. An arc with the empty label is taken without saying anything."""

LONGEST_WORD = 64
"""Most characters of one word; options within words could otherwise spell endless ones."""

MOST_SPELLINGS = 5_000
"""Most words that may be spelled from one place: ``[a][b][c]`` spells eight, two dozen such options millions."""
HUB_SPELLINGS = 200_000
"""Most words that may be spelled where the hub's templates begin, of which there are a thousand."""


class Piece(NamedTuple):
    """The contents of a future arc: see ``Arc``."""

    said: tuple[str, ...]
    written: str


Choice = int
"""Number of a set of pieces that were laid out side by side. A spelled word is a choice of one."""
Following = tuple[dict[Choice, set[int]], set[int]]
"""From one node: the nodes behind each possible choice, and the possible ends."""


class Network:
    """Arcs of text, spaces and choices of whole pieces. Node 0 is the start, 1 the end, 2 the end of decoys.

    Equal pieces from one node lead to one node, so that sentences share their beginnings.

    :param forms: gives the ways to say a spelled word; empty: it and sentences with it cannot be said.
    :param most: most words that may be spelled from one place.
    """

    START, END, DECOY = 0, 1, 2

    def __init__(self, forms: Callable[[str], tuple[str, ...]], most: int = MOST_SPELLINGS) -> None:
        self._forms = forms
        self._most = most
        self._arcs: list[list[tuple[str | Choice, int]]] = [[], [], []]
        self._choices: dict[tuple[Piece, ...], Choice] = {}
        self._steps: dict[tuple[int, str | Choice], int] = {}
        self._joins: dict[tuple[int, ...], int] = {}
        self._words: dict[str, Choice | None] = {}

    def node(self) -> int:
        self._arcs.append([])
        return len(self._arcs) - 1

    def skip(self, source: int, target: int) -> None:
        """Let ``target`` be reached from ``source`` without a word."""
        self._arcs[source].append(("", target))

    def finish(self, source: int, end: int = END) -> None:
        """Let a command end behind ``source``; with the end DECOY, a decoy."""
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
        return self._step(source, self._choice(tuple(pieces)))

    def optional(self, source: int, pieces: Sequence[Piece]) -> int:
        """Lay out a choice of ``pieces`` that may be left out. Returns the node behind them, which is a new one."""
        target = self.node()
        self._arcs[source] += [(self._choice(tuple(pieces)), target), ("", target)]
        return target

    def join(self, ends: Iterable[int]) -> int:
        """Make a node that is reached from all ``ends`` without a word."""
        joined = tuple(dict.fromkeys(ends))
        if len(joined) == 1:
            return joined[0]
        if joined not in self._joins:
            self._joins[joined] = self.node()
            for end in joined:
                self.skip(end, self._joins[joined])
        return self._joins[joined]

    def grammar(self) -> Grammar:
        """Make the automaton of all sentences that can be said.

        :raises ValueError: options inside of a word spell too many words.
        """
        return _Minimiser(self._following(), _Classes(list(self._choices))).grammar()

    def _choice(self, pieces: tuple[Piece, ...]) -> Choice:
        return self._choices.setdefault(pieces, len(self._choices))

    def _word(self, word: str) -> Choice | None:
        """The choice of a spelled word; None: it cannot be said."""
        if word not in self._words:
            said = self._forms(word)
            self._words[word] = self._choice((Piece(said, word),)) if said else None
        return self._words[word]

    def _step(self, source: int, label: str | Choice) -> int:
        if (source, label) not in self._steps:
            self._steps[source, label] = self.node()
            self._arcs[source].append((label, self._steps[source, label]))
        return self._steps[source, label]

    def _following(self) -> dict[int, Following]:
        """The possible continuations of each node at which a piece may start."""
        known: dict[int, Following] = {}
        starts = [self.START]
        while starts:
            start = starts.pop()
            if start in known:
                continue
            found, ends = dict[Choice, set[int]](), set[int]()
            for choice, node in self._spelled(start):
                if choice is None:
                    ends.add(node)
                else:
                    found.setdefault(choice, set()).add(node)
                    starts.append(node)
            known[start] = found, ends
        return known

    def _spelled(self, start: int) -> Iterator[tuple[Choice | None, int]]:
        """Give each choice that can be read from ``start`` on, and the node behind it; None: only the end is there."""
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
            if whole and number is not None:  # a name right behind letters begins a piece of its own
                yield number, node


def is_new(spelling: tuple[str, int], seen: set[tuple[str, int]], most: int) -> bool:
    """Whether a spelling is new; raises ValueError where there are too many of them."""
    if spelling in seen:
        return False
    if len(seen) == most:
        raise ValueError(f"it spells more than {most} words in one place; put blanks between options")
    seen.add(spelling)
    return True


class _Classes:
    """Groups pieces that stand in the same choices, so that a search for states treats a group as one.

    A home of four hundred names has some forty classes, one for each kind of device, and not four hundred.

    :param choices: the pieces of each choice.
    """

    def __init__(self, choices: Sequence[tuple[Piece, ...]]) -> None:
        holding: dict[Piece, list[Choice]] = {}
        for choice, pieces in enumerate(choices):
            for piece in dict.fromkeys(pieces):
                holding.setdefault(piece, []).append(choice)
        numbers: dict[tuple[Choice, ...], int] = {}
        self.pieces: list[list[int]] = []
        """Numbers of the pieces of each class."""
        self.of_choice: list[list[int]] = [[] for _ in choices]
        """The classes of each choice."""
        self.all = list(holding)
        """Each piece, by its number."""
        for place, held in enumerate(holding.values()):
            number = numbers.setdefault(tuple(held), len(numbers))
            if number == len(self.pieces):
                self.pieces.append([])
                for choice in held:
                    self.of_choice[choice].append(number)
            self.pieces[number].append(place)


class _Minimiser:
    """Subset construction and merging of equal tails in one walk, which works because there are no cycles."""

    def __init__(self, following: Mapping[int, Following], classes: _Classes) -> None:
        self._following = following
        self._classes = classes
        self._known: dict[frozenset[int], int | None] = {}
        self._merged: dict[tuple[int | None, frozenset[tuple[int, int]]], int] = {}  # by end and continuations

    def grammar(self) -> Grammar:
        start = self._state(frozenset([Network.START]))
        self._following, self._known = {}, {}  # a third of the memory, which the arcs need now
        if start is None:
            return Grammar(((),), frozenset())
        # Tails are merged before their beginnings, so the start has the highest number: reverse the order.
        last = len(self._merged) - 1
        # equal arcs to one place are kept once
        arc = cache(lambda piece, target: Arc(*self._classes.all[piece], target))
        arcs: list[tuple[Arc, ...]] = [()] * (last + 1)
        for (_, tail), state in self._merged.items():
            pairs = sorted((piece, last - target) for number, target in tail for piece in self._classes.pieces[number])
            arcs[last - state] = tuple(arc(*pair) for pair in pairs)
        ends = {last - state: end for (end, _), state in self._merged.items() if end is not None}
        return Grammar(tuple(arcs), frozenset(ends), frozenset(at for at in ends if ends[at] == Network.DECOY))

    def _state(self, nodes: frozenset[int]) -> int | None:
        """The merged state of a set of nodes; None: no sentence can be completed from it."""
        if nodes in self._known:
            return self._known[nodes]
        following: dict[int, set[int]] = {}
        ends = set(nodes & {Network.END, Network.DECOY})
        for node in nodes:
            found, here = self._following[node]
            ends |= here
            for choice, targets in found.items():
                for number in self._classes.of_choice[choice]:
                    following.setdefault(number, set()).update(targets)
        tail = self._tail(following)
        end = min(ends) if ends else None  # a sentence that is also a command is no decoy
        state = self._merged.setdefault((end, tail), len(self._merged)) if ends or tail else None
        self._known[nodes] = state
        return state

    def _tail(self, following: Mapping[int, set[int]]) -> frozenset[tuple[int, int]]:
        states = [(number, self._state(frozenset(targets))) for number, targets in following.items()]
        return frozenset((number, state) for number, state in states if state is not None)
