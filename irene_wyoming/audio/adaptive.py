"""The adaptive quality level: which filter to use now, and how to change it in the midst of a stream unheard."""

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.audio import fir
from irene_wyoming.audio.format import Quality
from irene_wyoming.audio.pcm import Floats, Frames

_LOGGER = logging.getLogger(__name__)

STEPS = (Quality.FAST, Quality.MEDIUM, Quality.HIGH)

BUSY = 0.85
"""Load of the process, as a fraction of the time that it may have, from which a cheaper filter is used ..."""

EASY = 0.6
"""... and below which the better one is used again. The gap keeps it from going to and fro."""

CHECK_S = 1.0
"""Audio between two looks at the load, seconds: a level is kept for at least so long."""

FADE_S = 0.01
"""Over so many seconds of output one filter is faded into the other: a step would be heard as a click."""


def no_load() -> float:
    return 0.0


def told_nobody(_: Quality) -> None:
    """Nobody wants to know."""


class AdaptivePolicy:
    """Chooses a level for all streams of one server: its preferred one, a step cheaper while the process is busy.

    Where the audio is brought to a higher rate the level is medium at least: a short filter would leave mirror images
    of speech close above the old band.

    :param preferred: what the server trades for: FAST for delay, HIGH for accuracy.
    :param load: the present load, 0 to 1 and beyond.
    :param told: told of each change, with the level that is used from now on.
    :ivar switches: how often the level has changed.
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
        self.switches = 0

    def level(self, source_rate: int, target_rate: int) -> Quality:
        """The level to use now."""
        load = self._load()
        busy = load >= (EASY if self._busy else BUSY)
        if busy != self._busy:
            self._busy = busy
            self.switches += 1
            _LOGGER.info("adaptive quality: load %.2f, %s filters", load, self._usual)
            self._told(self._usual)
        level = self._usual
        return max(level, Quality.MEDIUM, key=STEPS.index) if target_rate > source_rate else level

    @property
    def _usual(self) -> Quality:
        """The level where no rate asks for another one."""
        step = STEPS.index(self._preferred)
        return STEPS[max(0, step - 1)] if self._busy else STEPS[step]


class AdaptiveResampler:
    """A live stream whose filter follows a policy. The output stays in place: the levels differ in what they hold back,
    not in where a frame ends up, so that a change of level neither clicks nor shifts the audio.

    :param plans: gives the weights of a level for this ratio.
    """

    def __init__(
        self,
        policy: AdaptivePolicy,
        plans: Callable[[int, int, Quality], fir.FirPlan],
        source_rate: int,
        target_rate: int,
        channels: int,
    ) -> None:
        self._policy = policy
        self._plans = plans
        self._rates = (source_rate, target_rate)
        self.level = policy.level(source_rate, target_rate)
        longest = plans(source_rate, target_rate, Quality.HIGH)
        self.delay_s = longest.delay_s
        self._channels = [FadingStream(plans(source_rate, target_rate, self.level), longest) for _ in range(channels)]
        self._until_check = round(CHECK_S * source_rate)

    def push_mono(self, samples: NDArray[Any]) -> fir.Samples:
        """As ``push`` where there is one channel, ``(frames,)`` in and out: 2 us less."""
        self._check(len(samples))
        return self._channels[0].push(samples)

    def push(self, frames: Frames) -> Floats:
        self._check(len(frames))
        return np.stack([channel.push(frames[:, i]) for i, channel in enumerate(self._channels)], axis=1)

    def flush(self) -> Floats:
        return np.stack([channel.flush() for channel in self._channels], axis=1)

    def reset(self) -> None:
        for channel in self._channels:
            channel.reset()

    def _check(self, frames: int) -> None:
        self._until_check -= frames
        if self._until_check <= 0:
            self._until_check = round(CHECK_S * self._rates[0])
            self._choose()

    def _choose(self) -> None:
        level = self._policy.level(*self._rates)
        if level is not self.level:
            self.level = level
            for channel in self._channels:
                channel.change(self._plans(*self._rates, level))


class FadingStream:
    """One channel, with a filter that can be changed between two pushes."""

    def __init__(self, plan: fir.FirPlan, longest: fir.FirPlan) -> None:
        self._plan = plan
        self._keep = 2 * longest.half + longest.unit_in + plan.unit_in
        self._fade = max(1, round(FADE_S * plan.target_rate))
        self.reset()

    def reset(self) -> None:
        """Start a new stream, with the present filter."""
        self._stream = fir.FirStream(self._plan)
        self._old: fir.FirStream | None = None  # the filter that is being faded out
        self._taken = 0  # input frames
        self._given = 0  # outputs
        self._faded = 0  # of them since the fade began
        self._recent: deque[NDArray[Any]] = deque(
            [np.zeros(self._keep)]
        )  # the last input, from which another filter can take over
        self._recent_frames = self._keep
        self._ahead: list[fir.Samples] = [np.empty(0), np.empty(0)]  # outputs of the old and the new, not yet mixed

    def change(self, plan: fir.FirPlan) -> None:
        """Fade over to this filter. While a fade lasts, the next one waits until it has ended."""
        if self._old is not None:
            return
        self._plan = plan
        self._old = self._stream
        self._stream = fir.FirStream(plan)
        self._stream.resume(np.concatenate(self._recent), self._taken, self._given)
        self._faded = 0

    def push(self, samples: NDArray[Any]) -> fir.Samples:
        self._taken += len(samples)
        self._remember(samples)
        out = self._stream.push(samples)
        if self._old is not None:
            out = self._mix(self._old.push(samples), out)
        self._given += len(out)
        return out

    def _remember(self, samples: NDArray[Any]) -> None:
        """Keep the pushed pieces as they are, as many as are needed: joining them is for the rare change."""
        self._recent.append(samples)
        self._recent_frames += len(samples)
        while self._recent_frames - len(self._recent[0]) >= self._keep:
            self._recent_frames -= len(self._recent.popleft())

    def flush(self) -> fir.Samples:
        out = self._stream.flush()
        if self._old is not None:
            out = self._mix(self._old.flush(), out)
        return out

    def _mix(self, old: fir.Samples, new: fir.Samples) -> fir.Samples:
        """What both filters have given by now, faded; the rest of the faster one waits."""
        self._ahead = [np.concatenate(pair) for pair in zip(self._ahead, (old, new), strict=True)]
        ready = min(map(len, self._ahead))
        weight = np.clip((self._faded + np.arange(1, ready + 1)) / self._fade, 0, 1)
        out = self._ahead[0][:ready] * (1 - weight) + self._ahead[1][:ready] * weight
        self._faded += ready
        self._ahead = [waiting[ready:] for waiting in self._ahead]
        if self._faded >= self._fade:
            out = np.concatenate((out, self._ahead[1]))
            self._old, self._ahead = None, [np.empty(0), np.empty(0)]
        return out
