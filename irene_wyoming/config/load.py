"""Loads the checked configuration from files and variables. No other module reads configuration files."""

import codecs
import errno
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from irene_wyoming import files, hardware
from irene_wyoming.checks import Fault, Wrong
from irene_wyoming.checks import path as checked_path
from irene_wyoming.config import addon, auto, changes, env, profiles
from irene_wyoming.config.faults import Refused
from irene_wyoming.config.layers import Layer, blame, merge
from irene_wyoming.config.model import Config
from irene_wyoming.config.schema import build_schema
from irene_wyoming.config.yamltext import parse
from irene_wyoming.engines import registry
from irene_wyoming.engines.base import EngineSpec
from irene_wyoming.errors import ConfigError
from irene_wyoming.hardware import Hardware

MAX_FILE_BYTES = 1_048_576
"""Most bytes of a configuration file. Thousands of devices take a tenth of this; a larger file is another one."""


def load(
    path: Path | None,
    environ: Mapping[str, str],
    *,
    wake_specs: Mapping[str, EngineSpec] | None = None,
    asr_specs: Mapping[str, EngineSpec] | None = None,
    detect: Callable[[], Hardware] = hardware.detect,
    changed: Mapping[Any, Any] | None = None,
) -> Config:
    """Load the configuration. Layers, from the bottom: defaults for this machine, the file named by
    ``env.BASE_VARIABLE``, the file at ``path``, changes at the page, variables of ``environ``.

    A ``.json`` file holds the add-on's options as the Supervisor writes them. Any other file is YAML: the add-on's
    manifest, if it has the keys slug, options and schema, else a configuration.

    :param wake_specs, asr_specs: the engines; None: those that are registered.
    :param detect: examines the machine.
    :param changed: changes to try out; None: those kept in the data folder.

    :raises ConfigError: one line for each thing that is wrong: where, which value, what is allowed.
    """
    layers = [_defaults()]
    household = False
    for each in (Path(base) if (base := environ.get(env.BASE_VARIABLE)) else None, path):
        if each is not None:
            layers.append(_file_layer(each, layers[0].data))
            household = household or bool(layers[-1].names)
    variables = env.layer(environ)
    layers += _changes([*layers, variables], changed)
    if variables.data:
        layers.append(variables)
    schema = build_schema(
        registry.specs("wake") if wake_specs is None else wake_specs,
        registry.specs("asr") if asr_specs is None else asr_specs,
    )
    said = merge(layers)
    machine = cache(detect)  # examined once, and only where a setting depends on it
    found_out = said["hardware"] == profiles.AUTO
    name = profiles.choose(machine()) if found_out else said["hardware"]
    if name in tuple(profiles.PROFILES):  # any other value, even a list, is refused by the check of the whole
        layers[0] = Layer(layers[0].source, merge([layers[0], Layer(name, profiles.settings(name))]))
    if auto.wanted(said):
        layers[0] = Layer(layers[0].source, merge([layers[0], auto.beneath(said, machine())]))
        layers.append(auto.layer(merge(layers), machine()))
    try:
        config = schema(merge([*layers, Layer(name, {"hardware": name})]) if found_out else merge(layers))
        return replace(
            config,
            warnings=(*env.misspelt(environ, layers[0].data), *_broken_engines()),
            household=household,
        )
    except Refused as refused:
        lines = "\n".join(_line(blame(layers, fault.path), fault) for fault in refused.faults)
        raise ConfigError(addon.told(lines) if household else lines) from refused


def _broken_engines() -> list[str]:
    kinds: tuple[registry.Kind, ...] = ("wake", "asr")
    return [f"{kind} engine {name}: {why}" for kind in kinds for name, why in registry.unloadable(kind).items()]


def read_changes(config: Config) -> dict[Any, Any]:
    """Read the changes that were made at the page.

    :raises ConfigError: the file is damaged.
    """
    return {} if config.data_dir is None else _read_changes(changes.path_in(config.data_dir))


def _changes(layers: list[Layer], changed: Mapping[Any, Any] | None) -> list[Layer]:
    """Add the layer of changes, which is in the data folder that the other layers name."""
    try:
        path = changes.path_in(checked_path(merge(layers)["data_dir"]))
    except Wrong:
        return []  # there is no folder, or the check of the whole refuses it
    data = _read_changes(path) if changed is None else changed
    return [Layer(str(path), data)] if data else []


def _read_changes(path: Path) -> dict[Any, Any]:
    if not os.path.isfile(path):  # Path.is_file fails in a folder that may not be entered
        return {}
    document = parse(_text(path), str(path))
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(
            f"{path}: expected a mapping of settings; remove the file to have what the configuration says"
        )
    return document


def default_text() -> str:
    """The packaged configuration with its comments, as ``irene-wyoming config`` prints it."""
    return resources.files("irene_wyoming.config").joinpath("default.yaml").read_text(encoding="utf-8")


@cache
def _defaults() -> Layer:
    return Layer("default.yaml", parse(default_text(), "default.yaml"))


def _line(layer: Layer, fault: Fault) -> str:
    return f"{layer.source}: {layer.name(fault.path)}: {fault.problem}"


def _file_layer(path: Path, defaults: Mapping[str, Any]) -> Layer:
    source = str(path)
    is_json = path.suffix == ".json"
    document = (_parse_json if is_json else parse)(_text(path), source)
    if document is None:
        document = {}  # an empty file, or one with comments only, changes nothing
    if not isinstance(document, dict):
        raise ConfigError(f"{source}: expected a mapping of settings, not a {type(document).__name__}")
    if is_json:
        return addon.layer(document, source, defaults)
    if addon.is_manifest(document):
        options = document["options"]
        if not isinstance(options, dict):
            raise ConfigError(f"{source}: options: expected a mapping")
        return addon.layer(options, source, defaults)
    return Layer(source, document)


def _text(path: Path) -> str:
    try:
        raw = files.read(path, MAX_FILE_BYTES)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise ConfigError(f"{path}: {error.strerror}; is it a configuration?") from error
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ConfigError(f"{path}: text in UTF-16; save it as UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text, at byte {error.start}; save it as UTF-8") from error


def _parse_json(text: str, source: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{source}: line {error.lineno}, column {error.colno}: {error.msg}") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; brackets without end
        raise ConfigError(f"{source}: cannot be read: {error}") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"{key!r} is there twice")
    return dict(pairs)
