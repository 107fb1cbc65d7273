"""Grammar: every sentence of a closed set of commands, as an acyclic automaton over pieces of speech.

Each arc has two sides: how people say a piece, and what the transcript gets for it. So a search that follows speech
gives the home's own spelling of its names.
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
    """Ways to say it, never empty: first the spoken words in lower case, then other spellings of recognisers."""
    written: str
    """The transcript's text for it; empty for a filler. Pieces of a transcript are joined by one blank."""
    target: int
    """The next state."""


class Grammar:
    """A deterministic acyclic automaton: no two arcs of one state carry the same ``said`` and ``written``.

    Two arcs of a state may begin with the same words, because names are whole arcs: "kitchen light" may be a lamp's
    name, and it may be the room's name followed by the word "light".

    :param arcs: the arcs of each state; state 0 is the start, and arcs lead to higher numbers only.
    :param ends: states in which a sentence may end.
    :param decoys: those ends that belong to decoys, which sound like commands and are none.
    """

    __slots__ = ("_by_piece", "_longest", "_saying", "arcs", "decoys", "ends")

    def __init__(
        self, arcs: tuple[tuple[Arc, ...], ...], ends: frozenset[int], decoys: frozenset[int] = frozenset()
    ) -> None:
        self.arcs = arcs
        self.ends = ends
        self.decoys = decoys
        self._saying: dict[str, list[int]] = {}  # form from ``plain`` -> ids of the ``said`` that contain it
        self._longest = 0  # most words of a form
        self._by_piece: dict[int, dict[int, list[int]]] = {}  # state -> id of ``said`` -> places of its arcs

    def accepts(self, text: str) -> bool:
        """Whether a recogniser may write ``text`` for a sentence of this grammar; see ``plain``."""
        return self.written(text) is not None

    def decoy(self, text: str) -> bool:
        """Whether ``text``, in any form of ``said``, is a decoy and no command."""
        words = plain(text).split()
        commands = self.ends - self.decoys
        return self._follow(0, words, 0, set(), commands) is None and self.accepts(text)

    def written(self, text: str) -> str | None:
        """The transcript of ``text``, which may have any form of ``said``. None: it is not accepted."""
        words = plain(text).split()
        found = self._follow(0, words, 0, set(), self.ends)
        return None if found is None else joined(arc.written for arc in found)

    def prepare(self) -> None:
        """Compute all forms now, so that the first ``written`` is fast."""
        if self._saying:
            return
        pieces = {id(arc.said): arc.said for arcs in self.arcs for arc in arcs}  # equal tuples are mostly one object
        saying: dict[str, list[int]] = {}
        for piece, said in pieces.items():
            for form in filter(None, dict.fromkeys(map(plain, said))):
                saying.setdefault(form, []).append(piece)
        self._longest = max((form.count(" ") + 1 for form in saying), default=0)
        self._saying = saying

    def sentence(self, random: Random) -> tuple[str, str]:
        """One sentence as it is said and as it is written.

        Each next state is equally likely, and so is each arc to it. Beside a thousand names one word comes half of the
        time.

        :raises ValueError: the grammar has no sentence.
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
        """The number of ways through the grammar; each piece counts once for all its forms."""
        counts = [0] * len(self.arcs)
        for state in reversed(range(len(self.arcs))):
            counts[state] = (state in self.ends) + sum(counts[arc.target] for arc in self.arcs[state])
        return counts[0] if counts else 0

    def words(self) -> set[str]:
        """All words of its sentences, in every form of ``said``."""
        return {word for arcs in self.arcs for arc in arcs for way in arc.said for word in way.split()}

    def _follow(
        self, state: int, words: list[str], at: int, dead: set[tuple[int, int]], ends: frozenset[int]
    ) -> list[Arc] | None:
        """Find arcs that take ``words[at:]`` from ``state`` to one of ``ends``, those with the most words first."""
        if at == len(words):
            return [] if state in ends else None
        if (state, at) in dead:
            return None
        self.prepare()
        for length in range(min(self._longest, len(words) - at), 0, -1):
            for arc in self._arcs_said(state, " ".join(words[at : at + length])):
                rest = self._follow(arc.target, words, at + length, dead, ends)
                if rest is not None:
                    return [arc, *rest]
        dead.add((state, at))
        return None

    def _arcs_said(self, state: int, form: str) -> list[Arc]:
        """The arcs of a state that may be said in this form, in order."""
        pieces = self._saying.get(form)
        if not pieces:
            return []
        known = self._by_piece.get(state)
        if known is None:
            known = self._by_piece[state] = {}
            for place, arc in enumerate(self.arcs[state]):
                known.setdefault(id(arc.said), []).append(place)
        return [
            self.arcs[state][place] for place in sorted(place for piece in pieces for place in known.get(piece, ()))
        ]


def plain(text: str) -> str:
    """Normalise a text for comparison: lower case, no marks around words, one blank between words and for a hyphen."""
    text = _HYPHEN.sub(" ", unicodedata.normalize("NFC", text).translate(_QUOTES).casefold())
    return " ".join(_AROUND.sub(" ", text).split())


def joined(pieces: Iterator[str] | list[str]) -> str:
    """Join the pieces that are not empty with one blank."""
    return " ".join(piece for piece in pieces if piece)
