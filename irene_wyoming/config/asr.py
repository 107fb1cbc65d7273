"""The section ``asr`` of the configuration."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, replace
from typing import Any, Self, get_args

from irene_wyoming.checks import Wrong, boolean, list_of, number, one_of, or_null, setting, text, whole
from irene_wyoming.config.auto import AUTO
from irene_wyoming.config.checks import language
from irene_wyoming.config.section import of_mapping
from irene_wyoming.config.server import MAX_WAIT_S, ProviderConfig, ServerConfig, fallbacks
from irene_wyoming.engines.base import ANSWERS, Answer, Sensitivity
from irene_wyoming.language.snap import Snap
from irene_wyoming.language.vocabulary import TypedNames
from irene_wyoming.routing.policy import PolicyName


def snap(value: Any) -> Snap:
    """Check ``snap``. ``off`` without quotation marks is false in YAML."""
    chosen: Snap = one_of(Snap)("off" if value is False else value)
    return chosen


@dataclass(frozen=True, slots=True)
class AsrProviderConfig(ProviderConfig):
    """A speech-to-text provider: its engine's settings, and limits that protect other providers."""

    deadline_s: float = setting(number("seconds", 0.1, 600), default=10.0)
    """Seconds from the end of the audio to the transcript; after it the next provider is asked."""
    process: bool = setting(boolean, default=False)
    """True: the engine runs in a process of its own."""
    memory_mb: int | None = setting(or_null(whole("megabytes", 50, 1_000_000)), default=None)
    """Megabytes of memory beyond which that process is killed. None: no limit."""
    snap: Snap = setting(snap, default=Snap.OFF)
    """How far transcripts are matched to the names and sentences of the home."""


@dataclass(frozen=True, slots=True)
class BreakerConfig:
    """Settings of the breaker that leaves a failing provider alone."""

    failures: int = setting(whole("a number of failures", 1, 100))
    """Failures in a row after which a provider is left alone."""
    cool_down_s: float = setting(number("seconds", 0.1, 86_400))
    """Seconds of the first pause; doubled with each failed trial up to cool_down_max_s."""
    cool_down_max_s: float = setting(number("seconds", 0.1, 86_400))

    def settled(self) -> Self:
        """:raises Wrong: the longest time is shorter than the first."""
        if self.cool_down_max_s < self.cool_down_s:
            raise Wrong("expected no less than cool_down_s", ("cool_down_max_s",))
        return self


@dataclass(frozen=True, slots=True)
class AdmissionConfig:
    """How many utterances are decoded and wait at a time."""

    at_once: int = setting(whole("a number of utterances", 1, 1_000))
    waiting: int = setting(whole("a number of utterances", 0, 1_000))
    """Most utterances that wait for their turn; further clients are told to try again."""
    answer_timeout_s: float = setting(number("seconds", 1, MAX_WAIT_S))
    """Seconds from the end of an utterance to its transcript, waiting included."""


@dataclass(frozen=True, slots=True)
class EndpointingConfig:
    """Settings for finding the end of a command."""

    enabled: bool = setting(boolean)
    """Whether the server finds the end. False: clients tell it."""
    silence_s: Mapping[Sensitivity, float] = setting(
        of_mapping({name: (number("seconds", 0.1, 10), MISSING) for name in get_args(Sensitivity)})
    )
    """Seconds of silence that end a command, by the sensitivity that a client asks for."""
    timeout_s: float = setting(number("seconds", 1, MAX_WAIT_S))
    """Seconds after which a command ends in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsrConfig(ServerConfig):
    language: str = setting(language)
    answer: Answer = setting(one_of(ANSWERS))
    """The answer of engines that know commands, where a request does not choose one."""
    max_utterance_s: float = setting(number("seconds", 1, MAX_WAIT_S))
    """Most seconds of audio in one utterance; more is refused."""
    vocabulary: TypedNames
    providers: Mapping[str, AsrProviderConfig]
    default_provider: str = setting(text)
    fallback_providers: tuple[str, ...] = setting(or_null(list_of(text, what="null or a list of providers")))
    """Providers to ask after the default one. Null in the file stands for all others that are enabled."""
    policy: PolicyName = setting(one_of(PolicyName))
    cascade_confidence: float = setting(number("a confidence", 0, 1))
    """Policy ``cascade``: least confidence, 0 to 1, of a first answer that needs no second one."""
    breaker: BreakerConfig
    admission: AdmissionConfig
    trim_silence: bool | None = setting(or_null(boolean))
    """Whether silence around speech is left out. None: only for engines that do not look for speech."""
    endpointing: EndpointingConfig
    prefers_auto_gain_enabled: bool = setting(boolean)
    """Whether hubs are asked to make soft speech louder."""
    prefers_noise_reduction_enabled: bool = setting(boolean)
    """Whether hubs are asked to remove noise."""

    def settled(self) -> Self:
        """Fill in the address and the providers to ask after the default one.

        :raises Wrong: the default provider is off, or a cascade has no second one.
        """
        choices = (AUTO, *self.providers)
        after = fallbacks("asr", self.providers, self.default_provider, self.fallback_providers, choices)
        if self.policy == PolicyName.CASCADE and not after:
            raise Wrong(f"expected another enabled provider besides {self.default_provider}", ("policy",))
        return replace(ServerConfig.settled(self), fallback_providers=after)
