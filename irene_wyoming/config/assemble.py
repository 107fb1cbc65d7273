"""From checked values to the dataclasses of model, and the checks that need more than one value.

Each function takes one section's values by keyword. What is wrong is raised as vol.Invalid with the key it is about.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import voluptuous as vol

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.config.layers import Keys
from irene_wyoming.config.model import (
    Access,
    Address,
    AdmissionConfig,
    AsrConfig,
    AsrProviderConfig,
    AudioProfile,
    BreakerConfig,
    Config,
    EndpointingConfig,
    FrontConfig,
    Limits,
    MetricsConfig,
    MicConfig,
    MicOutput,
    Network,
    ProviderConfig,
    RecordingsConfig,
    SatelliteConfig,
    ServerConfig,
    SourceConfig,
    SuperviseConfig,
    WakeConfig,
)
from irene_wyoming.engines.base import Vocabulary, WakeSettings
from irene_wyoming.routing.policy import PolicyName


def provider(*, enabled: bool, **options: Any) -> ProviderConfig:
    return ProviderConfig(enabled, options)


def asr_provider(
    *, enabled: bool, deadline_s: float, process: bool, memory_mb: int | None, **options: Any
) -> AsrProviderConfig:
    return AsrProviderConfig(enabled, options, deadline_s, process, memory_mb)


def _server(
    *, enabled: bool, host: str, port: int, uri: Address | None, limits: Limits, access: Access, **audio: Any
) -> dict[str, Any]:
    """The fields of ServerConfig."""
    return {
        "enabled": enabled,
        "address": _address(uri or Address(host, port), access),
        "audio": AudioProfile(**audio),
        "limits": limits,
        "access": access,
    }


def _address(plain: Address, access: Access) -> Address:
    """With TLS where there is a certificate; a unix socket leaves nothing to protect."""
    if access.certificate is None:
        if plain.tls:
            raise vol.Invalid("expected a certificate, since uri is tls://", ["access", "certificate"])
        return plain
    return plain if plain.path else replace(plain, tls=True, trust=access.certificate)


def access(*, allow: tuple[tuple[Network, ...], ...], key: Path | None, **fields: Any) -> Access:
    if key is not None and fields["certificate"] is None:
        raise vol.Invalid("expected a certificate that belongs to the key", ["certificate"])
    return Access(tuple(network for networks in allow for network in networks), key=key, **fields)


def satellite(*, models: Mapping[str, WakeSettings], **settings: Any) -> SatelliteConfig:
    return SatelliteConfig(WakeSettings(**settings), models)


def wake(
    *,
    default_models: tuple[str, ...],
    models: Mapping[str, WakeSettings],
    satellites: Mapping[str, SatelliteConfig],
    idle_gate: bool,
    recordings: RecordingsConfig,
    providers: Mapping[str, ProviderConfig],
    default_provider: str,
    fallback_providers: tuple[str, ...] | None,
    **server: Any,
) -> WakeConfig:
    return WakeConfig(
        **_server(**server),
        default_models=default_models,
        models=models,
        satellites=satellites,
        idle_gate=idle_gate,
        recordings=recordings,
        providers=providers,
        default_provider=default_provider,
        fallback_providers=_fallbacks(providers, default_provider, fallback_providers),
    )


def asr(
    *,
    language: str,
    max_utterance_s: float,
    vocabulary: Vocabulary,
    providers: Mapping[str, AsrProviderConfig],
    default_provider: str,
    fallback_providers: tuple[str, ...] | None,
    policy: PolicyName,
    cascade_confidence: float,
    breaker: BreakerConfig,
    admission: AdmissionConfig,
    trim_silence: bool | None,
    endpointing: EndpointingConfig,
    **server: Any,
) -> AsrConfig:
    return AsrConfig(
        **_server(**server),
        language=language,
        max_utterance_s=max_utterance_s,
        vocabulary=vocabulary,
        providers=providers,
        default_provider=default_provider,
        fallback_providers=_fallbacks(providers, default_provider, fallback_providers),
        policy=policy,
        cascade_confidence=cascade_confidence,
        breaker=breaker,
        admission=admission,
        trim_silence=trim_silence,
        endpointing=endpointing,
    )


def breaker(**fields: Any) -> BreakerConfig:
    if fields["cool_down_max_s"] < fields["cool_down_s"]:
        raise vol.Invalid("expected no less than cool_down_s", ["cool_down_max_s"])
    return BreakerConfig(**fields)


def _fallbacks(
    providers: Mapping[str, ProviderConfig], default: str, fallbacks: tuple[str, ...] | None
) -> tuple[str, ...]:
    """Who comes after ``default``, each once; None: every other that is enabled."""
    enabled = [name for name, provider in providers.items() if provider.enabled]
    allowed = f"expected an enabled provider: {', '.join(enabled)}" if enabled else "no provider is enabled"
    named: list[tuple[str, Keys]] = [(default, ("default_provider",))]
    named += [(name, ("fallback_providers", index)) for index, name in enumerate(fallbacks or ())]
    wrong = [vol.Invalid(allowed, list(path)) for name, path in named if name not in enabled]
    if wrong:
        raise vol.MultipleInvalid(wrong)
    order = dict.fromkeys(enabled if fallbacks is None else fallbacks)
    return tuple(name for name in order if name != default)


def source(**fields: Any) -> SourceConfig:
    source = SourceConfig(**fields)
    if source.kind == "command" and not source.command:
        raise vol.Invalid("expected a program and its arguments, since kind is command", ["command"])
    if source.kind == "wavfile" and source.file is None:
        raise vol.Invalid("expected a file, since kind is wavfile", ["file"])
    return source


def mic(*, source: SourceConfig, extra: tuple[dict[str, Any], ...], **rest: Any) -> MicConfig:
    own = {name: rest.pop(name) for name in _MIC}
    fields = _server(**rest)
    audio: AudioProfile = fields["audio"]
    if source.kind in ("command", "silence"):  # nobody to ask: what listeners get is what it had better deliver
        source = replace(
            source,
            sample_rate=source.sample_rate or audio.sample_rate,
            channels=source.channels or audio.channels,
        )
    config = MicConfig(**fields, **own, source=source, extra=())
    outputs = (_output(config, rest["host"], index, **each) for index, each in enumerate(extra))
    return replace(config, extra=tuple(outputs))


_MIC = ("width", "buffer_ms", "linger_s", "always_on", "mute", "gain_db", "noise_suppression", "auto_gain")
"""What the microphone server has and the others have not."""


def _output(
    mic: MicConfig,
    server_host: str,
    index: int,
    *,
    host: str | None,
    port: int | None,
    uri: Address | None,
    sample_rate: int | None,
    width: int | None,
    channels: int | None,
    resample_quality: str | None,
    chunk_size: int | None,
) -> MicOutput:
    """What is not given is as at the server's own address; a chunk lasts as long."""
    if uri is None and port is None:
        raise vol.Invalid("expected a port or a uri", ["extra", index])
    form = AudioFormat(sample_rate or mic.format.rate, width or mic.format.width, channels or mic.format.channels)
    if form != mic.format and not mic.audio.allow_resampling:
        raise vol.Invalid(f"expected the format of mic, {mic.format}, since allow_resampling is off", ["extra", index])
    return MicOutput(
        _address(uri or Address(host or server_host, port or 0), mic.access),
        form,
        resample_quality or mic.audio.resample_quality,
        chunk_size or max(1, mic.audio.chunk_size * form.rate // mic.format.rate),
    )


def front(*, enabled: bool, host: str, port: int, uri: Address | None, limits: Limits, access: Access) -> FrontConfig:
    return FrontConfig(enabled, _address(uri or Address(host, port), access), limits, access)


def metrics(*, enabled: bool, host: str, port: int) -> MetricsConfig:
    return MetricsConfig(enabled, Address(host, port))


def supervise(**fields: float) -> SuperviseConfig:
    if fields["restart_delay_max_s"] < fields["restart_delay_s"]:
        raise vol.Invalid("expected no less than restart_delay_s", ["restart_delay_max_s"])
    if fields["drain_s"] > fields["stop_timeout_s"] - 0.5:
        raise vol.Invalid("expected at least 0.5 s less than stop_timeout_s", ["drain_s"])
    return SuperviseConfig(**fields)


def config(**fields: Any) -> Config:
    """:raises vol.Invalid: two servers would listen on one address."""
    config = Config(**fields)
    recordings = config.wake.recordings
    if recordings.enabled and recordings.folder is None and config.data_dir is None:
        raise vol.Invalid("expected a folder, since there is no data_dir", ["wake", "recordings", "folder"])
    servers: dict[str, ServerConfig | FrontConfig | MetricsConfig] = {
        "wake": config.wake,
        "asr": config.asr,
        "mic": config.mic,
        "front": config.front,
        "metrics": config.metrics,
    }
    listening = [(name, server.address) for name, server in servers.items() if server.enabled]
    if config.mic.enabled:
        listening += [("mic", output.address) for output in config.mic.extra]
    for (first, one), (second, other) in combinations(listening, 2):
        if _collide(one, other):
            raise vol.Invalid(f"{other.uri} is taken by {first}; expected an address of its own", [second])
    return config


def _collide(one: Address, other: Address) -> bool:
    if one.path or other.path:
        return one.path == other.path
    everywhere = {"0.0.0.0", "::"}
    return one.port == other.port != 0 and (one.host == other.host or bool(everywhere & {one.host, other.host}))
