"""What an engine promises, wake or ASR, and what it gives back.

An engine is the shared, loaded model; a session is one stream or utterance of one client. Both are synchronous and are
called through a Worker, one call of an engine at a time, so that an engine needs no locks and never meets the event
loop. A session is never reset: close it and open the next one.
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
    """One model as a hub sees it."""

    name: str
    languages: tuple[str, ...]
    """BCP 47 tags, e.g. ``en``."""
    description: str
    author: str
    url: str
    """Where the model comes from."""
    phrase: str | None = None
    """Wake models only: what a person says."""
    version: str | None = None
    installed: bool = True
    threshold: float | None = None
    """Wake models only: the score from which a step counts, as the model's author recommends it."""
    spellings: tuple[str, ...] = ()
    """Wake models only: how a speech recogniser writes the phrase, where not as it is spelled."""
    licence: str | None = None
    """By its SPDX name; None: nothing here says it."""


def unknown_model(name: str, known: Sequence[ModelInfo]) -> UnknownModel:
    """The error for a name that is not among ``known``, which it lists."""
    return UnknownModel(f"model {name!r} is not known here; known are {', '.join(info.name for info in known)}")


@dataclass(frozen=True, slots=True)
class Hit:
    """A wake word was heard."""

    model: str
    score: float
    """0 to 1."""
    frame: int
    """Where the step ended that heard it, in frames from the start of the session."""
    level_dbfs: float | None = None
    """How loud the last second was, dB of full scale; None: the engine does not measure it."""
    snr_db: float | None = None
    """How far that stands out of the noise before it; None: the engine does not measure it."""
    threshold: float | None = field(default=None, compare=False)
    """Score that was reached; None: the engine does not tell."""


class Score(NamedTuple):
    """What one step of an engine made of one word."""

    word: str
    score: float
    """0 to 1."""
    frame: int
    """Where the step ends, in frames from the start of the session."""

    def later(self, frames: int) -> "Score":
        """The same, so many frames later in the stream."""
        return Score(self.word, self.score, self.frame + frames)


class MeasuredScore(Score):
    """A score that is high enough for somebody to want to know more. Equal to the Score without that."""

    level_dbfs: float
    """How loud the last second was, dB of full scale."""
    snr_db: float | None
    """How far that stands out of the noise before it, dB."""
    threshold: float
    """Score from which the step counts."""

    @classmethod
    def of(cls, score: Score, level_dbfs: float, snr_db: float | None, threshold: float) -> Self:
        measured = cls(*score)
        measured.level_dbfs, measured.snr_db, measured.threshold = level_dbfs, snr_db, threshold
        return measured

    def later(self, frames: int) -> "MeasuredScore":
        return self.of(super().later(frames), self.level_dbfs, self.snr_db, self.threshold)


class SecondedScore(MeasuredScore):
    """Of an engine that only proposes words which another one hears: no hit or near miss comes of it."""


OnScore = Callable[[Score], None]
"""Is shown every score, on the thread that the session is called on. Must be quick."""


SCORE = number("a score", 0.001, 1)
"""A threshold of 0 would hear a word in every step."""

STEPS = whole("steps in a row", 1, 50)
"""Up to 1.5 to 4 s of audio. No word lasts longer, so that a higher number would never be reached."""

Verify = Literal["off", "auto", "on"]
"""Whether a speech recogniser looks at a wake word, too: never, at those that it is known to spell, at every one."""


def VERIFY(value: Any) -> Verify:  # noqa: N802  # a Check like the others here
    """YAML takes a bare ``on`` or ``off`` for a boolean."""
    named = {True: "on", False: "off"}[value] if isinstance(value, bool) else value
    verify: Verify = one_of(get_args(Verify))(named)
    return verify


REFRACTORY = number("seconds", 0, 60)


@dataclass(frozen=True, slots=True)
class WakeSettings:
    """When scores of one word become a hit. None: as the engine is configured."""

    threshold: float | None = setting(or_null(SCORE), default=None)
    """Score from which a step counts."""
    trigger_level: int | None = setting(or_null(STEPS), default=None)
    """Steps in a row that must count."""
    refractory_s: float | None = setting(or_null(REFRACTORY), default=None)
    """After a hit, seconds of audio in which the word is not reported again."""
    min_level_dbfs: float | None = setting(or_null(number("dB of full scale", -100, 0)), default=None)
    """Level below which a step does not count, dB of full scale."""
    verify: Verify | None = setting(or_null(VERIFY), default=None)
    """Whether a speech recogniser decides, too."""

    def over(self, other: "WakeSettings") -> "WakeSettings":
        """These, and the other's where nothing is set here."""
        return WakeSettings(
            other.threshold if self.threshold is None else self.threshold,
            other.trigger_level if self.trigger_level is None else self.trigger_level,
            other.refractory_s if self.refractory_s is None else self.refractory_s,
            other.min_level_dbfs if self.min_level_dbfs is None else self.min_level_dbfs,
            other.verify if self.verify is None else self.verify,
        )


NO_SETTINGS: Mapping[str, WakeSettings] = MappingProxyType({})
"""Every word as the engine is configured."""


@dataclass(frozen=True, slots=True)
class Transcription:
    """What was said. Empty text: nothing that the engine is sure of."""

    text: str
    language: str
    provider: str
    confidence: float | None = None
    """0 to 1; None where the engine has no measure of it."""
    kind: Literal["command", "open"] | None = None
    """``command``: a sentence of the engine's grammar. ``open``: whatever was said. None: the engine does not tell."""
    details: Mapping[str, object] = field(default_factory=dict)
    """What else the engine knows, as JSON can hold it: ``level_dbfs`` and ``snr_db`` (float, dB), ``reason`` (why there
    is no text), ``nearest`` and ``nearest_confidence`` (what it would have been), and the like."""


Sensitivity = Literal["default", "relaxed", "aggressive"]
"""How soon a pause is taken for the end of a command: relaxed waits longer."""


@dataclass(frozen=True, slots=True)
class AsrRequest:
    """What a client asked of one transcription. None: the engine's default."""

    model: str | None = None
    language: str | None = None
    names: tuple[str, ...] = ()
    """Names that the speaker is likely to say (rooms, devices, people); an engine that can leans towards them."""
    terms: tuple[str, ...] = ()
    """Other words that are likely to be said, less important than ``names``."""
    context: Mapping[str, Any] | None = None
    """What an earlier Transcript gave the client to send along."""
    vad_sensitivity: Sensitivity = "default"
    """Where the server looks for the end of the command itself."""
    vocabulary: Vocabulary | None = None
    """The names that the home has now. None: no more than those of the configuration."""


class Steady(str):
    """What an engine has understood so far, of which it takes nothing back: its last word may still grow."""

    __slots__ = ()


class WakeSession(Protocol):
    """One stream of one client."""

    @property
    def needs(self) -> int:
        """Frames until a word could be heard at the earliest, at least 1. A caller that waits for them saves calls and
        delays nothing.
        """

    def push(self, pcm: bytes) -> Sequence[Hit]:
        """Take any number of whole frames in the engine's format; return what was heard in them, oldest first.

        :raises EngineFailed: the session is of no use any more.
        """

    def close(self) -> None:
        """Give everything back. May be called more than once."""


class WakeEngine(Protocol):
    """A loaded wake word engine."""

    @property
    def name(self) -> str: ...

    @property
    def format(self) -> AudioFormat:
        """What its sessions must be fed."""

    def models(self) -> Sequence[ModelInfo]: ...

    def session(
        self,
        models: Sequence[str],
        settings: Mapping[str, WakeSettings] = NO_SETTINGS,
        on_score: OnScore | None = None,
    ) -> WakeSession:
        """Listen for these words, at least one, each once.

        :param settings: by word, for those that are to be heard otherwise than the engine is configured.
        :param on_score: is shown every score, heard or not.

        :raises UnknownModel: a name is not among ``models()``.
        """

    def close(self) -> None: ...


class AsrSession(Protocol):
    """One utterance of one client."""

    def push(self, pcm: bytes) -> None:
        """Take any number of whole frames in the engine's format.

        :raises EngineFailed: the session is of no use any more.
        """

    def partial(self) -> str | None:
        """The text so far, which may still change; None: the engine says nothing before the end."""

    def finish(self) -> Transcription:
        """End the utterance and say what was said.

        :raises EngineFailed: the session is of no use any more.
        """

    def close(self) -> None:
        """Give everything back, finished or not. May be called more than once."""


class AsrEngine(Protocol):
    """A loaded speech-to-text engine."""

    @property
    def name(self) -> str: ...

    @property
    def format(self) -> AudioFormat: ...

    def models(self) -> Sequence[ModelInfo]: ...

    def session(self, request: AsrRequest) -> AsrSession:
        """:raises UnknownModel, UnsupportedRequest: the request cannot be met."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of an engine in the configuration."""

    default: Any
    check: Callable[[Any], Any]
    """Takes the user's value, returns the value to use. Raises ValueError saying what is allowed."""
    help: str
    """One line with the unit, for the annotated configuration and error messages."""
    needed: bool = False
    """The engine cannot be used while it is empty."""


Answer = Literal["command", "open", "both"]
"""What may come out: a command only, the open transcript only, or a command where it is one and else what was said."""

ANSWERS: tuple[Answer, ...] = get_args(Answer)


@dataclass(frozen=True, slots=True)
class EngineContext:
    """What an engine may know besides its own options."""

    language: str = "en"
    vocabulary: TypedNames = TypedNames()
    data_dir: Path | None = None
    """Folder for models and caches; None: nothing may be written."""
    answer: Answer = "both"
    """What comes out where a request does not say it: ``command``, ``open`` or ``both``."""
    commercial: bool = False
    """Whether packaged models are left out that may not be used commercially."""


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """What a plug-in registers. Loading the module that holds it imports nothing heavy."""

    name: str
    kind: Literal["wake", "asr"]
    summary: str
    """One sentence for ``check`` and the documentation."""
    url: str
    author: str
    requires: tuple[str, ...]
    """Modules that must be importable; probed without importing them."""
    install: str
    """What to type when one of them is missing."""
    create: Callable[[Mapping[str, Any], EngineContext], Any]
    """(checked options with every default filled in, context) -> WakeEngine or AsrEngine. Slow: loads models.

    :raises EngineUnavailable: with what to do about it.
    :raises ConfigError: an option that ``check`` could not judge is wrong.
    """
    options: Mapping[str, Option] = field(default_factory=dict)
    finds_speech: bool = False
    """ASR: finds speech and pauses itself, and wants the silence around them, too."""
    offers: Callable[[Mapping[str, Any], EngineContext], Sequence[ModelInfo]] | None = None
    """ASR: (as for create) -> what ``models()`` will list, without loading or importing anything heavy; a model whose
    files are not there has ``installed`` false. None: only loading tells."""
