"""The promises of wake and speech-to-text engines, and the types that they give back.

An engine is the shared, loaded model; a session is one stream or utterance of one client. Both are synchronous and are
called through a Worker, one call of an engine at a time, so that an engine needs no locks and never meets the event
loop. A session is never reset: close it and open another.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol, Self, get_args

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.checks import number, one_of, or_null, setting, whole
from irene_wyoming.errors import UnknownModel
from irene_wyoming.language.vocabulary import TypedNames, Vocabulary


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model as hubs see it."""

    name: str
    languages: tuple[str, ...]
    """Languages as BCP 47 tags, e.g. ``en``."""
    description: str
    author: str
    url: str
    """Address of the model's origin."""
    phrase: str | None = None
    """Wake models only: the phrase that a person says."""
    version: str | None = None
    installed: bool = True
    threshold: float | None = None
    """Wake models only: the score from which a step counts, as recommended by the model's author."""
    spellings: tuple[str, ...] = ()
    """Wake models only: a recogniser's spellings of the phrase, where they differ from it."""
    licence: str | None = None
    """SPDX name of the licence; None: unknown."""


def unknown_model(name: str, known: Sequence[ModelInfo]) -> UnknownModel:
    """The error for a name that is not among ``known``, which it lists."""
    return UnknownModel(f"model {name!r} is not known here; known are {', '.join(info.name for info in known)}")


@dataclass(frozen=True, slots=True)
class Hit:
    """A wake word that was heard."""

    model: str
    score: float
    """Score of the hit, 0 to 1."""
    frame: int
    """End of the step that heard it, in frames from the start of the session."""
    level_dbfs: float | None = None
    """Level of the last second, dBFS; None: the engine does not measure it."""
    snr_db: float | None = None
    """Level above the noise before it, dB; None: the engine does not measure it."""
    threshold: float | None = field(default=None, compare=False)
    """The threshold that was reached; None: the engine does not tell."""


class Score(NamedTuple):
    """The score of one word in one step of an engine."""

    word: str
    score: float
    """Score, 0 to 1."""
    frame: int
    """End of the step, in frames from the start of the session."""

    def later(self, frames: int) -> "Score":
        """Give this score moved to ``frames`` later in the stream."""
        return Score(self.word, self.score, self.frame + frames)


class MeasuredScore(Score):
    """A high score with its level. It equals the Score without these."""

    level_dbfs: float
    """Level of the last second, dBFS."""
    snr_db: float | None
    """Level above the noise before it, dB."""
    threshold: float
    """The threshold from which the step counts."""

    @classmethod
    def of(cls, score: Score, level_dbfs: float, snr_db: float | None, threshold: float) -> Self:
        measured = cls(*score)
        measured.level_dbfs, measured.snr_db, measured.threshold = level_dbfs, snr_db, threshold
        return measured

    def later(self, frames: int) -> "MeasuredScore":
        return self.of(super().later(frames), self.level_dbfs, self.snr_db, self.threshold)


class SecondedScore(MeasuredScore):
    """A score of a second engine, which only proposes words: it makes no hit or near miss."""


OnScore = Callable[[Score], None]
"""Gets every score, on the thread that calls the session. Must be quick."""


SCORE = number("a score", 0.001, 1)
"""Check of a threshold; 0 would hear a word in every step."""

STEPS = whole("steps in a row", 1, 50)
"""Check of steps in a row: up to 1.5 to 4 s of audio. More would never be reached, since no word is longer."""

Verify = Literal["off", "auto", "on"]
"""Whether a recogniser also looks at a wake word: never, at words with known spellings, at every word."""


def VERIFY(value: Any) -> Verify:  # noqa: N802  # a Check like the others here
    """Check of ``verify``. YAML reads a bare ``on`` or ``off`` as a boolean."""
    named = {True: "on", False: "off"}[value] if isinstance(value, bool) else value
    verify: Verify = one_of(get_args(Verify))(named)
    return verify


REFRACTORY = number("seconds", 0, 60)


@dataclass(frozen=True, slots=True)
class WakeSettings:
    """When scores of one word become a hit. None: as the engine is configured."""

    threshold: float | None = setting(or_null(SCORE), default=None)
    """Threshold from which a step counts."""
    trigger_level: int | None = setting(or_null(STEPS), default=None)
    """Steps in a row that must count."""
    refractory_s: float | None = setting(or_null(REFRACTORY), default=None)
    """Seconds of audio after a hit in which the word is not reported again."""
    min_level_dbfs: float | None = setting(or_null(number("dB of full scale", -100, 0)), default=None)
    """Level, dBFS, below which a step does not count."""
    verify: Verify | None = setting(or_null(VERIFY), default=None)
    """Whether a speech recogniser decides, too."""

    def over(self, other: "WakeSettings") -> "WakeSettings":
        """These settings, completed by the other's where they are None."""
        return WakeSettings(
            other.threshold if self.threshold is None else self.threshold,
            other.trigger_level if self.trigger_level is None else self.trigger_level,
            other.refractory_s if self.refractory_s is None else self.refractory_s,
            other.min_level_dbfs if self.min_level_dbfs is None else self.min_level_dbfs,
            other.verify if self.verify is None else self.verify,
        )


NO_SETTINGS: Mapping[str, WakeSettings] = MappingProxyType({})
"""No settings: every word as the engine is configured."""


@dataclass(frozen=True, slots=True)
class Transcription:
    """The text that an engine understood. Empty: nothing that it is sure of."""

    text: str
    language: str
    provider: str
    confidence: float | None = None
    """Confidence, 0 to 1; None: the engine has no measure of it."""
    kind: Literal["command", "open"] | None = None
    """``command``: a sentence of the engine's grammar. ``open``: any other speech. None: the engine does not tell."""
    details: Mapping[str, object] = field(default_factory=dict)
    """Other facts as JSON values: ``level_dbfs`` and ``snr_db`` (float, dB), ``reason`` (why there is no text),
    ``nearest`` and ``nearest_confidence`` (the nearest command), and the like.
    """


Sensitivity = Literal["default", "relaxed", "aggressive"]
"""How soon a pause ends a command: relaxed waits longer."""


@dataclass(frozen=True, slots=True)
class AsrRequest:
    """A client's request for one transcription. None: the engine's default."""

    model: str | None = None
    language: str | None = None
    names: tuple[str, ...] = ()
    """Names that the speaker is likely to say (rooms, devices, people), for engines that can lean towards them."""
    terms: tuple[str, ...] = ()
    """Other likely words, less important than ``names``."""
    context: Mapping[str, Any] | None = None
    """The context of an earlier Transcript, which the client sends along."""
    vad_sensitivity: Sensitivity = "default"
    """Used where the server itself finds the end of the command."""
    vocabulary: Vocabulary | None = None
    """The present names of the home. None: only those of the configuration."""


class Steady(str):
    """Partial text of which the engine takes nothing back; its last word may still grow."""

    __slots__ = ()


class WakeSession(Protocol):
    """One stream of one client."""

    @property
    def needs(self) -> int:
        """Frames until a word could be heard at the earliest, at least 1. Waiting for them delays nothing."""

    def push(self, pcm: bytes) -> Sequence[Hit]:
        """Take any number of whole frames in the engine's format; return the hits in them, oldest first.

        :raises EngineFailed: the session cannot be used any more.
        """

    def close(self) -> None:
        """Give all resources back. May be called more than once."""


class WakeEngine(Protocol):
    """A loaded wake word engine."""

    @property
    def name(self) -> str: ...

    @property
    def format(self) -> AudioFormat:
        """The audio format of its sessions."""

    def models(self) -> Sequence[ModelInfo]: ...

    def session(
        self,
        models: Sequence[str],
        settings: Mapping[str, WakeSettings] = NO_SETTINGS,
        on_score: OnScore | None = None,
    ) -> WakeSession:
        """Open a session for these words, at least one, each once.

        :param settings: settings by word, where they differ from the engine's.
        :param on_score: gets every score, heard or not.

        :raises UnknownModel: a name is not among ``models()``.
        """

    def close(self) -> None: ...


class AsrSession(Protocol):
    """One utterance of one client."""

    def push(self, pcm: bytes) -> None:
        """Take any number of whole frames in the engine's format.

        :raises EngineFailed: the session cannot be used any more.
        """

    def partial(self) -> str | None:
        """The partial text, which may still change; None: the engine has none before the end."""

    def finish(self) -> Transcription:
        """End the utterance and return its transcription.

        :raises EngineFailed: the session cannot be used any more.
        """

    def close(self) -> None:
        """Give all resources back, finished or not. May be called more than once."""


class AsrEngine(Protocol):
    """A loaded speech-to-text engine."""

    @property
    def name(self) -> str: ...

    @property
    def format(self) -> AudioFormat: ...

    def models(self) -> Sequence[ModelInfo]: ...

    def session(self, request: AsrRequest) -> AsrSession:
        """Open a session; raises UnknownModel or UnsupportedRequest where the request cannot be met."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Option:
    """A setting of an engine in the configuration."""

    default: Any
    check: Callable[[Any], Any]
    """Takes the user's value and returns the value to use. Raises ValueError saying what is allowed."""
    help: str
    """One line with the unit, for the annotated configuration and error messages."""
    needed: bool = False
    """Whether the engine cannot be used without it."""


Answer = Literal["command", "open", "both"]
"""Kinds of answers: only commands, only open transcripts, or a command if it is one and else the open transcript."""

ANSWERS: tuple[Answer, ...] = get_args(Answer)


@dataclass(frozen=True, slots=True)
class EngineContext:
    """Facts for an engine besides its own options."""

    language: str = "en"
    vocabulary: TypedNames = TypedNames()
    data_dir: Path | None = None
    """Folder for models and caches; None: nothing may be written."""
    answer: Answer = "both"
    """The kind of answer where a request names none."""
    commercial: bool = False
    """Whether packaged models that may not be used commercially are left out."""


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """The registration of a plug-in. Loading its module imports nothing heavy."""

    name: str
    kind: Literal["wake", "asr"]
    summary: str
    """One sentence for ``check`` and the documentation."""
    url: str
    author: str
    requires: tuple[str, ...]
    """Modules that must be importable; they are looked up without importing them."""
    install: str
    """Command that installs missing modules."""
    create: Callable[[Mapping[str, Any], EngineContext], Any]
    """Makes a WakeEngine or AsrEngine from (checked options with all defaults, context). Slow, since it loads models.

    :raises EngineUnavailable: the message says what to do.
    :raises ConfigError: an option that ``check`` could not judge is wrong.
    """
    options: Mapping[str, Option] = field(default_factory=dict)
    finds_speech: bool = False
    """ASR: whether it finds speech and pauses itself, and needs the silence around them."""
    offers: Callable[[Mapping[str, Any], EngineContext], Sequence[ModelInfo]] | None = None
    """ASR: lists the models from the arguments of ``create``, without loading anything heavy. A model without its files
    has ``installed`` false. None: only loading shows them.
    """
