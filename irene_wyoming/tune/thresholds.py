"""Finds the threshold and trigger level for a household by recall and false accepts in labelled recordings.

Each recording runs once through the engine; then the server's own Trigger judges its scores for every threshold and
level.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass

from irene_wyoming.audio.convert import converted
from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.engines.base import Score, WakeEngine
from irene_wyoming.engines.wake.trigger import Trigger

THRESHOLDS = (*(n / 20 for n in range(1, 20)), 0.97, 0.98, 0.99)
LEVELS = (1, 2, 3, 4, 5)
FEWEST = 2
"""Fewest recordings of a word for a recommendation: one tells nothing about the next."""

FEW = 10
"""Recordings of a word below which the report calls them few."""

SHORTEST_S = 10.0
"""Least seconds of other sounds. In shorter recordings every threshold seems to have no false accepts."""

QUIET_S = 0.5
"""Seconds of quiet around each recording: engines look back, and a word may end where its recording does."""

CHUNK_BYTES = 2560


@dataclass(frozen=True, slots=True)
class Heard:
    """The scores that an engine gave one recording."""

    name: str
    seconds: float
    scores: tuple[Score, ...]

    @property
    def peak(self) -> float:
        return max((score.score for score in self.scores), default=0.0)

    def hits(self, threshold: float, level: int, refractory_s: float) -> int:
        trigger = Trigger(threshold, level, round(refractory_s * SPEECH.rate))
        return sum(trigger.update(score.score, score.frame) for score in self.scores)


@dataclass(frozen=True, slots=True)
class TunePoint:
    """The results of one setting on the recordings."""

    threshold: float
    trigger_level: int
    recall: float
    """Share of the words that are heard, 0 to 1."""
    false_accepts: int
    false_per_hour: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """The results of all settings for one word."""

    word: str
    engine: str
    positives: int
    negative_hours: float
    points: tuple[TunePoint, ...]
    best: TunePoint | None
    """The best setting; None: none keeps to the allowed false accepts."""
    missed: tuple[str, ...]
    """Recordings of the word that the best setting misses."""

    @property
    def enough(self) -> bool:
        """Whether there are enough recordings for any recommendation."""
        return self.positives >= FEWEST and self.negative_hours * 3600 >= SHORTEST_S


def listen(engine: WakeEngine, word: str, name: str, form: AudioFormat, pcm: bytes) -> Heard:
    """Compute every score of one recording, at the best resampling quality."""
    quiet = bytes(round(QUIET_S * SPEECH.rate) * SPEECH.frame_bytes)
    speech = quiet + converted(pcm, form, SPEECH, live=True) + quiet
    scores: list[Score] = []
    with closing(engine.session([word], on_score=scores.append)) as session:
        for start in range(0, len(speech), CHUNK_BYTES):
            session.push(speech[start : start + CHUNK_BYTES])
    return Heard(name, form.seconds(len(pcm)), tuple(scores))


def tune(
    word: str,
    engine: str,
    positives: Sequence[Heard],
    negatives: Sequence[Heard],
    *,
    allowed_per_hour: float,
    refractory_s: float = 2.0,
) -> Tuned:
    """Compare all settings and choose the best one for a word.

    It hears as many words as possible within the allowed false accepts. Among equals it has the lowest trigger level,
    since each level delays, and a threshold far from both sides.
    """
    hours = sum(heard.seconds for heard in negatives) / 3600
    points = []
    for level in LEVELS:
        for threshold in THRESHOLDS:
            found = sum(heard.hits(threshold, level, refractory_s) > 0 for heard in positives)
            false = sum(heard.hits(threshold, level, refractory_s) for heard in negatives)
            points.append(TunePoint(threshold, level, found / len(positives), false, false / hours))
    best = recommended(points, allowed_per_hour)
    missed = [h.name for h in positives if best and not h.hits(best.threshold, best.trigger_level, refractory_s)]
    return Tuned(word, engine, len(positives), hours, tuple(points), best, tuple(missed))


def recommended(points: Iterable[TunePoint], allowed_per_hour: float) -> TunePoint | None:
    """Choose the middle of the best thresholds, since a household is not its recordings. Where even the lowest has no
    false accepts, it is the upper quarter: the recordings do not tell where they begin.
    """
    kept = [point for point in points if point.false_per_hour <= allowed_per_hour and point.recall > 0]
    if not kept:
        return None
    recall = max(point.recall for point in kept)
    level = min(point.trigger_level for point in kept if point.recall == recall)
    plateau = [point for point in kept if (point.recall, point.trigger_level) == (recall, level)]
    return plateau[len(plateau) * 3 // 4 if plateau[0].threshold == THRESHOLDS[0] else len(plateau) // 2]


def bound_per_hour(false_accepts: int, hours: float) -> float:
    """An upper bound of the true rate per hour with 95 % confidence (Poisson), as the rule of three for none."""
    upper = (3.0, 4.74, 6.30, 7.75, 9.15, 10.51)
    count = upper[false_accepts] if false_accepts < len(upper) else false_accepts + 1.96 * false_accepts**0.5 + 2
    return count / hours
