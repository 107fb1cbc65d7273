"""Trigger: decides from the scores of one word when it was heard. Shared by the engines; pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.checks import or_null
from irene_wyoming.engines.base import REFRACTORY, SCORE, STEPS, Option, WakeSettings


@dataclass(frozen=True, slots=True)
class TriggerSettings:
    """When scores become a hit."""

    threshold: float | None
    """Threshold from which a step counts, 0 < threshold <= 1; None: the recommended one of the engine or model."""
    level: int
    """Steps in a row that must count."""
    refractory_frames: int
    """Frames of audio after a hit in which the same word is not reported again."""
    min_level_dbfs: float | None = None
    """Level, dBFS, below which a step does not count; None: every step may."""

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """Make settings from the checked values of ``options``."""
        return cls(options["threshold"], options["trigger_level"], round(options["refractory_s"] * SPEECH.rate))

    def trigger(self, recommended: float, own: WakeSettings | None = None) -> "Trigger":
        """Make a trigger for one word in one session.

        :param recommended: the threshold where none is set.
        :param own: the settings of this word in this session.
        """
        settings = self if own is None else self._with(own)
        threshold = recommended if settings.threshold is None else settings.threshold
        return Trigger(threshold, settings.level, settings.refractory_frames, settings.min_level_dbfs)

    def _with(self, own: WakeSettings) -> "TriggerSettings":
        return TriggerSettings(
            self.threshold if own.threshold is None else own.threshold,
            self.level if own.trigger_level is None else own.trigger_level,
            self.refractory_frames if own.refractory_s is None else round(own.refractory_s * SPEECH.rate),
            self.min_level_dbfs if own.min_level_dbfs is None else own.min_level_dbfs,
        )


def full_scale() -> float:
    """The level of audio that nobody has measured, dBFS."""
    return 0.0


class Trigger:
    """Follows the scores of one word, step by step."""

    def __init__(
        self, threshold: float, level: int, refractory_frames: int, min_level_dbfs: float | None = None
    ) -> None:
        self.threshold = threshold
        """Score from which a step counts."""
        self._min_level_dbfs = min_level_dbfs
        self._level = level
        self._refractory_frames = refractory_frames
        self._count = 0
        self._deaf_until = 0

    def steps_to_hit(self, high: int) -> int:
        """Least steps until the word can be heard, including the coming one.

        :param high: least steps until its score can reach the threshold, at least 1.
        """
        counted = self._count if high == 1 else 0  # a step that does not count ends the row
        return high - 1 + self._level - counted

    def update(self, score: float, frame: int, level_dbfs: Callable[[], float] = full_scale) -> bool:
        """Whether the word is heard with this step. Scores in the refractory time do not count for the next hit,
        either.

        :param frame: end of the step, counted from the session's start.
        :param level_dbfs: gives the level of the audio, called only if needed.
        """
        heard = frame >= self._deaf_until and score >= self.threshold  # in this form NaN never counts
        if not heard or (self._min_level_dbfs is not None and level_dbfs() < self._min_level_dbfs):
            self._count = 0
            return False
        self._count += 1
        if self._count < self._level:
            return False
        self._count = 0
        self._deaf_until = frame + self._refractory_frames
        return True


def options(threshold_help: str) -> dict[str, Option]:
    """The options of every embedded wake word engine."""
    return {
        "threshold": Option(None, or_null(SCORE), threshold_help),
        "trigger_level": Option(1, STEPS, "inference steps in a row that must reach the threshold"),
        "refractory_s": Option(
            2.0, REFRACTORY, "after a hit, seconds of audio in which the word is not reported again"
        ),
    }
