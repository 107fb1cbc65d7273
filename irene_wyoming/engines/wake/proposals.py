"""Proposals: moments at which a wake word may have been said, for a second look to decide. Pure.

A first stage that is set low proposes more words than were said, and misses fewer. A word's score rises for two or
three steps and falls again; the look is worth most when it has passed its peak.
"""

from dataclasses import dataclass, field

from irene_wyoming.engines.base import Hit, Score
from irene_wyoming.engines.wake.spellings import Phrase

LEAST = 0.2
"""Score from which a word is proposed. Ordinary speech scores below 0.05."""

PEAKED_S = 0.16
"""A score that has not risen for so long has peaked: two steps of openWakeWord."""

LATEST_S = 0.32
"""After the first step that was high enough a look is taken in any case."""

OVER_S = 1.0
"""So long after its last high step a word is over, and the next one is another."""

MOST_LOOKS = 4
"""At one word that the first stage alone has not told. Each costs some 50 ms of CPU time."""

RISE = 0.1
"""A score that has risen by so much since the last look is worth another one."""


@dataclass(frozen=True, slots=True)
class Proposed(Hit):
    """A word that may have been said."""

    usual: bool = field(default=False, kw_only=True)
    """The first stage alone would have told it, too."""
    audio: bytes = field(default=b"", kw_only=True, repr=False, compare=False)
    """The last seconds, 16 kHz 16 bit mono."""
    phrases: tuple[tuple[str, Phrase], ...] = field(default=(), kw_only=True, repr=False, compare=False)
    """Words any of which may have been said, and what to look for; empty: ``model``, as its phrase is known."""


@dataclass(slots=True)
class Episode:
    """One word on its way."""

    began: int
    best: Score
    last: int
    """The frame of its last high step."""
    rose: int
    """Where the score was at its highest."""
    looked: float = 0.0
    """The highest score at the last look; 0: there was none."""
    looks: int = 0
    usual: bool = False
    again: bool = False
    """A look has refused it although the first stage alone would have told it: one more is worth its time."""


class Proposals:
    """Follows the scores of one stream. Frames are those of the scores."""

    def __init__(self, rate: int) -> None:
        self._peaked, self._latest, self._over = (round(s * rate) for s in (PEAKED_S, LATEST_S, OVER_S))
        self._episodes: dict[str, Episode] = {}

    def scored(self, score: Score) -> None:
        """One step of a word that is looked at twice."""
        if score.score < LEAST:
            return
        episode = self._episodes.get(score.word)
        if episode is None or score.frame - episode.last > self._over:
            self._episodes[score.word] = Episode(score.frame, score, score.frame, score.frame)
            return
        episode.last = score.frame
        if score.score > episode.best.score:
            episode.best, episode.rose = score, score.frame

    def usual(self, word: str, frame: int, score: float) -> None:
        """The first stage would have told this word. It is looked at whatever came before it: without an answer of its
        own it would be lost where the looks before it were left out.
        """
        self.scored(Score(word, max(score, LEAST), frame))
        episode = self._episodes[word]
        episode.usual = True
        self._take(episode)

    def due(self, frame: int) -> list[tuple[Score, bool]]:
        """Words to look at now that the stream is at this frame: the highest score, and whether it was a usual hit."""
        if not self._episodes:
            return []
        for word in [word for word, episode in self._episodes.items() if frame - episode.last > self._over]:
            del self._episodes[word]
        ready = [episode for episode in self._episodes.values() if self._ready(episode, frame)]
        for episode in ready:
            self._take(episode)
        return [(episode.best, episode.usual) for episode in ready]

    def over(self, word: str) -> None:
        """The word was told: what follows is its end."""
        self._episodes.pop(word, None)

    def refused(self, word: str) -> None:
        """A look has not found the word. What the recogniser makes of a word that it cannot spell varies with where the
        audio begins: of "okay nabu" by a synthesised voice every eighth look refused, and hardly ever two of them.
        """
        episode = self._episodes.get(word)
        if episode is not None:
            episode.again = episode.usual

    def _ready(self, episode: Episode, frame: int) -> bool:
        peaked = frame - episode.rose >= self._peaked
        if not episode.looks:
            return peaked or frame - episode.began >= self._latest
        risen = episode.best.score >= episode.looked + RISE
        return peaked and (risen or episode.again) and episode.looks < MOST_LOOKS

    @staticmethod
    def _take(episode: Episode) -> None:
        episode.looks += 1
        episode.looked = episode.best.score
        episode.again = False
