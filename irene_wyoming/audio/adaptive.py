"""The adaptive quality level: which filter a stream takes when it opens."""

import logging
from collections.abc import Callable

from irene_wyoming.audio.format import Quality

log = logging.getLogger(__name__)

STEPS = (Quality.FAST, Quality.MEDIUM, Quality.HIGH)

BUSY = 0.85
"""Load of the process, as a fraction of the time that it may have, from which a new stream gets a cheaper filter."""

EASY = 0.6
"""Load below which a new stream gets the better filter again. The gap keeps the choice from going to and fro."""


def no_load() -> float:
    return 0.0


def told_nobody(_: Quality) -> None:
    """Ignore a change of the quality level: the default listener."""


class AdaptivePolicy:
    """Chooses the level of each stream of one server when it opens: the preferred one, a step cheaper while the process
    is busy. The stream keeps that level: a better one costs only 10 to 20 % of a conversion more.

    Toward a higher rate the level is at least medium: a short filter would leave mirror images of speech above the old
    band.

    :param preferred: what the server trades for: FAST for delay, HIGH for accuracy.
    :param load: the present load, 0 to 1 and beyond.
    :param told: called at each change with the level for new streams.
    """

    def __init__(
        self,
        preferred: Quality = Quality.MEDIUM,
        load: Callable[[], float] = no_load,
        told: Callable[[Quality], None] = told_nobody,
    ) -> None:
        self._preferred = preferred
        self._load = load
        self._told = told
        self._busy = False

    def level(self, source_rate: int, target_rate: int) -> Quality:
        """The quality level for a stream that opens now, from one sample rate (Hz) to another."""
        load = self._load()
        busy = load >= (EASY if self._busy else BUSY)
        if busy != self._busy:
            self._busy = busy
            log.info("adaptive quality: load %.2f, %s filters", load, self._usual)
            self._told(self._usual)
        level = self._usual
        return max(level, Quality.MEDIUM, key=STEPS.index) if target_rate > source_rate else level

    @property
    def _usual(self) -> Quality:
        """The level for streams whose rates ask for no particular one."""
        step = STEPS.index(self._preferred)
        return STEPS[max(0, step - 1)] if self._busy else STEPS[step]
