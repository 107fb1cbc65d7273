"""Settings from environment variables: IRENE_WYOMING__ASR__PORT=10301 is asr.port."""

from collections.abc import Mapping

from irene_wyoming.checks import Keys
from irene_wyoming.config.layers import Layer, merge, nested
from irene_wyoming.config.yamltext import parse

PREFIX = "IRENE_WYOMING__"


def layer(environ: Mapping[str, str]) -> Layer:
    """All variables that begin with PREFIX, their values read as YAML; the longer of two paths wins.

    :raises ConfigError: a value is not valid YAML; the message names the variable.
    """
    names: dict[Keys, str] = {}
    settings: list[Layer] = []
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        path = tuple(variable.removeprefix(PREFIX).lower().split("__"))
        names[path] = variable
        settings.append(Layer(variable, nested(path, parse(environ[variable], variable))))
    return Layer("environment", merge(settings), names)
