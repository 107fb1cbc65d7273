"""Nearest: the sentence of a grammar that is most like an open transcript, by sound and by spelling.

A recogniser that knows nothing of a home writes "a light rose mocker" for "a light roast mocha". The text is followed
through the grammar word by word; each piece of the grammar may stand for some words of the text that are like it. What
was said clearly stays: where the text holds one of the choices that the grammar has at a place, it is that choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.language.closeness import Forms
from irene_wyoming.language.grammar import Arc, Grammar, joined, plain
from irene_wyoming.language.numbers import word_numbers
from irene_wyoming.language.words import word_forms

WIDTH = 12
"""Places of the grammar that are followed at once. Wider found nothing more on the tuning half of the orders."""
LONGEST_SPAN = 5
"""Words of the text that one piece may stand for."""
MOST_WORDS = 24
"""Of a text that can be a command at all."""
WORD = 0.45
"""How unlike a piece may be to the words it stands for, as a share of its letters."""
NAME = 0.2
"""The same of a name of the home. "Bathroom" is 0.25 away from "bedroom"."""
LEFT_OUT, SMALL_LEFT_OUT = 2.0, 1.0
"""Cost of a letter of a word that stands for nothing: what was said matters, but for small words."""
ADDED = 1.2
"""Cost of a small word that was not heard."""

_LEFT_OUT = frozenset(["a", "an", "the", "i", "um", "uh", "please", "is", "it", "that"])
_SMALL = frozenset(["a", "an", "the", "of", "to", "with", "and", "in", "i", "some"])
_FORMS = 4
"""Spoken forms of one piece that are compared."""


@dataclass(frozen=True, slots=True)
class Near:
    """A sentence of the grammar that a text is like."""

    written: str
    distance: float
    """0: the same; 1: nothing of it. As a share of the letters of the text."""
    changed: tuple[tuple[str, str], ...]
    """What stands for something else than itself: (heard, meant)."""


class _Step(NamedTuple):
    cost: float
    before: "_Step | None"
    arc: Arc | None
    heard: str
    """What the arc stands for; nothing where it was heard as it is."""


class _Choice(NamedTuple):
    """The arcs of a state, each as often as it has forms to compare."""

    arcs: Sequence[Arc]
    forms: Forms
    limits: NDArray[np.float32]
    exact: dict[str, list[Arc]]
    """Every form as words -> its arcs."""
    small: Sequence[Arc]


@dataclass(slots=True)
class Matcher:
    """Finds the nearest sentences in one grammar. Not to be used by two threads at once.

    :param names: the names of the home as written: words that are known are never taken for one of them.
    :param known: words that are what they are, and no misheard name.
    """

    grammar: Grammar
    names: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    language: str = "en"
    _choices: dict[int, _Choice] = field(default_factory=dict)

    def nearest(self, text: str, far: float = 0.5) -> Sequence[Near]:
        """Sentences most like ``text``, best first, each ``written`` once; none where nothing is like it.

        :param far: distance up to which sentences are looked for; the less, the faster.
        """
        words = spoken_words(text, self.language)
        if not 0 < len(words) <= MOST_WORDS:
            return ()
        letters = sum(map(len, words))
        most = far * letters
        places: list[dict[int, _Step]] = [{} for _ in range(len(words) + 1)]
        places[0][0] = _Step(0.0, None, None, "")
        for at, word in enumerate(words):
            for state, step in _best(places[at], most):
                self._add_small(places[at], state, step)
            for state, step in _best(places[at], most):
                self._follow(places, at, words, state, step)
                lost = len(word) * (SMALL_LEFT_OUT if word in _LEFT_OUT else LEFT_OUT)
                _reach(places[at + 1], state, _Step(step.cost + lost, step, None, word))
        ends = [step for state, step in _best(places[-1], most) if state in self.grammar.ends]
        return _sentences(ends, letters)

    def _follow(self, places: list[dict[int, _Step]], at: int, words: Sequence[str], state: int, step: _Step) -> None:
        """Every piece that may stand for the next words."""
        choice = self._choice(state)
        if not choice.arcs:
            return
        spans = [" ".join(words[at:end]) for end in range(at + 1, min(len(words), at + LONGEST_SPAN) + 1)]
        unlike = list[str]()
        for span in spans:
            found = choice.exact.get(span, ())
            for arc in found:
                _reach(places[at + span.count(" ") + 1], arc.target, _Step(step.cost, step, arc, ""))
            unlike.append("" if found else span)
        if unlike[0] == "" or not any(unlike):
            return  # one of the choices was said clearly
        costs = choice.forms.apart(unlike)
        for row, column in zip(*np.nonzero(costs <= choice.limits), strict=True):
            arc = choice.arcs[column]
            if unlike[row] and not self._said_clearly(unlike[row], arc):
                taken = _Step(step.cost + float(costs[row, column]), step, arc, unlike[row])
                _reach(places[at + row + 1], arc.target, taken)

    def _said_clearly(self, heard: str, arc: Arc) -> bool:
        """Whether ``heard`` is something else than the arc for sure: a known word is no name, a number no other one."""
        words = heard.split()
        if arc.written in self.names and all(word in self.known for word in words):
            return True
        numbers = word_numbers(self.language)
        return {word for word in words if word in numbers} != {word for word in arc.said[0].split() if word in numbers}

    def _add_small(self, places: dict[int, _Step], state: int, step: _Step) -> None:
        for arc in self._choice(state).small:
            _reach(places, arc.target, _Step(step.cost + ADDED, step, arc, ""))

    def _choice(self, state: int) -> _Choice:
        known = self._choices.get(state)
        if known is None:
            known = self._choices[state] = self._made(self.grammar.arcs[state])
        return known

    def _made(self, arcs: Sequence[Arc]) -> _Choice:
        pairs = [(arc, form) for arc in arcs for form in _compared(arc.said)]
        exact: dict[str, list[Arc]] = {}
        for arc in arcs:
            for form in dict.fromkeys(map(plain, arc.said)):
                exact.setdefault(form, []).append(arc)
        forms = Forms([form for _, form in pairs])
        names = np.array([arc.written in self.names for arc, _ in pairs], bool)
        limits = np.where(names, NAME * forms.sizes, np.maximum(1, WORD * forms.sizes)).astype(np.float32)
        return _Choice(
            [arc for arc, _ in pairs],
            forms,
            limits,
            exact,
            [arc for arc in arcs if arc.said[0] in _SMALL],
        )


def spoken_words(text: str, language: str) -> list[str]:
    """The words of a transcript as they were said: numbers in words, marks left out."""
    words = plain(text).replace("-", " ").split()
    return [part for word in words for part in _spoken(word, language)]


def _spoken(word: str, language: str) -> list[str]:
    if word.isalpha():
        return [word]
    said = word_forms(word, language.split("-")[0]).spoken
    return plain(said[0]).split() if said else []


def _compared(said: Sequence[str]) -> list[str]:
    """Forms worth a comparison: those in words alone."""
    forms = [form for form in dict.fromkeys(map(plain, said)) if form.replace(" ", "").replace("'", "").isalpha()][
        :_FORMS
    ]
    return [*forms, *(form.replace("ch", "k") for form in forms if "ch" in form)]


def _best(places: dict[int, _Step], most: float) -> list[tuple[int, _Step]]:
    """Those that are followed: the cheapest ones, none above ``most``."""
    near = [place for place in places.items() if place[1].cost <= most]
    return sorted(near, key=lambda place: place[1].cost)[:WIDTH]


def _reach(places: dict[int, _Step], state: int, step: _Step) -> None:
    known = places.get(state)
    if known is None or step.cost < known.cost:
        places[state] = step


def _sentences(steps: Sequence[_Step], letters: int) -> list[Near]:
    found: dict[str, Near] = {}
    for last in steps:
        arcs, changed = list[Arc](), list[tuple[str, str]]()
        step: _Step | None = last
        while step is not None:
            if step.arc is not None:
                arcs.append(step.arc)
                if step.heard:
                    changed.append((step.heard, step.arc.said[0]))
            step = step.before
        written = joined([arc.written for arc in reversed(arcs)])
        found.setdefault(written, Near(written, last.cost / max(letters, 1), tuple(reversed(changed))))
    return list(found.values())
