"""Shows engines and the microphone on the page."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from irene_wyoming.capture.base import Source
from irene_wyoming.config.wake import WakeConfig
from irene_wyoming.engines.base import ModelInfo, WakeEngine
from irene_wyoming.news import NEWS
from irene_wyoming.routing.policy import Standing
from irene_wyoming.stream.feed import Feed


def shown_wake_engines(settings: WakeConfig, loaded: Sequence[WakeEngine]) -> AbstractContextManager[None]:
    """Show the wake word engines with the threshold of each word."""

    def look(engine: WakeEngine) -> Mapping[str, Any]:
        options = settings.providers[engine.name].options
        words = [word(info, options.get("threshold"), options.get("trigger_level")) for info in engine.models()]
        return {"role": "wake", "name": engine.name, "trouble": "", "words": words}

    return NEWS.shown("engine", *(partial(look, engine) for engine in loaded))


def word(info: ModelInfo, threshold: float | None, trigger_level: int | None) -> Mapping[str, Any]:
    """Describe a word with its engine's settings."""
    usual = threshold if threshold is not None else info.threshold
    return {"name": info.name, "phrase": info.phrase, "threshold": usual, "trigger_level": trigger_level}


def shown_speech_engines(
    models: Callable[[], Mapping[str, Sequence[ModelInfo]]],
    missing: Mapping[str, str],
    standings: Callable[[], Sequence[Standing]] = tuple,
) -> AbstractContextManager[None]:
    """Show the speech-to-text providers.

    :param models: gives the present models of each provider.
    :param missing: reasons by name, for providers that could not be started.
    :param standings: gives the standings of the others.
    """

    def look(name: str) -> Mapping[str, Any]:
        known = models().get(name, ())
        shown = [{"name": info.name, "languages": info.languages[:8], "installed": info.installed} for info in known]
        stands = next((each for each in standings() if each.name == name), None)
        return {
            "role": "asr",
            "name": name,
            "trouble": missing.get(name, ""),
            "models": shown,
            "ready": stands is not None and stands.ready,
            "busy": 0 if stands is None else stands.busy,
        }

    return NEWS.shown("engine", *(partial(look, name) for name in models()))


def shown_microphone(source: Source, feed: Feed) -> AbstractContextManager[None]:
    """Show the microphone of this machine."""

    def look() -> Mapping[str, Any]:
        status = feed.status
        form = None if status.format is None else str(status.format)
        return {
            "name": source.name,
            "state": status.state.value,
            "trouble": status.reason,
            "format": form,
            "listeners": feed.listeners,
        }

    return NEWS.shown("microphone", look)
