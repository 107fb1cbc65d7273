"""Snapping: matches an open transcript to the names and sentences of the home.

A text that the hub understands stays, with names in the home's spelling. Otherwise a word that is nearly a name becomes
it, if the hub then understands the whole. Or the nearest sentence is taken, if it is near enough. A known word never
becomes another one: "bathroom light" is no bedroom light.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from random import Random
from typing import Literal

from irene_wyoming.language.agreement import LEAD, agreed, may_name
from irene_wyoming.language.commands import command_grammar
from irene_wyoming.language.general import general_words
from irene_wyoming.language.grammar import Grammar, plain
from irene_wyoming.language.hub import Hub
from irene_wyoming.language.naming import Found, Names, replaced
from irene_wyoming.language.nearest import Matcher
from irene_wyoming.language.snap import Snap
from irene_wyoming.language.spoken import family
from irene_wyoming.language.vocabulary import Vocabulary

MARGIN = 0.02
"""Share of its letters by which another name has to be farther away."""
LONGEST = 300
"""Most characters of a transcript that can be a command; longer ones are left alone at no cost."""
WARM = 8
"""Sentences for warming up a home; each takes a few milliseconds."""
TRIALS = 2
"""Most names tried in the place of a word. Each costs a call of the hub's matcher."""


@dataclass(frozen=True, slots=True)
class Snapped:
    """The result for a transcript."""

    text: str
    confidence: float | None
    """Confidence that the text is what was meant, 0 to 1; None: unknown."""
    how: Literal["right", "name", "sentence", "left"]
    """``right``: understood as it is; ``name``: a name was mended; ``sentence``: the nearest; ``left``: left alone."""


class Snapper:
    """Mends transcripts. Not for two threads at once. A call takes some milliseconds, the first one seconds.

    :param snap: what to mend; not ``off``.
    :param vocabulary: the configured names.
    :param sentences: own sentences in hassil's notation.
    """

    def __init__(self, snap: Snap, vocabulary: Vocabulary, sentences: Sequence[str] = (), language: str = "en") -> None:
        self._snap = snap
        self._vocabulary = vocabulary
        self._sentences = tuple(sentences)
        self._language = language
        self._home = lru_cache(maxsize=2)(self._made)

    def prepare(self, names: Vocabulary | None = None) -> None:
        """Do the preparations now that take seconds the first time.

        :param names: present names of the home, besides the configured ones.
        """
        self._home(names).warm_up()

    def snapped(self, text: str, names: Vocabulary | None = None) -> Snapped:
        """Match a transcript to the home.

        :param names: present names of the home, besides the configured ones.
        """
        if not text.strip() or len(text) > LONGEST:
            return Snapped(text, None, "left")
        return self._home(names).snapped(text)

    def _made(self, names: Vocabulary | None) -> "_Home":
        known = self._vocabulary if names is None else self._vocabulary + names
        return _Home(self._snap, known, self._sentences, self._language)


class _Home:
    """Prepared data of a home in one language."""

    def __init__(self, snap: Snap, vocabulary: Vocabulary, sentences: Sequence[str], language: str) -> None:
        self._language = family(language)
        self._hub = Hub(vocabulary, sentences, language)
        self._names = Names(vocabulary, language)
        self._known = general_words(language)
        self._means_something = self._known | self._names.words
        self._grammar: Grammar | None = None
        self._matcher: Matcher | None = None
        self._warm = False
        if snap is Snap.SENTENCES:
            known = vocabulary.with_defaults() if self._language == "en" else vocabulary  # the grammar has them, too
            written = frozenset(each for name in known.names for each in name.all_written)
            self._grammar = command_grammar(vocabulary, sentences, language)
            self._matcher = Matcher(self._grammar, written, self._means_something, family(language))

    def warm_up(self) -> None:
        """Compute lazy data now, so that the first transcript need not wait for it."""
        if self._warm:
            return
        self._warm, random = True, Random(0)
        self._hub.prepare()
        if self._matcher is None or self._grammar is None:
            return
        self._grammar.prepare()
        for _ in range(WARM if self._grammar.ends else 0):
            said, _ = self._grammar.sentence(random)
            self._hub.understands(said)
            self._matcher.nearest(said.replace("e", "a"))

    def snapped(self, text: str) -> Snapped:
        exact = self._names.exact(text)
        tidy = replaced(text, exact)
        if self._grammar is not None and (written := self._grammar.written(text)) is not None:
            stays = plain(tidy) == plain(written) or self._hub.understands(tidy)
            return Snapped(tidy if stays else written, 1.0, "right")
        if self._hub.understands(tidy):
            return Snapped(tidy, 1.0, "right")
        return self._named(text) or self._sentence(text) or Snapped(text, None, "left")

    def _named(self, text: str) -> Snapped | None:
        """The text with a name in the place of words that are nearly one."""
        nearly = self._names.nearly(text, self._known)
        tried = dict[str, Found]()
        for found in nearly:
            tried.setdefault(found.written, found)
        for found in islice(tried.values(), TRIALS):
            rivals = (other for other in tried.values() if other is not found)
            if any(abs(rival.distance - found.distance) < MARGIN for rival in rivals):
                return None
            if not may_name(plain(text[found.start : found.end]), found.form, self._language):
                continue
            mended = replaced(text, self._with_others(text, found))
            if self._names.lead(text[found.start : found.end], found.written) < LEAD:
                return None
            if self._hub.understands(mended):
                return Snapped(mended, confidence(found.distance), "name")
        return None

    def _with_others(self, text: str, found: Found) -> list[Found]:
        """The name, and the names beside it that were said exactly."""
        others = [each for each in self._names.exact(text) if each.end <= found.start or found.end <= each.start]
        return sorted([*others, found], key=lambda each: each.start)

    def _same(self, one: str, other: str) -> bool:
        return self._grammar is None or not self._grammar.accepts(other) or self._hub.same(one, other)

    def _sentence(self, text: str) -> Snapped | None:
        if self._matcher is None:
            return None
        near = self._matcher.nearest(text)
        best = agreed(near, self._means_something, self._matcher.rivals, self._same, self._language)
        return None if best is None else Snapped(best.written, confidence(best.distance), "sentence")


def confidence(distance: float) -> float:
    """The confidence that a mended text was meant: fewer changes make it surer."""
    return max(0.0, 1 - 1.5 * distance)
