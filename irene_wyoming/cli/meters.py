"""Formats scores: a meter per word for a terminal, a line per second otherwise. Prints nothing itself."""

from collections.abc import Mapping

from irene_wyoming.app.scores import Moment

HOLD_S = 1.5
"""Seconds that a meter shows its peak: a word is over before one has read its score."""

HEARD_S = 3.0
"""Seconds that a meter shows that the word was heard."""

QUIETEST_DBFS = -70.0
"""The lowest level of the meter, dBFS: a very quiet room."""

LINE_EVERY_S = 1.0


class Meters:
    """The meters of a terminal."""

    def __init__(self, thresholds: Mapping[str, float], width: int = 40) -> None:
        """:param width: characters of a bar, at least 10."""
        self._thresholds = thresholds
        self._width = max(10, width)
        self._names = max((len(word) for word in thresholds), default=5)
        self._now = 0.0
        self._level = QUIETEST_DBFS
        self._scores = dict.fromkeys(thresholds, 0.0)
        self._peaks = dict.fromkeys(thresholds, (0.0, 0.0))
        """The peak score of each word, and its time, s."""
        self._heard: dict[str, float] = {}

    def update(self, moment: Moment) -> None:
        self._now, self._level = moment.at_s, moment.level_dbfs
        for word, score in moment.scores.items():
            self._scores[word] = score
            peak, at_s = self._peaks[word]
            if score >= peak or self._now - at_s > HOLD_S:
                self._peaks[word] = (score, self._now)
        self._heard |= dict.fromkeys(moment.heard, self._now)

    def lines(self) -> list[str]:
        """The lines to draw: the level first, then one per word."""
        loud = (self._level - QUIETEST_DBFS) / -QUIETEST_DBFS
        out = [f"{'level':{self._names}} [{self._bar(loud)}] {self._level:5.0f} dBFS"]
        for word, threshold in self._thresholds.items():
            peak = self._peaks[word][0]
            heard = "  heard" if self._now - self._heard.get(word, -HEARD_S) < HEARD_S else ""
            bar = self._bar(self._scores[word], peak, threshold)
            out.append(f"{word:{self._names}} [{bar}] {self._scores[word]:.2f} peak {peak:.2f}{heard}")
        return out

    def _bar(self, value: float, peak: float | None = None, threshold: float | None = None) -> str:
        """A bar such as ``####  .   |  ``: the value, its peak, the threshold; each 0 to 1."""
        cells = ["#" if (n + 0.5) / self._width <= value else " " for n in range(self._width)]
        for mark, at in ((".", peak), ("|", threshold)):
            if at:
                cells[min(self._width - 1, int(at * self._width))] = mark
        return "".join(cells)


class Lines:
    """Gives a line per second, and one for each word that was heard."""

    def __init__(self) -> None:
        self._peaks: dict[str, float] = {}
        self._next = LINE_EVERY_S

    def update(self, moment: Moment) -> list[str]:
        """The lines to print now."""
        for word, score in moment.scores.items():
            self._peaks[word] = max(score, self._peaks.get(word, 0.0))
        out = [
            f"{moment.at_s:8.2f} s  heard {word}, score {moment.scores.get(word, 0):.2f}, {moment.level_dbfs:.0f} dBFS"
            for word in moment.heard
        ]
        if moment.at_s >= self._next:
            self._next = moment.at_s + LINE_EVERY_S
            peaks = "  ".join(f"{word} {score:.2f}" for word, score in self._peaks.items())
            out.append(f"{moment.at_s:8.2f} s  {moment.level_dbfs:4.0f} dBFS  {peaks}")
            self._peaks.clear()
        return out
