"""How busy this process is, and the adaptive quality level of streams that open."""

import time
from collections.abc import Callable

from irene_wyoming import metrics
from irene_wyoming.audio.adaptive import AdaptivePolicy
from irene_wyoming.audio.format import Quality
from irene_wyoming.config.server import AudioProfile

WINDOW_S = 1.0
"""Seconds over which the load is taken: shorter, and one long utterance would look like an overload."""


class LoadMeter:
    """CPU time of this process as a fraction of the time that has passed: 1 is one core in full use.

    Python runs our own code on one core at a time, so that 1 is the end of it, however many cores there are.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, cpu: Callable[[], float] = time.process_time
    ) -> None:
        """:param clock, cpu: seconds, never going back."""
        self._clock = clock
        self._cpu = cpu
        self._since = clock()
        self._used = cpu()
        self._load = 0.0

    def __call__(self) -> float:
        """The load since the call before, over at least a full window."""
        now = self._clock()
        if now - self._since >= WINDOW_S:
            used = self._cpu()
            self._load = (used - self._used) / (now - self._since)
            self._since, self._used = now, used
        return self._load


def method(server: str, profile: AudioProfile, preferred: Quality) -> str | AdaptivePolicy:
    """How a server converts audio: as configured; adaptive means its preferred level, or a cheaper one under load."""
    if profile.resample_quality != Quality.ADAPTIVE:
        return profile.resample_quality
    return AdaptivePolicy(
        preferred, LoadMeter(), lambda level: metrics.QUALITY_CHANGES.labels(server, level.value).inc()
    )
