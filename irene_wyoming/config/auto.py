"""Resolves ``asr.default_provider: auto`` into settings for the language and the machine."""

from collections.abc import Mapping, Sequence
from typing import Any

from irene_wyoming.config.layers import Layer
from irene_wyoming.hardware import Hardware
from irene_wyoming.language.snap import Snap
from irene_wyoming.models.recommend import GUIDED, Choice, recommend

AUTO = "auto"
"""Value of ``asr.default_provider`` that leaves the choice to this module."""


def wanted(said: Mapping[str, Any]) -> bool:
    """Whether the settings leave the choice of the provider to us."""
    asr = said.get("asr")
    return isinstance(asr, dict) and asr.get("default_provider") == AUTO


def beneath(said: Mapping[str, Any], machine: Hardware) -> Layer:
    """The layer under the user's settings: it matches transcripts of engines that do not know the home.

    Behind a first engine that knows commands, texts near a command become it. Elsewhere only names are mended.

    :param said: all settings so far, not checked yet.
    """
    choices = _choices(said["asr"], machine)
    snap = Snap.SENTENCES if choices[0] is GUIDED else Snap.NAMES
    matched = {choice.engine: {"snap": snap} for choice in choices if choice is not GUIDED}
    return Layer(f"{AUTO} ({machine})", {"asr": {"providers": matched}})


def layer(said: Mapping[str, Any], machine: Hardware) -> Layer:
    """The layer with the chosen engines. The user's settings of a provider stay; embedded engines come last.

    :param said: all settings so far, not checked yet.
    """
    asr = said["asr"]
    choices = _choices(asr, machine)
    made: dict[str, Any] = {
        "default_provider": choices[0].engine,
        "providers": {choice.engine: _provider(asr, choice) for choice in choices},
    }
    if asr.get("fallback_providers") is None:
        made["fallback_providers"] = [choice.engine for choice in choices[1:]]
    if asr.get("policy") == "ordered" and choices[0] is GUIDED and len(choices) > 1:
        made["policy"] = "cascade"  # commands at once by the small model, everything else by the strong one
    return Layer(f"{AUTO} ({machine})", {"asr": made})


def _choices(asr: Mapping[str, Any], machine: Hardware) -> Sequence[Choice]:
    language = asr.get("language")
    choices = recommend(
        language if isinstance(language, str) else "en", machine.cores, machine.memory_mb, gpu=machine.gpu
    )
    return choices if GUIDED in choices else (*choices, GUIDED)


def _provider(asr: Mapping[str, Any], choice: Choice) -> dict[str, Any]:
    providers = asr.get("providers")
    said = providers.get(choice.engine) if isinstance(providers, dict) else None
    has_model = isinstance(said, dict) and said.get("model") is not None
    return {"enabled": True} | ({} if choice.model is None or has_model else {"model": choice.model})
