"""Writes configuration files for tests and loads them."""

from collections.abc import Mapping
from pathlib import Path

from irene_wyoming.config.load import load
from irene_wyoming.config.model import Config
from irene_wyoming.engines import registry
from irene_wyoming.engines.base import EngineContext, EngineSpec, Option
from irene_wyoming.errors import ConfigError
from irene_wyoming.hardware import Hardware

ROOT = Path(__file__).parents[2]
"""The root folder of the repository."""


def _gain(value: object) -> int:
    if type(value) is not int or not 0 <= value <= 20:
        raise ValueError("expected 0 to 20 dB")
    return value


def _never(options: Mapping[str, object], context: EngineContext) -> object:
    raise AssertionError(f"reading a configuration starts no engine: {options}, {context}")


GUEST = EngineSpec(
    name="guest",
    kind="wake",
    summary="An engine that another package brings.",
    url="",
    author="",
    requires=(),
    install="",
    create=_never,
    options={"gain": Option(6, _gain, "dB")},
)


PC = Hardware(cores=8, memory_mb=16_000, processor="x86_64")


def loaded(
    text: str,
    folder: Path,
    environ: Mapping[str, str] | None = None,
    name: str = "my.yaml",
    machine: Hardware = PC,
) -> Config:
    """The configuration from a file with ``text``, with a guest engine registered beside our own."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return load(path, environ or {}, wake_specs={**registry.specs("wake"), "guest": GUEST}, detect=lambda: machine)


def refused(text: str, folder: Path, environ: Mapping[str, str] | None = None, name: str = "my.yaml") -> str:
    """The message that refuses ``text``, without the folder's name."""
    try:
        config = loaded(text, folder, environ, name)
    except ConfigError as error:
        return str(error).replace(f"{folder}/", "")
    raise AssertionError(f"accepted: {config}")
