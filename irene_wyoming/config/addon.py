"""The Home Assistant add-on's options, and the setting that each of them is.

The add-on's manifest, config.yaml at the top of the repository, says what a household may enter. The Supervisor writes
it into options.json. Both are read through OPTIONS. To add an option: a line here, one in the manifest's ``schema``,
one in its ``options`` if it has a default, and its name and description in translations/en.yaml.
"""

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any

from irene_wyoming.checks import Keys
from irene_wyoming.config.auto import AUTO
from irene_wyoming.config.layers import Layer, merge, nested
from irene_wyoming.errors import ConfigError
from irene_wyoming.models import catalogue
from irene_wyoming.models.recommend import GUIDED
from irene_wyoming.tags import primary

OPTIONS: Mapping[str, str] = {
    "wake_enabled": "wake.enabled",
    "asr_enabled": "asr.enabled",
    "mic_enabled": "mic.enabled",
    "wake_words": "wake.default_models",
    "wake_provider": "wake.default_provider",
    "wake_threshold": "wake.providers.{wake_provider}.threshold",
    "wake_licence": "wake.licence",
    "second_look": "wake.verify",
    "typed_words": "wake.typed",
    "asr_provider": "asr.default_provider",
    "asr_model": "asr.providers.{asr_provider}.model",
    "asr_folder": "asr.providers.{asr_provider}.model",
    "remote_uri": "asr.providers.remote.uri",
    "remote_key": "asr.providers.remote.api_key",
    "language": "asr.language",
    "home_names": "home.enabled",
    "areas": "asr.vocabulary.areas",
    "devices": "asr.vocabulary.devices",
    "mic_device": "mic.source.device",
    "wake_resample_quality": "wake.resample_quality",
    "asr_resample_quality": "asr.resample_quality",
    "mic_resample_quality": "mic.resample_quality",
    "log_level": "log_level",
}
"""The setting of each option. Braces hold the name of an option whose value is inserted."""

FIXED: Mapping[str, Any] = {
    "wake.providers.openwakeword.folders": ["/share/openwakeword"],  # other Home Assistant add-ons look here, too
    "wake.providers.microwakeword.folders": ["/share/microwakeword"],
    "web.host": "0.0.0.0",  # Home Assistant shows the page; other clients are refused
    "discovery.name": "Irene",  # a container's name is meaningless to people, and there is one such add-on
    "discovery.zeroconf": False,  # multicast does not leave an add-on's network; the Supervisor announces it
}
"""Settings that are the same in every add-on."""

OF_FOLDERS = ("sherpa", "whisper", "vosk")
"""Engines whose model is given as a folder."""

_MANIFEST_KEYS = frozenset({"slug", "options", "schema"})


def is_manifest(document: Mapping[Any, Any]) -> bool:
    """Whether a document is an add-on's manifest; no configuration has such keys."""
    return document.keys() >= _MANIFEST_KEYS


def layer(options: Mapping[Any, Any], source: str, defaults: Mapping[str, Any]) -> Layer:
    """Turn options into settings. Null, a blank text and an empty list change nothing; blanks around a text are
    removed.

    :raises ConfigError: an option does not exist; one line each.
    """
    options = {name: _trimmed(value) for name, value in options.items()}
    unknown = [name for name in options if name not in OPTIONS]
    if unknown:
        raise ConfigError("\n".join(f"{source}: {name}: unknown option{_hint(name)}" for name in unknown))
    folder = options.get("asr_folder")
    options = _with_model(_with_engine(options), source, defaults["asr"]["providers"])
    settings = [Layer(source, nested(tuple(path.split(".")), value)) for path, value in FIXED.items()]
    provider = options.get("asr_provider")
    # other names are refused by the provider's own check
    if isinstance(provider, str) and provider in defaults["asr"]["providers"]:
        settings.append(Layer(source, nested(("asr", "providers", provider, "enabled"), True)))
    paths = {option: option_path(option, options, defaults) for option in OPTIONS}
    settings += [
        Layer(source, nested(paths[name], value)) for name, value in options.items() if value not in (None, "", [])
    ]
    named = {path: option for option, path in paths.items() if option != "asr_folder"}
    return Layer(source, merge(settings), named | ({paths["asr_folder"]: "asr_folder"} if folder else {}))


def _trimmed(value: Any) -> Any:
    """Strip a text, or the texts of a list without empty ones; the checks refuse other values."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return [each for each in map(_trimmed, value) if each not in (None, "")]
    return value


def _with_model(options: Mapping[Any, Any], source: str, engines: Collection[str]) -> Mapping[Any, Any]:
    """Bring the options that name a model into one, and choose its engine.

    :raises ConfigError: two models are named, or the model is of another engine than the chosen one.
    """
    engine, name, folder = (options.get(key) or None for key in ("asr_provider", "asr_model", "asr_folder"))
    name = None if name == AUTO else name
    rest = {key: value for key, value in options.items() if key != "asr_folder"} | {"asr_model": name or folder}
    if engine not in (None, AUTO) and not (isinstance(engine, str) and engine in engines):
        return rest  # the engine is refused by its own check
    if folder is not None:
        if name is not None:
            raise ConfigError(f"{source}: asr_folder: leave it empty, or set asr_model to auto; only one model is used")
        if engine not in OF_FOLDERS:
            raise ConfigError(
                f"{source}: asr_folder: set asr_provider to the engine it is for: {', '.join(OF_FOLDERS)}"
            )
        return rest
    known = [entry.engine for entry in catalogue.load() if entry.name == name]
    if name is not None and not known and engine == AUTO:
        raise ConfigError(f"{source}: asr_model: {name!r} is not in the catalogue; set asr_provider to its engine")
    if not known or engine in (*known, "remote"):
        return rest
    if engine != AUTO:
        raise ConfigError(
            f"{source}: asr_model: {name} is a model of {known[0]}; set asr_provider to {known[0]} or auto"
        )
    return rest | {"asr_provider": known[0]}


def _with_engine(options: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Choose the engine by the language where the manifest's default is left, which understands English only."""
    language = options.get("language") or "en"
    if options.get("asr_provider") in (None, "", GUIDED.engine) and isinstance(language, str):
        return options if primary(language) == "en" else {**options, "asr_provider": AUTO}
    return options


def option_path(option: str, options: Mapping[Any, Any], defaults: Mapping[str, Any]) -> Keys:
    """The path of ``option`` in the configuration, given the other options and the default settings."""
    chosen = {f"{kind}_provider": _provider(kind, options, defaults) for kind in ("wake", "asr")}
    return tuple(key.format(**chosen) for key in OPTIONS[option].split("."))


def _provider(kind: str, options: Mapping[Any, Any], defaults: Mapping[str, Any]) -> str:
    """The engine chosen by the options; the default one where there is no choice or a wrong one."""
    chosen = options.get(f"{kind}_provider")
    known = isinstance(chosen, str) and chosen in defaults[kind]["providers"]
    return str(chosen if known else defaults[kind]["default_provider"])


def told(message: str) -> str:
    """A message in a household's words: settings are called by the names of their options."""
    return _SETTING.sub(lambda found: _NAMES[next(group for group, text in found.groupdict().items() if text)], message)


_NAMES = {f"option{number}": option for number, option in enumerate(OPTIONS) if option != "asr_folder"}
"""Options by the group of _SETTING that finds their path; asr_folder stands for asr_model."""
_PATTERNS = {group: re.sub(r"\\{\w+\\}", r"\\w+", re.escape(OPTIONS[option])) for group, option in _NAMES.items()}
_SETTING = re.compile(
    rf"(?<![\w.])(?:{'|'.join(f'(?P<{group}>{pattern})' for group, pattern in _PATTERNS.items())})(?!\w|\.\w)"
)
"""Finds whole paths of settings that are options."""


def _hint(name: Any) -> str:
    close = difflib.get_close_matches(str(name), OPTIONS, n=1)
    return f"; did you mean {close[0]}?" if close else f"; expected one of {', '.join(OPTIONS)}"
