"""The section ``asr``."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, replace
from typing import Any, Self, get_args

from irene_wyoming.checks import Wrong, boolean, list_of, number, one_of, or_null, setting, text, whole
from irene_wyoming.config.checks import language
from irene_wyoming.config.section import of_mapping
from irene_wyoming.config.server import MAX_WAIT_S, ProviderConfig, ServerConfig, fallbacks
from irene_wyoming.engines.base import ANSWERS, Answer, Sensitivity
from irene_wyoming.language.snap import Snap
from irene_wyoming.language.vocabulary import TypedNames
from irene_wyoming.routing.policy import PolicyName


def snap(value: Any) -> Snap:
    """``off`` without quotation marks is false to YAML."""
    chosen: Snap = one_of(Snap)("off" if value is False else value)
    return chosen


@dataclass(frozen=True, slots=True)
class AsrProviderConfig(ProviderConfig):
    """Besides: how it is kept from harming the others."""

    deadline_s: float = setting(number("seconds", 0.1, 600), default=10.0)
    """Time from the end of the audio to its transcript, seconds; after it the next provider is asked."""
    process: bool = setting(boolean, default=False)
    """True: it runs in a process of its own."""
    memory_mb: int | None = setting(or_null(whole("megabytes", 50, 1_000_000)), default=None)
    """Memory of that process in megabytes, beyond which it is ended. None: there is no limit."""
    snap: Snap = setting(snap, default=Snap.OFF)
    """How far its transcripts are matched to the names and sentences of the home."""


@dataclass(frozen=True, slots=True)
class BreakerConfig:
    """When a provider that fails is left alone."""

    failures: int = setting(whole("a number of failures", 1, 100))
    """In a row."""
    cool_down_s: float = setting(number("seconds", 0.1, 86_400))
    """The first time; doubled with each trial that fails up to cool_down_max_s."""
    cool_down_max_s: float = setting(number("seconds", 0.1, 86_400))

    def settled(self) -> Self:
        """:raises Wrong: the longest time is shorter than the first."""
        if self.cool_down_max_s < self.cool_down_s:
            raise Wrong("expected no less than cool_down_s", ("cool_down_max_s",))
        return self


@dataclass(frozen=True, slots=True)
class AdmissionConfig:
    """How many utterances are heard at a time."""

    at_once: int = setting(whole("a number of utterances", 1, 1_000))
    waiting: int = setting(whole("a number of utterances", 0, 1_000))
    """Further ones that wait for their turn; beyond that a client is told to try again."""
    answer_timeout_s: float = setting(number("seconds", 1, MAX_WAIT_S))
    """Time from the end of an utterance to its transcript, seconds, waiting included."""


@dataclass(frozen=True, slots=True)
class EndpointingConfig:
    """How the end of a command is found."""

    enabled: bool = setting(boolean)
    """False: clients say where it is."""
    silence_s: Mapping[Sensitivity, float] = setting(
        of_mapping({name: (number("seconds", 0.1, 10), MISSING) for name in get_args(Sensitivity)})
    )
    """Silence that ends a command, by what a client asks for."""
    timeout_s: float = setting(number("seconds", 1, MAX_WAIT_S))
    """A command is over after this in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsrConfig(ServerConfig):
    language: str = setting(language)
    answer: Answer = setting(one_of(ANSWERS))
    """What comes out where a request does not say it; of engines that know commands."""
    max_utterance_s: float = setting(number("seconds", 1, MAX_WAIT_S))
    """Audio of one utterance, seconds; more is refused."""
    vocabulary: TypedNames
    providers: Mapping[str, AsrProviderConfig]
    default_provider: str = setting(text)
    fallback_providers: tuple[str, ...] = setting(or_null(list_of(text, what="null or a list of providers")))
    """As it is written, null is every other that is enabled."""
    policy: PolicyName = setting(one_of(PolicyName))
    cascade_confidence: float = setting(number("a confidence", 0, 1))
    """cascade: least confidence, 0 to 1, of the first provider's answer that needs no second one."""
    breaker: BreakerConfig
    admission: AdmissionConfig
    trim_silence: bool | None = setting(or_null(boolean))
    """Silence before and after speech is not decoded. None: where an engine does not look for speech itself."""
    endpointing: EndpointingConfig
    prefers_auto_gain_enabled: bool = setting(boolean)
    """Whether hubs are asked to make soft speech louder."""
    prefers_noise_reduction_enabled: bool = setting(boolean)
    """Whether hubs are asked to take noise away."""

    def settled(self) -> Self:
        """With its address and the providers that come after the default one.

        :raises Wrong: the default one is off, or a cascade has no second one.
        """
        after = fallbacks("asr", self.providers, self.default_provider, self.fallback_providers)
        if self.policy == PolicyName.CASCADE and not after:
            raise Wrong(f"expected another enabled provider besides {self.default_provider}", ("policy",))
        return replace(ServerConfig.settled(self), fallback_providers=after)
