"""Proposals: moments at which a wake word may have been said, for a second look to decide. Pure.

A first stage with a low threshold proposes more words than were said, and misses fewer. A word's score rises for two or
three steps and falls again. A look is worth most just after the peak.
"""

from dataclasses import dataclass, field

from irene_wyoming.engines.base import Hit, Score
from irene_wyoming.engines.wake.spellings import Phrase

LEAST = 0.2
"""Score from which a word is proposed. Ordinary speech scores below 0.05."""

PEAKED_S = 0.16
"""Seconds without a rise after which a score has peaked: two steps of openWakeWord."""

LATEST_S = 0.32
"""Seconds after the first high step at which a look is taken in any case."""

OVER_S = 1.0
"""Seconds after its last high step at which a word is over; a later one is another."""

MOST_LOOKS = 4
"""Most looks at one word without a hit of the first stage. Each costs some 50 ms of CPU time."""

RISE = 0.1
"""Rise of the score since the last look that is worth another one."""


@dataclass(frozen=True, slots=True)
class Proposed(Hit):
    """A word that may have been said."""

    usual: bool = field(default=False, kw_only=True)
    """Whether the first stage alone would have reported it, too."""
    audio: bytes = field(default=b"", kw_only=True, repr=False, compare=False)
    """The last seconds of audio, 16 kHz 16 bit mono."""
    phrases: tuple[tuple[str, Phrase], ...] = field(default=(), kw_only=True, repr=False, compare=False)
    """Words that may have been said, each with the phrase to look for; empty: only ``model``."""


@dataclass(slots=True)
class Episode:
    """One word while it is spoken."""

    began: int
    best: Score
    last: int
    """Frame of its last high step."""
    rose: int
    """Frame of its highest score."""
    looked: float = 0.0
    """Highest score at the last look; 0: there was none."""
    looks: int = 0
    usual: bool = False
    again: bool = False
    """A look has refused it although the first stage would have reported it: one more look is worthwhile."""


class Proposals:
    """Follows the scores of one stream. Frames are those of the scores."""

    def __init__(self, rate: int) -> None:
        self._peaked, self._latest, self._over = (round(s * rate) for s in (PEAKED_S, LATEST_S, OVER_S))
        self._episodes: dict[str, Episode] = {}

    def scored(self, score: Score) -> None:
        """Take the score of one step of a word with a second look."""
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
        """Take a hit of the first stage. It gets a look whatever came before, or it would be lost where earlier looks
        were left out.
        """
        self.scored(Score(word, max(score, LEAST), frame))
        episode = self._episodes[word]
        episode.usual = True
        self._take(episode)

    def due(self, frame: int) -> list[tuple[Score, bool]]:
        """Give the words to look at now: the highest score of each, and whether it was a hit of the first stage."""
        if not self._episodes:
            return []
        for word in [word for word, episode in self._episodes.items() if frame - episode.last > self._over]:
            del self._episodes[word]
        ready = [episode for episode in self._episodes.values() if self._ready(episode, frame)]
        for episode in ready:
            self._take(episode)
        return [(episode.best, episode.usual) for episode in ready]

    def over(self, word: str) -> None:
        """Take note that the word was reported: what follows is its end."""
        self._episodes.pop(word, None)

    def refused(self, word: str) -> None:
        """Take note that a look has not found the word. Spellings of unknown words vary with the start of the audio: of
        a synthesised "okay nabu" every eighth look refused, and hardly ever two of them.
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
