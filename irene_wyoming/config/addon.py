"""The Home Assistant add-on's options: which setting each of them is.

The add-on's manifest (config.yaml at the top of the repository) says what a household may enter; the Supervisor hands
it over as options.json. Both are read through OPTIONS. To add an option: a line here, one in the manifest's ``schema``,
one in its ``options`` if it has a default, and its name and description in translations/en.yaml.
"""

import difflib
from collections.abc import Mapping
from typing import Any

from irene_wyoming.checks import Keys
from irene_wyoming.config.layers import Layer, merge, nested
from irene_wyoming.errors import ConfigError

OPTIONS: Mapping[str, str] = {
    "wake_enabled": "wake.enabled",
    "asr_enabled": "asr.enabled",
    "mic_enabled": "mic.enabled",
    "wake_words": "wake.default_models",
    "wake_provider": "wake.default_provider",
    "wake_threshold": "wake.providers.{wake_provider}.threshold",
    "asr_provider": "asr.default_provider",
    "vosk_model": "asr.providers.vosk.model",
    "remote_uri": "asr.providers.remote.uri",
    "language": "asr.language",
    "areas": "asr.vocabulary.areas",
    "devices": "asr.vocabulary.devices",
    "mic_device": "mic.source.device",
    "wake_resample_quality": "wake.resample_quality",
    "asr_resample_quality": "asr.resample_quality",
    "mic_resample_quality": "mic.resample_quality",
    "log_level": "log_level",
}
"""Option -> path in the configuration. In braces: the value of another option."""

FIXED: Mapping[str, Any] = {
    "wake.providers.openwakeword.folders": ["/share/openwakeword"],  # where other add-ons for Home Assistant look, too
    "wake.providers.microwakeword.folders": ["/share/microwakeword"],
    "web.host": "0.0.0.0",  # Home Assistant shows the page; nobody else is let in
    "discovery.zeroconf": False,  # multicast does not leave an add-on's network; the Supervisor announces it
}
"""What is always so in an add-on."""

_MANIFEST_KEYS = frozenset({"slug", "options", "schema"})


def is_manifest(document: Mapping[Any, Any]) -> bool:
    """Whether this is an add-on's manifest; no configuration has such keys."""
    return document.keys() >= _MANIFEST_KEYS


def layer(options: Mapping[Any, Any], source: str, defaults: Mapping[str, Any]) -> Layer:
    """Options as settings. One that is null was left empty and changes nothing.

    :raises ConfigError: an option that does not exist, one line each.
    """
    unknown = [name for name in options if name not in OPTIONS]
    if unknown:
        raise ConfigError("\n".join(f"{source}: {name}: unknown option{_hint(name)}" for name in unknown))
    names: dict[Keys, str] = {}
    settings = [Layer(source, nested(tuple(path.split(".")), value)) for path, value in FIXED.items()]
    if (provider := options.get("asr_provider")) in defaults["asr"]["providers"]:  # others are refused as what they are
        settings.append(Layer(source, nested(("asr", "providers", provider, "enabled"), True)))
    for option, value in options.items():
        if value is not None:
            path = option_path(option, options, defaults)
            names[path] = option
            settings.append(Layer(source, nested(path, value)))
    return Layer(source, merge(settings), names)


def option_path(option: str, options: Mapping[Any, Any], defaults: Mapping[str, Any]) -> Keys:
    """Where ``option`` goes, given the others and the settings that hold where they say nothing."""
    provider = options.get("wake_provider") or defaults["wake"]["default_provider"]
    return tuple(key.format(wake_provider=provider) for key in OPTIONS[option].split("."))


def _hint(name: Any) -> str:
    close = difflib.get_close_matches(str(name), OPTIONS, n=1)
    return f"; did you mean {close[0]}?" if close else f"; expected one of {', '.join(OPTIONS)}"
