"""Measures the load of this process, and chooses the adaptive quality level of new streams."""

import time
from collections.abc import Callable

from irene_wyoming import metrics
from irene_wyoming.audio.adaptive import AdaptivePolicy
from irene_wyoming.audio.format import Quality
from irene_wyoming.config.server import AudioProfile

WINDOW_S = 1.0
"""Seconds over which the load is measured. In less, one long utterance would look like an overload."""


class LoadMeter:
    """Measures CPU time of this process per elapsed time: 1 is one core in full use.

    Python runs our own code on one core at a time, so 1 is the limit on any number of cores.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, cpu: Callable[[], float] = time.process_time
    ) -> None:
        """:param clock, cpu: monotonic seconds."""
        self._clock = clock
        self._cpu = cpu
        self._since = clock()
        self._used = cpu()
        self._load = 0.0

    def __call__(self) -> float:
        """The load since an earlier call, over at least a full window."""
        now = self._clock()
        if now - self._since >= WINDOW_S:
            used = self._cpu()
            self._load = (used - self._used) / (now - self._since)
            self._since, self._used = now, used
        return self._load


def method(server: str, profile: AudioProfile, preferred: Quality) -> str | AdaptivePolicy:
    """The server's conversion method. Adaptive means its preferred level, or a cheaper one under load."""
    if profile.resample_quality != Quality.ADAPTIVE:
        return profile.resample_quality
    return AdaptivePolicy(
        preferred, LoadMeter(), lambda level: metrics.QUALITY_CHANGES.labels(server, level.value).inc()
    )
