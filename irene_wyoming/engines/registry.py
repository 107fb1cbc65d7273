"""The registry of engines, found by entry point and probed without importing their libraries."""

from collections.abc import Callable
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any, Literal

from irene_wyoming.engines.base import EngineSpec
from irene_wyoming.errors import ConfigError, EngineUnavailable

Kind = Literal["wake", "asr"]


def specs(kind: Kind) -> dict[str, EngineSpec]:
    """All registered engines of a kind that can be loaded, by name."""
    return _loaded(kind)[0]


def unloadable(kind: Kind) -> dict[str, str]:
    """Engines of other packages that cannot be loaded: the reasons by name."""
    return _loaded(kind)[1]


def _loaded(kind: Kind) -> tuple[dict[str, EngineSpec], dict[str, str]]:
    found: dict[str, EngineSpec] = {}
    broken: dict[str, str] = {}
    for point in sorted(entry_points(group=f"irene_wyoming.{kind}"), key=lambda point: point.name):
        try:
            found[point.name] = point.load()
        except Exception as error:  # foreign code may raise anything
            broken[point.name] = f"{point.value} cannot be loaded: {type(error).__name__}: {error}"
    return found, broken


def spec(kind: Kind, name: str) -> EngineSpec:
    """Find a registered engine.

    :raises ConfigError: no engine has that name; the message lists all names.
    """
    known = specs(kind)
    if name not in known:
        raise ConfigError(f"{kind} provider {name!r}: expected one of {', '.join(known)}")
    return known[name]


def phrase_scorer() -> Callable[[], Any]:
    """Give the function that loads the recogniser for second looks. That function is slow.

    :raises EngineUnavailable: none is installed, or something that it needs is missing.
    """
    points = sorted(entry_points(group="irene_wyoming.phrases"), key=lambda point: point.name)
    if not points:
        raise EngineUnavailable("no recogniser for a second look is installed; pip install irene-wyoming again")
    require(spec("asr", points[0].name))

    def load() -> Any:
        return points[0].load()()

    return load


def missing(engine: EngineSpec) -> list[str]:
    """Modules that ``engine`` needs and that are missing. Imports none of them."""
    return [module for module in engine.requires if not _is_installed(module)]


def require(engine: EngineSpec) -> None:
    """Raise EngineUnavailable where a module that ``engine`` needs is missing."""
    absent = missing(engine)
    if absent:
        raise EngineUnavailable(f"{engine.name}: {', '.join(absent)} is not installed; {engine.install}")


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package above it is missing, too
        return False
