"""Snapping: an open transcript, matched to the names and sentences of the home.

What the hub understands as it is stays as it is, but for names, which are written as the home writes them. Otherwise a
word that is nearly a name is taken for it where the hub then understands the whole, or the nearest sentence is taken
where it is near enough. A word that is known is never taken for another one: who says "bathroom light" gets no bedroom.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from random import Random
from typing import Literal

from irene_wyoming.language.agreement import LEAD, agreed
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
"""By which another name has to be farther away, as a share of its letters."""
LONGEST = 300
"""Characters of a transcript that can be a command; what is longer is left alone, and costs nothing."""
WARM = 8
"""Sentences with which a home is warmed up; a few milliseconds each."""
TRIALS = 2
"""Names that are tried in the place of a word. Each costs a call of the hub's matcher."""


@dataclass(frozen=True, slots=True)
class Snapped:
    """What became of a transcript."""

    text: str
    confidence: float | None
    """That the text is what was meant, 0 to 1; None: nothing is known of it."""
    how: Literal["right", "name", "sentence", "left"]
    """``right``: understood as it is; ``name``: a name was mended; ``sentence``: the nearest; ``left``: left alone."""


class Snapper:
    """Mends transcripts. Not to be used by two threads at once: a call takes some milliseconds, the first one seconds.

    :param snap: what is mended; not ``off``.
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
        """Do beforehand what takes seconds the first time.

        :param names: as for ``snapped``.
        """
        self._home(names).warm_up()

    def snapped(self, text: str, names: Vocabulary | None = None) -> Snapped:
        """:param names: that the home has now, besides the configured ones."""
        if not text.strip() or len(text) > LONGEST:
            return Snapped(text, None, "left")
        return self._home(names).snapped(text)

    def _made(self, names: Vocabulary | None) -> "_Home":
        known = self._vocabulary if names is None else self._vocabulary + names
        return _Home(self._snap, known, self._sentences, self._language)


class _Home:
    """What is known of a home, made for one language."""

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
            known = vocabulary.with_defaults() if self._language == "en" else vocabulary  # as the grammar has them
            written = frozenset(each for name in known.names for each in name.all_written)
            self._grammar = command_grammar(vocabulary, sentences, language)
            self._matcher = Matcher(self._grammar, written, self._means_something, family(language))

    def warm_up(self) -> None:
        """Have what is made when it is first needed, made: the first transcript need not wait for it."""
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
        """With a name in the place of words that are nearly one."""
        nearly = self._names.nearly(text, self._known)
        tried = dict[str, Found]()
        for found in nearly:
            tried.setdefault(found.written, found)
        for found in islice(tried.values(), TRIALS):
            rivals = (other for other in tried.values() if other is not found)
            if any(abs(rival.distance - found.distance) < MARGIN for rival in rivals):
                return None
            mended = replaced(text, self._with_others(text, found))
            if self._names.lead(text[found.start : found.end], found.written) < LEAD:
                return None
            if self._hub.understands(mended):
                return Snapped(mended, confidence(found.distance), "name")
        return None

    def _with_others(self, text: str, found: Found) -> list[Found]:
        """It, and the names beside it that were said as they are."""
        others = [each for each in self._names.exact(text) if each.end <= found.start or found.end <= each.start]
        return sorted([*others, found], key=lambda each: each.start)

    def _same(self, one: str, other: str) -> bool:
        if self._grammar is None or not self._grammar.accepts(other):
            return True
        meaning = self._hub.meaning(one)
        return meaning is not None and meaning == self._hub.meaning(other)

    def _sentence(self, text: str) -> Snapped | None:
        if self._matcher is None:
            return None
        near = self._matcher.nearest(text)
        best = agreed(near, self._means_something, self._matcher.rivals, self._same, self._language)
        return None if best is None else Snapped(best.written, confidence(best.distance), "sentence")


def confidence(distance: float) -> float:
    """How sure it is that a mended text was meant: the less had to be changed, the surer."""
    return max(0.0, 1 - 1.5 * distance)
