"""Guided: an AsrEngine that transcribes speech and knows the commands of the home.

An utterance is decoded whole when the speaker pauses. Unless they go on, the transcript is there before the audio ends.
One model serves all utterances and keeps no state between them.
"""

import logging
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.asr.guided.decision import AGREED, DISAGREED, confidence, measures
from irene_wyoming.engines.asr.guided.decode import Hearing, agreed, decoded, together
from irene_wyoming.engines.asr.guided.denoise import denoised
from irene_wyoming.engines.asr.guided.home import Graphs, Home
from irene_wyoming.engines.asr.guided.model import Moonshine
from irene_wyoming.engines.asr.guided.search import CLEAR, QUICK, WIDE, Effort, Result
from irene_wyoming.engines.asr.guided.sound import Level, measured
from irene_wyoming.engines.asr.pauses import FRAME, Pauses, Speech
from irene_wyoming.engines.base import ANSWERS, Answer, AsrRequest, ModelInfo, Transcription, unknown_model
from irene_wyoming.errors import EngineFailed, UnsupportedRequest
from irene_wyoming.heap import give_back_memory
from irene_wyoming.language.grammar import plain
from irene_wyoming.tags import primary

log = logging.getLogger(__name__)

LONGEST_S = 15
"""Most seconds that are decoded. No command is half as long, and the work grows with the square of the length."""

LEAD, TAIL = 100, 25
"""Frames of 10 ms kept before and behind the speech, for soft sounds. A pause is as long as TAIL, so that the audio
does not depend on when it is decoded.
"""

WAITS = (25, 50, 60)
"""Frames of a pause before the first, second, and later decodings. A person who has paused within a sentence does so
again, and hubs wait for 70 frames or more.
"""

CLATTER = 8
"""Most loud frames behind a command's pause that are no word. Five of them are the averaging of levels."""

SOFTER_DB = 10
"""Decibels by which sound after a pause is softer than speech and counts as clatter: a speaker stays as loud. Beside a
kitchen 20 dB below, orders are then decoded 1.9 times instead of 2.9.
"""

OUTSTANDING = 0.8
"""Share of the speech's frames that are softer than the level taken for its loudness."""

SILENCE = 4_800
"""Samples of silence appended to the audio, 0.3 s: the model is surer of the last word."""

TOO_SOFT_DBFS = -57.0
"""Level of speech, dBFS, below which it has too few bits to be trusted."""

SILENT_DBFS = -75.0
"""Level, dBFS, up to which the loudest parts of a recording are no speech."""

CLEAN_DB = 25.0
"""SNR, dB, from which speech is not denoised."""

CLIPPED = 0.1
"""Share of clipped samples from which clipping may be why nothing was understood."""

SLOWED_HZ = 2_800.0
"""Highest frequency, Hz, of speech whose true rate was 44.1 or 48 kHz, whatever its client says."""

SURE = 0.75
"""Confidence from which a command is given out."""

SURE_AT_ONCE = 0.93
"""Confidence from which, in noise, a command is given out without a second hearing."""

HOPELESS = -15.0
"""Ratio (natural logarithm) below which nothing is heard again. Commands found by a second hearing were all above -12.
"""

LIKELY = 0.55
"""Geometric mean probability of a token below which an open transcript is no speech. Twelve pieces of a kitchen's noise
had 0.52 at most.
"""

IDLE = frozenset(["you", "thank you", "thank you for watching", "please"])
"""Texts that the model writes for clatter, and politeness. Behind a command they change nothing."""

STEADY_DB = 3.0
"""Decibels above its own quietest parts up to which a sound is a fan, a hum or a tone."""

Samples = NDArray[np.float32]


class Guided:
    """An engine for commands of the home and any other English speech.

    :param model: the model, shared by all utterances and other users.
    :param graphs: graphs of the home's commands.
    :param answer: the kind of answer where a request names none.
    """

    name = "guided"
    format = SPEECH

    def __init__(self, model: Moonshine, info: ModelInfo, graphs: Graphs, answer: Answer = "both") -> None:
        self.model = model
        self._info = info
        self._graphs = graphs
        self._answer = answer

    def models(self) -> Sequence[ModelInfo]:
        return [self._info]

    def session(self, request: AsrRequest) -> "GuidedSession":
        """Open a session; raises UnknownModel or UnsupportedRequest for another model, language or answer."""
        if request.model not in (None, self._info.name):
            raise unknown_model(str(request.model), [self._info])
        language = request.language or "en"
        if primary(language) not in self._info.languages:
            known = ", ".join(self._info.languages)
            raise UnsupportedRequest(f"language {language!r}: the model {self._info.name} knows {known} only")
        return GuidedSession(self, self._graphs.of(request.vocabulary), language, self._asked(request))

    def close(self) -> None:
        """Do nothing: the model is freed with the engine."""

    def _asked(self, request: AsrRequest) -> Answer:
        """The wanted kind of answer; raises UnsupportedRequest where the context names an unknown one."""
        asked = (request.context or {}).get("answer")
        if asked is None:
            return self._answer
        for known in ANSWERS:
            if asked == known:
                return known
        raise UnsupportedRequest(f"context: answer: {asked!r}: expected one of {', '.join(ANSWERS)}")

    def transcribe(self, samples: Samples, home: Home, language: str, answer: Answer) -> Transcription:
        """Transcribe audio.

        :param samples: 16 kHz, mono, full scale 1.
        :param home: the home whose commands are meant.
        :raises EngineFailed: the model breaks.
        """
        level = measured(samples)
        about: dict[str, object] = {"level_dbfs": round(level.speech_dbfs, 1), "snr_db": round(level.snr_db, 1)}
        reason = unheard(level)
        if reason is not None:
            return Transcription("", language, self.name, 0.0, None, {**about, "reason": reason})
        wanted = None if answer == "open" else home
        found, sure = self._search(samples, wanted, level)
        if found.nearest and wanted is not None and wanted.means(found.nearest[0].said):
            about |= {"nearest": found.nearest[0].written, "nearest_confidence": round(sure, 2)}
        if sure >= SURE:
            return Transcription(found.nearest[0].written, language, self.name, sure, "command", about)
        if answer == "command":
            about["reason"] = why_nothing(level, "no command")
            return Transcription("", language, self.name, sure, None, about)
        return self._opened(found, level, language, about)

    def _search(self, samples: Samples, home: Home | None, level: Level) -> tuple[Result, float]:
        """Search, and give the nearest command's confidence. What noise makes unsure is searched again without it."""
        clean = level.snr_db >= CLEAN_DB
        first = self._hearing(samples, home, CLEAR if clean else WIDE)
        sure = certainty(first.found, home, level)
        if clean or sure >= SURE_AT_ONCE or not near(first.found):
            return first.found, sure
        second = self._hearing(denoised(samples), home, WIDE)
        both = together(self.model, first, second)
        how = AGREED if agreed(first.found, second.found, both) else DISAGREED
        return both, certainty(both, home, level, how)

    def _hearing(self, samples: Samples, home: Home | None, effort: Effort) -> Hearing:
        sound = self.model.listen(np.pad(samples, (0, SILENCE)))
        return Hearing(sound, decoded(self.model, None if home is None else home.graph, sound, effort))

    def speech(self, samples: Samples) -> bool:
        """Whether audio has words that matter behind a command. It takes a quarter of the work of ``transcribe``.

        :param samples: 16 kHz, mono, full scale 1.
        :raises EngineFailed: the model breaks.
        """
        level = measured(samples)
        if unheard(level) is not None:
            return False
        found = self._hearing(samples, None, QUICK).found
        return worded(found, level) and plain(found.open_text) not in IDLE

    def _opened(self, found: Result, level: Level, language: str, about: Mapping[str, object]) -> Transcription:
        """The open transcript, unless it is no speech."""
        if not worded(found, level):
            return Transcription(
                "", language, self.name, 0.0, None, {**about, "reason": why_nothing(level, "no speech")}
            )
        return Transcription(found.open_text, language, self.name, likelihood(found), "open", about)


class GuidedSession:
    """One utterance, decoded when the speaker pauses, or else at its end."""

    def __init__(self, engine: Guided, home: Home, language: str, answer: Answer) -> None:
        self._engine = engine
        self._home = home
        self._language = language
        self._answer = answer
        self._pauses = Pauses()
        self._pcm = bytearray()
        self._first = 0  # the frame with which _pcm begins
        self._early: tuple[int, Transcription] | None = None  # (last loud frame, transcription up to it)
        self._decoded = 0  # number of decodings
        self._closed = False

    def push(self, pcm: bytes) -> None:
        """Add audio; raises EngineFailed where the session is closed, or the model breaks."""
        self._check()
        self._pauses.push(np.frombuffer(pcm, "<i2"))  # raises ValueError for half a frame
        self._pcm += pcm
        self._forget()
        if self._pauses.paused and self._quiet >= WAITS[min(self._decoded, len(WAITS) - 1)]:
            self._decode()

    def partial(self) -> None:
        """Nothing: the words so far may still become another command."""

    def finish(self) -> Transcription:
        """End the utterance; raises EngineFailed where the session is closed, or the model breaks."""
        self._check()
        result = self._decode()
        self._closed = True
        tell(result)
        return result

    def close(self) -> None:
        self._closed = True
        self._pcm.clear()

    @property
    def _quiet(self) -> int:
        """Frames since the last speech."""
        speech = self._pauses.speech
        return 0 if speech is None else self._pauses.frames - speech.end

    def _check(self) -> None:
        if self._closed:
            raise EngineFailed("guided: the session is closed")

    def _decode(self) -> Transcription:
        """Transcribe the audio so far; it is decoded again only after more speech."""
        speech = self._pauses.speech
        end = self._pauses.frames if speech is None else speech.end
        if self._early is None or self._more(*self._early, end):
            self._early = end, self._understood(end)
            self._decoded += 1
            give_back_memory()  # a search takes 25 MB and more
        return self._early[1]

    def _understood(self, end: int) -> Transcription:
        """Transcribe the audio up to a frame. A command stays as understood when only noise follows."""
        if self._early is not None and self._early[1].kind == "command":
            before, said = self._early
            if not self._engine.speech(self._samples(before, end + TAIL)):
                return said
        return self._engine.transcribe(self._heard(), self._home, self._language, self._answer)

    def _more(self, before: int, said: Transcription, end: int) -> bool:
        """Whether speech between two frames may change the result so far."""
        if end == before:
            return False
        few = CLATTER if said.kind == "command" else 0
        earlier, later = self._pauses.loud(0, before), self._pauses.loud(before, end)
        spoken = earlier[earlier > 0]
        least = float(np.quantile(spoken, OUTSTANDING)) - SOFTER_DB if len(spoken) else 0.0
        return int(np.count_nonzero(later > max(0.0, least))) > few

    def _heard(self) -> Samples:
        """The speech with a little audio around it; all audio where no speech stands out."""
        speech = self._pauses.speech or Speech(self._first, self._pauses.frames)
        return self._samples(speech.start - LEAD, speech.end + TAIL)

    def _samples(self, start: int, end: int) -> Samples:
        """The audio between two frames, as far as it is kept."""
        first, last = (2 * FRAME * max(0, frame - self._first) for frame in (start, end))
        samples = np.frombuffer(bytes(self._pcm[first:last]), "<i2").astype(np.float32) / np.float32(32768)
        return samples[: LONGEST_S * SPEECH.rate]

    def _forget(self) -> None:
        """Drop audio that no decoding will need: an open microphone may send silence for an hour."""
        speech = self._pauses.speech
        if speech is None:
            spare = self._pauses.frames - 100 * LONGEST_S - self._first
        else:
            spare = speech.start - LEAD - self._first
        if spare > 0:
            del self._pcm[: spare * FRAME * SPEECH.frame_bytes]
            self._first += spare


def near(found: Result) -> bool:
    """Whether the nearest sentence may have been said after all."""
    return bool(found.nearest) and found.nearest[0].score - found.open_score > HOPELESS


def certainty(found: Result, home: Home | None, level: Level, heard_again: float = 0.0) -> float:
    """Confidence of the nearest command; 0: it is a decoy, or nothing is near.

    :param heard_again: the evidence of a second hearing.
    """
    how = measures(found, level, heard_again)
    if how is None or home is None or not home.means(found.nearest[0].said):
        return 0.0
    return confidence(how)


def likelihood(found: Result) -> float:
    """The geometric mean probability of a token of the open transcript."""
    return math.exp(found.open_score / max(1, len(found.open_ids)))


def worded(found: Result, level: Level) -> bool:
    """Whether an open transcript has words, and is not the model's text for noise."""
    letters = any(letter.isalnum() for letter in found.open_text)
    return letters and likelihood(found) >= LIKELY and level.snr_db >= STEADY_DB


def why_nothing(level: Level, otherwise: str) -> str:
    """The reason why a decoded recording gave no text."""
    if level.highest_hz < SLOWED_HZ:
        return "looks like the wrong rate"
    return "clipped" if level.clipped > CLIPPED else otherwise


def unheard(level: Level) -> str | None:
    """The reason why a recording has nothing to understand; None: it may have."""
    if level.speech_dbfs < SILENT_DBFS:
        return "silence"
    if level.speech_dbfs < TOO_SOFT_DBFS:
        return "too soft"
    return None


def tell(heard: Transcription) -> None:
    """Log the transcript, its level and clarity, and the nearest command."""
    facts = ", ".join(f"{key} {value}" for key, value in heard.details.items())
    log.debug("guided: %s %r (%s)", heard.kind or "nothing", heard.text, facts)
