"""Grammar: every sentence of a closed set of commands, as an acyclic automaton over pieces of speech.

Each arc carries both sides of one piece: how people say it, and what the transcript gets for it. So a search that
follows what was said gives back the words that the home knows, with the home's own spelling of its names.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

_AROUND = re.compile(r"(?<!\S)[^\w%°#&+]+|[^\w%°#&+]+(?!\S)")
_HYPHEN = re.compile(r"(?<=\w)-(?=\w)")
_QUOTES = str.maketrans(
    "\N{RIGHT SINGLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}", "'" * 3
)


@dataclass(frozen=True, slots=True)
class Arc:
    """One piece of a sentence: a word, a number with its unit, or a whole name."""

    said: tuple[str, ...]
    """Never empty. First the spoken words in lower case; then other ways in which a recogniser writes the same."""
    written: str
    """What the transcript gets for it; nothing for a filler. Pieces of a transcript are joined by one blank."""
    target: int
    """The next state."""


class Grammar:
    """A deterministic acyclic automaton: no two arcs of one state carry the same ``said`` and ``written``.

    Two arcs of a state may begin with the same words, because names are whole arcs: "kitchen light" may be a lamp's
    name, and it may be the room's name followed by the word "light".

    :param arcs: of each state; state 0 is the start, and arcs lead to higher numbers only.
    :param ends: states in which a sentence may end.
    :param decoys: those of them in which only a decoy ends: what sounds like a command and is none.
    """

    __slots__ = ("_by_word", "arcs", "decoys", "ends")

    def __init__(
        self, arcs: tuple[tuple[Arc, ...], ...], ends: frozenset[int], decoys: frozenset[int] = frozenset()
    ) -> None:
        self.arcs = arcs
        self.ends = ends
        self.decoys = decoys
        self._by_word: dict[int, dict[str, list[tuple[tuple[str, ...], Arc]]]] = {}

    def accepts(self, text: str) -> bool:
        """Whether a recogniser may write ``text`` for a sentence of this grammar; see ``plain``."""
        return self.written(text) is not None

    def decoy(self, text: str) -> bool:
        """Whether ``text``, in any of the ways of ``said``, is a decoy and no command."""
        words = plain(text).split()
        commands = self.ends - self.decoys
        return self._follow(0, words, 0, set(), commands) is None and self.accepts(text)

    def written(self, text: str) -> str | None:
        """The transcript of ``text``, which may be written in any of the ways of ``said``. None: not accepted."""
        words = plain(text).split()
        found = self._follow(0, words, 0, set(), self.ends)
        return None if found is None else joined(arc.written for arc in found)

    def sentence(self, random: Random) -> tuple[str, str]:
        """One sentence as it is said and as it is written.

        Each state that may come next is as likely as the others, and so is each arc that leads there: of a thousand
        names and one word the word comes half of the time.

        :raises ValueError: the grammar holds no sentence.
        """
        state, said, written = 0, list[str](), list[str]()
        while True:
            ways: dict[int | None, list[Arc]] = {None: []} if state in self.ends else {}
            for arc in self.arcs[state]:
                ways.setdefault(arc.target, []).append(arc)
            if not ways:
                raise ValueError("the grammar holds no sentence")
            arcs = ways[random.choice(list(ways))]
            if not arcs:
                return joined(said), joined(written)
            chosen = random.choice(arcs)
            said.append(chosen.said[0])
            written.append(chosen.written)
            state = chosen.target

    def count(self) -> int:
        """How many ways through it there are, each piece being counted once however it is written."""
        counts = [0] * len(self.arcs)
        for state in reversed(range(len(self.arcs))):
            counts[state] = (state in self.ends) + sum(counts[arc.target] for arc in self.arcs[state])
        return counts[0] if counts else 0

    def words(self) -> set[str]:
        """Every word that its sentences may hold, in all ways of ``said``."""
        return {word for arcs in self.arcs for arc in arcs for way in arc.said for word in way.split()}

    def _follow(
        self, state: int, words: list[str], at: int, dead: set[tuple[int, int]], ends: frozenset[int]
    ) -> list[Arc] | None:
        """The arcs that take ``words[at:]`` from ``state`` to one of ``ends``; those that leave most to one arc come
        first."""
        if at == len(words):
            return [] if state in ends else None
        if (state, at) in dead:
            return None
        for way, arc in self._ways(state).get(words[at], ()):
            if tuple(words[at : at + len(way)]) == way:
                rest = self._follow(arc.target, words, at + len(way), dead, ends)
                if rest is not None:
                    return [arc, *rest]
        dead.add((state, at))
        return None

    def _ways(self, state: int) -> dict[str, list[tuple[tuple[str, ...], Arc]]]:
        """First word -> all ways of the arcs that begin with it, the longest first. Made when a state is first seen."""
        known = self._by_word.get(state)
        if known is None:
            known = {}
            for arc in self.arcs[state]:
                for way in {plain(way) for way in arc.said}:
                    words = tuple(way.split())
                    if words:
                        known.setdefault(words[0], []).append((words, arc))
            for ways in known.values():
                ways.sort(key=lambda way: -len(way[0]))
            self._by_word[state] = known
        return known


def plain(text: str) -> str:
    """``text`` as comparisons see it: lower case, no marks around words, one blank between them and for a hyphen."""
    text = _HYPHEN.sub(" ", unicodedata.normalize("NFC", text).translate(_QUOTES).casefold())
    return " ".join(_AROUND.sub(" ", text).split())


def joined(pieces: Iterator[str] | list[str]) -> str:
    """The pieces that hold something, with one blank between them."""
    return " ".join(piece for piece in pieces if piece)
