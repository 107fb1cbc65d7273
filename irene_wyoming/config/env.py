"""Settings from environment variables: IRENE_WYOMING__ASR__PORT=10301 is asr.port."""

from collections.abc import Mapping
from typing import Any

from irene_wyoming.checks import Keys
from irene_wyoming.config.layers import Layer, merge, nested
from irene_wyoming.config.yamltext import parse

PREFIX = "IRENE_WYOMING__"


BASE_VARIABLE = "IRENE_WYOMING_BASE_CONFIG"
"""Environment variable with the path of a configuration that lies under the one of ``--config``."""

OUR_OWN = (
    BASE_VARIABLE,
    "IRENE_WYOMING_METRICS_PROCESS",
    "IRENE_WYOMING_SUPERVISED",
    "IRENE_WYOMING_TOKEN",
    "IRENE_WYOMING_VERSION",
)
"""Variables of our own that look like settings but are none."""


def misspelt(environ: Mapping[str, str], defaults: Mapping[str, Any]) -> tuple[str, ...]:
    """A warning for each variable with single underscores that would be a setting with two."""
    single = PREFIX.removesuffix("_")
    names = sorted(name for name in environ if name.startswith(single) and not name.startswith(PREFIX))
    return tuple(
        f"{name} is ignored: two underscores stand before each part, {PREFIX}{'__'.join(path).upper()}"
        for name in names
        if name not in OUR_OWN and (path := _meant(name.removeprefix(single).lower(), defaults))
    )


def _meant(words: str, settings: Any) -> Keys:
    """The path whose keys, joined by single underscores, are ``words``; empty: there is none."""
    for key, value in settings.items() if isinstance(settings, Mapping) else ():
        if words == key:
            return (key,)
        if words.startswith(f"{key}_") and (rest := _meant(words.removeprefix(f"{key}_"), value)):
            return (key, *rest)
    return ()


def layer(environ: Mapping[str, str]) -> Layer:
    """Make a layer of all variables that begin with PREFIX. Values are YAML; the longer of two paths wins.

    :raises ConfigError: a value is not valid YAML; the message names the variable.
    """
    names: dict[Keys, str] = {}
    settings: list[Layer] = []
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        path = tuple(variable.removeprefix(PREFIX).lower().split("__"))
        names[path] = variable
        settings.append(Layer(variable, nested(path, parse(environ[variable], variable))))
    return Layer("environment", merge(settings), names)
