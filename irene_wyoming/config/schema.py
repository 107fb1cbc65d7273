"""The check of a whole configuration. Keys of sections come from dataclasses, those of engines from their specs.

The defaults are in default.yaml, which is always laid underneath, so every key must be present.
"""

from collections.abc import Callable, Mapping
from typing import Any

from irene_wyoming.checks import Check, Fault, Wrong
from irene_wyoming.config.asr import AsrConfig, AsrProviderConfig
from irene_wyoming.config.faults import refused
from irene_wyoming.config.model import Config
from irene_wyoming.config.section import checked, of_mapping
from irene_wyoming.config.server import ProviderConfig
from irene_wyoming.config.wake import WakeConfig
from irene_wyoming.engines.base import EngineSpec


def build_schema(
    wake_specs: Mapping[str, EngineSpec], asr_specs: Mapping[str, EngineSpec]
) -> Callable[[Mapping[Any, Any]], Config]:
    """Build the check of a complete configuration for these engines. The check raises Refused with all faults."""
    wake = checked(WakeConfig, given={"providers": _providers(wake_specs, ProviderConfig)})
    asr = checked(AsrConfig, given={"providers": _providers(asr_specs, AsrProviderConfig)})
    whole = checked(Config, given={"wake": wake, "asr": asr})

    def check(data: Mapping[Any, Any]) -> Config:
        try:
            config: Config = whole(data)
        except Wrong as wrong:
            raise refused(wrong, data) from wrong
        return config

    return check


def _providers(specs: Mapping[str, EngineSpec], section: type[ProviderConfig]) -> Check:
    """Make the check of providers by name. A provider that is not written is off."""
    off = {"enabled": False}
    known = {name: (_provider(spec, section), off) for name, spec in specs.items()}
    return of_mapping(known, unknown="no such engine is registered")


def _provider(spec: EngineSpec, section: type[ProviderConfig]) -> Check:
    """Make the check of one provider with its engine's options. An enabled one must have all required options."""
    each = checked(section, options={name: (known.check, known.default) for name, known in spec.options.items()})

    def check(value: Any) -> Any:
        provider: ProviderConfig = each(value)
        empty = [name for name, known in spec.options.items() if known.needed and not provider.options[name]]
        if provider.enabled and empty:
            why = f"since {spec.name} is enabled"
            raise Wrong(faults=tuple(Fault((name,), f"expected {spec.options[name].help}, {why}") for name in empty))
        return provider

    return check
