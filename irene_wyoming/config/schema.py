"""What a configuration may hold, and how it becomes the frozen dataclasses of model.

The defaults are not here but in default.yaml, which is always laid underneath: every key must be present.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args

import voluptuous as vol

from irene_wyoming.audio.format import MAX_CHANNELS, MAX_RATE, MIN_RATE, method_names
from irene_wyoming.config import assemble, checks
from irene_wyoming.config.checks import Check
from irene_wyoming.config.faults import UnknownKey, refused
from irene_wyoming.config.model import (
    MAX_PORT,
    AdmissionConfig,
    AsrConfig,
    Config,
    DiscoveryConfig,
    EndpointingConfig,
    Limits,
    LogFormat,
    LogLevel,
    MicConfig,
    ProviderConfig,
    RecordingsConfig,
    WakeConfig,
)
from irene_wyoming.config.profiles import NAMES
from irene_wyoming.engines.base import EngineSpec, Sensitivity, Vocabulary, WakeSettings
from irene_wyoming.routing.policy import PolicyName

T = TypeVar("T")

MAX_NAME_BYTES = 40
"""In UTF-8. A name in mDNS has 63; the rest is for what tells the servers of one machine apart."""


def build_schema(
    wake_specs: Mapping[str, EngineSpec], asr_specs: Mapping[str, EngineSpec]
) -> Callable[[Mapping[Any, Any]], Config]:
    """What checks a complete configuration, given the engines that there are. It raises Refused with all faults."""
    top = _section(
        {
            "log_level": checks.one_of(get_args(LogLevel)),
            "log_format": checks.one_of(get_args(LogFormat)),
            "data_dir": checks.or_null(checks.path),
            "hardware": checks.one_of(NAMES),
            "wake": _wake_section(wake_specs),
            "asr": _asr_section(asr_specs),
            "mic": _mic_section(),
            "front": _section(_LISTENING, assemble.front),
            "discovery": _section(
                {"zeroconf": checks.boolean, "name": checks.short_text(MAX_NAME_BYTES)}, DiscoveryConfig
            ),
            "metrics": _section({"enabled": checks.boolean, "host": checks.host, "port": _PORT}, assemble.metrics),
            "supervise": _section(_SUPERVISE, assemble.supervise),
        },
        assemble.config,
    )
    schema = vol.Schema(top)

    def check(data: Mapping[Any, Any]) -> Config:
        try:
            config: Config = schema(data)
        except vol.MultipleInvalid as error:
            raise refused(error, data) from error
        return config

    return check


_PORT = checks.whole("a port", 0, MAX_PORT)
_RATE = checks.whole("a rate in Hz", MIN_RATE, MAX_RATE)
_WIDTH = checks.whole("bytes per sample", 1, 4)
_CHANNELS = checks.whole("a number of channels", 1, MAX_CHANNELS)
_CHUNK_SIZE = checks.whole("a number of frames", 80, MAX_RATE)
_NAMES = checks.list_of(checks.text, what="a list of names")
_LANGUAGE = checks.matching("[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", "a language tag such as 'en' or 'en-GB'")


def _section(
    fields: Mapping[str, Check],
    build: Callable[..., T],
    *,
    defaults: Mapping[str, Any] | None = None,
    unknown: str = "unknown key",
) -> Callable[[Any], T]:
    """A mapping with exactly these keys, handed to ``build`` by keyword once each of them is right.

    ``defaults`` stand in for keys that are not written down, after those that are.
    """

    def refuse(_: Any) -> None:
        raise UnknownKey(unknown, list(fields))

    keys: dict[Any, Any] = {vol.Required(name): check for name, check in fields.items()}
    schema = vol.Schema({**keys, vol.Extra: refuse})

    def check(value: Any) -> T:
        if not isinstance(value, dict):
            raise vol.Invalid("expected a mapping")
        missing = {name: default for name, default in (defaults or {}).items() if name not in value}
        return build(**schema({**value, **missing}))

    return check


_LIMITS = _section(
    {
        "max_connections": checks.whole("a number of connections", 1, 10_000),
        "max_connections_per_address": checks.whole("a number of connections", 1, 10_000),
        "header_bytes": checks.whole("a number of bytes", 1_024, 1_048_576),
        "data_bytes": checks.whole("a number of bytes", 1_024, 67_108_864),
        "payload_bytes": checks.whole("a number of bytes", 4_096, 67_108_864),
        "total_payload_bytes": checks.whole("a number of bytes", 4_096, 1_073_741_824),
        "event_timeout_s": checks.number("seconds", 0.1, 3600),
        "write_timeout_s": checks.number("seconds", 0.1, 3600),
        "idle_timeout_s": checks.number("seconds", 0.1, 86_400),
    },
    Limits,
)

_LISTENING: Mapping[str, Check] = {
    "enabled": checks.boolean,
    "host": checks.host,
    "port": _PORT,
    "uri": checks.or_null(checks.uri),
    "limits": _LIMITS,
    "access": _section(
        {
            "allow": checks.list_of(checks.networks, what="a list of networks"),
            "socket_mode": checks.permissions,
            "certificate": checks.or_null(checks.path),
            "key": checks.or_null(checks.path),
            "token_file": checks.or_null(checks.path),
        },
        assemble.access,
    ),
}

_SERVER: Mapping[str, Check] = {
    **_LISTENING,
    "sample_rate": _RATE,
    "channels": _CHANNELS,
    "resample_quality": checks.one_of(method_names()),
    "mix": checks.mix,
    "allow_resampling": checks.boolean,
    "strict_validation": checks.boolean,
    "chunk_size": _CHUNK_SIZE,
}

_SENSITIVITY: Mapping[str, Check] = {
    "threshold": checks.or_null(checks.number("a score", 0.001, 1)),
    "trigger_level": checks.or_null(checks.whole("steps in a row", 1, 50)),
    "refractory_s": checks.or_null(checks.number("seconds", 0, 60)),
    "min_level_dbfs": checks.or_null(checks.number("dB of full scale", -100, 0)),
}
"""null, and what is not written down: as it is set further out, in the end for the engine."""

_WORDS = checks.mapping_of(
    _section(_SENSITIVITY, WakeSettings, defaults=dict.fromkeys(_SENSITIVITY)), what="the name of a wake word"
)

_SATELLITE = _section(
    {**_SENSITIVITY, "models": _WORDS}, assemble.satellite, defaults={**dict.fromkeys(_SENSITIVITY), "models": {}}
)

_RECORDINGS = _section(
    {
        "enabled": checks.boolean,
        "folder": checks.or_null(checks.path),
        "near_miss_threshold": checks.or_null(checks.number("a score", 0.001, 1)),
        "seconds_before": checks.number("seconds", 1, 60),
        "max_files": checks.whole("a number of recordings", 1, 10_000),
        "max_bytes": checks.whole("a number of bytes", 10_000_000, 10_000_000_000),
    },
    RecordingsConfig,
)

_SUPERVISE: Mapping[str, Check] = {
    "restart_delay_s": checks.number("seconds", 0.1, 3600),
    "restart_delay_max_s": checks.number("seconds", 0.1, 3600),
    "healthy_after_s": checks.number("seconds", 0.1, 86_400),
    "drain_s": checks.number("seconds", 0, 600),
    "stop_timeout_s": checks.number("seconds", 0.1, 600),
}


_BREAKER: Mapping[str, Check] = {
    "failures": checks.whole("a number of failures", 1, 100),
    "cool_down_s": checks.number("seconds", 0.1, 86_400),
    "cool_down_max_s": checks.number("seconds", 0.1, 86_400),
}

_ADMISSION: Mapping[str, Check] = {
    "at_once": checks.whole("a number of utterances", 1, 1_000),
    "waiting": checks.whole("a number of utterances", 0, 1_000),
    "answer_timeout_s": checks.number("seconds", 1, 3600),
}

_ENDPOINTING: Mapping[str, Check] = {
    "enabled": checks.boolean,
    "silence_s": _section({name: checks.number("seconds", 0.1, 10) for name in get_args(Sensitivity)}, dict),
    "timeout_s": checks.number("seconds", 1, 3600),
}

ASR_PROVIDER: Mapping[str, tuple[Check, Any]] = {
    "deadline_s": (checks.number("seconds", 0.1, 600), 10.0),
    "process": (checks.boolean, False),
    "memory_mb": (checks.or_null(checks.whole("megabytes", 50, 1_000_000)), None),
}
"""What every speech-to-text provider has besides its own options: (check, default)."""


def _wake_section(specs: Mapping[str, EngineSpec]) -> Callable[[Any], WakeConfig]:
    words = checks.list_of(checks.text, what="a list of at least one wake word", at_least=1)
    fields = {
        **_SERVER,
        "default_models": words,
        "models": _WORDS,
        "idle_gate": checks.boolean,
        "recordings": _RECORDINGS,
        "satellites": checks.mapping_of(_SATELLITE, what="a satellite's address, network or name"),
        **_provider_fields(specs, {}, assemble.provider),
    }
    return _section(fields, assemble.wake)


def _asr_section(specs: Mapping[str, EngineSpec]) -> Callable[[Any], AsrConfig]:
    fields = {
        **_SERVER,
        "language": _LANGUAGE,
        "max_utterance_s": checks.number("seconds", 1, 3600),
        "vocabulary": _section({"areas": _NAMES, "devices": _NAMES}, Vocabulary),
        **_provider_fields(specs, ASR_PROVIDER, assemble.asr_provider),
        "policy": checks.one_of(PolicyName),
        "cascade_confidence": checks.number("a confidence", 0, 1),
        "breaker": _section(_BREAKER, assemble.breaker),
        "admission": _section(_ADMISSION, AdmissionConfig),
        "trim_silence": checks.or_null(checks.boolean),
        "endpointing": _section(_ENDPOINTING, EndpointingConfig),
    }
    return _section(fields, assemble.asr)


def _mic_section() -> Callable[[Any], MicConfig]:
    source: Mapping[str, Check] = {
        "kind": checks.one_of(("auto", "portaudio", "command", "wavfile", "silence")),
        "device": checks.device,
        "command": checks.list_of(checks.text, what="a program and its arguments as a list of text"),
        "sample_rate": checks.or_zero(_RATE),
        "width": _WIDTH,
        "channels": checks.or_zero(_CHANNELS),
        "file": checks.or_null(checks.path),
        "loop": checks.boolean,
        "stall_s": checks.number("seconds", 0.5, 60),
        "realtime_priority": checks.whole("a priority", 0, 99),
    }
    output: Mapping[str, Check] = {
        "host": checks.host,
        "port": _PORT,
        "uri": checks.uri,
        "sample_rate": _RATE,
        "width": _WIDTH,
        "channels": _CHANNELS,
        "resample_quality": checks.one_of(method_names()),
        "chunk_size": _CHUNK_SIZE,
    }
    optional = {name: checks.or_null(check) for name, check in output.items()}
    fields = {
        **_SERVER,
        "width": _WIDTH,
        "extra": checks.list_of(_section(optional, dict, defaults=dict.fromkeys(output)), what="a list of outputs"),
        "always_on": checks.boolean,
        "mute": checks.boolean,
        "gain_db": checks.number("decibel", -60, 60),
        "noise_suppression": checks.whole("a level", 0, 4),
        "auto_gain": checks.whole("decibel below full scale", 0, 31),
        "source": _section(source, assemble.source),
        "buffer_ms": checks.whole("milliseconds", 100, 60_000),
        "linger_s": checks.number("seconds", 0, 3600),
    }
    return _section(fields, assemble.mic)


def _provider_fields(
    specs: Mapping[str, EngineSpec], common: Mapping[str, tuple[Check, Any]], build: Callable[..., ProviderConfig]
) -> dict[str, Check]:
    """The keys that choose among engines. One written down without ``enabled`` is on, one not written down is off.

    :param common: what each has besides its own options: (check, default).
    """
    off: Mapping[str, Any] = {"enabled": False}
    return {
        "default_provider": checks.text,
        "fallback_providers": checks.or_null(checks.list_of(checks.text, what="null or a list of providers")),
        "providers": _section(
            {name: _provider_section(spec, common, build) for name, spec in specs.items()},
            dict,
            defaults=dict.fromkeys(specs, off),
            unknown="no such engine is registered",
        ),
    }


def _provider_section(
    spec: EngineSpec, common: Mapping[str, tuple[Check, Any]], build: Callable[..., ProviderConfig]
) -> Callable[[Any], ProviderConfig]:
    options = {name: (checks.option(known), known.default) for name, known in spec.options.items()}
    fields = {"enabled": (checks.boolean, True), **common, **options}
    return _section(
        {name: check for name, (check, _) in fields.items()},
        build,
        defaults={name: default for name, (_, default) in fields.items()},
    )
