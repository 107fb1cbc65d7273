"""NearMisses: finds words that were nearly heard, and gives each once when it has passed. Pure."""

from irene_wyoming.engines.base import Score

QUIET_S = 1.0
"""Seconds of low scores after which a near miss is over."""

AFTER_HIT_S = 2.0
"""Seconds after a hit in which high scores are the rest of the heard word, and no near miss."""


class NearMisses:
    """Follows the scores of one stream."""

    def __init__(self, least: float, rate: int) -> None:
        """:param least: score from which a word without a hit is a near miss.
        :param rate: frames per second of the stream.
        """
        self._least = least
        self._quiet = round(QUIET_S * rate)
        self._after_hit = round(AFTER_HIT_S * rate)
        self._best: dict[str, Score] = {}
        """The highest score of each possible near miss, by word."""
        self._last: dict[str, int] = {}
        """The frame of the last high score of each word."""
        self._heard: dict[str, int] = {}
        """The frame of the last hit of each word."""

    def scored(self, score: Score) -> None:
        """Take the score of one step of a word."""
        if score.score < self._least:
            return
        heard = self._heard.get(score.word)
        if heard is not None and score.frame - heard <= self._after_hit:
            return
        self._last[score.word] = score.frame
        known = self._best.get(score.word)
        if known is None or score.score > known.score:
            self._best[score.word] = score

    def heard(self, word: str, frame: int) -> None:
        """Take note that the word was heard at this frame."""
        self._heard[word] = frame
        self._best.pop(word, None)

    def passed(self, frame: int) -> list[Score]:
        """Give the peaks of near misses that are over, now that the stream is at this frame; each once."""
        if not self._best:
            return []
        over = [word for word in self._best if frame - self._last[word] >= self._quiet]
        return [self._best.pop(word) for word in over]

    def rest(self) -> list[Score]:
        """Give the peaks of the other near misses at the end of the stream; each once."""
        best, self._best = self._best, {}
        return list(best.values())
