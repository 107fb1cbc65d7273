"""Builds the Info for hubs, and finds the program that a hub selects by it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypeVar

from wyoming.audio import AudioFormat as WyomingFormat
from wyoming.event import Event
from wyoming.info import AsrModel, AsrProgram, Attribution, Info, MicProgram, WakeModel, WakeProgram

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.engines.base import ModelInfo, WakeEngine
from irene_wyoming.errors import UnknownModel

T = TypeVar("T")

VERSION = version("irene-wyoming")

US = Attribution(name="irene_wyoming", url="")  # a hub wants both fields; there is no public page to name yet


def wake_info(programs: Mapping[str, WakeEngine]) -> Info:
    """Build the wake server's Info, the default program first: hubs read only that one, so it lists every word."""
    return Info(
        wake=[
            WakeProgram(**program(name, f"Wake words with {name}"), models=[wake_model(m) for m in engine.models()])
            for name, engine in programs.items()
        ]
    )


@dataclass(frozen=True, slots=True)
class Wishes:
    """Processing of a command's audio that a hub is asked to do before it sends it."""

    external_vad: bool = True
    """Whether the hub is to find the end of the command."""
    auto_gain: bool = True
    """Whether the hub is to make soft speech louder."""
    noise_reduction: bool = True


def asr_info(programs: Mapping[str, Sequence[ModelInfo]], wishes: Wishes = Wishes()) -> Info:
    """Build the speech-to-text server's Info, the default program first; one without a model is not installed."""
    return Info(
        asr=[
            AsrProgram(
                **program(name, f"Speech to text with {name}", installed=any(model.installed for model in models)),
                models=[asr_model(model) for model in models],
                supports_transcript_streaming=True,
                requires_external_vad=wishes.external_vad,
                prefers_auto_gain_enabled=wishes.auto_gain,
                prefers_noise_reduction_enabled=wishes.noise_reduction,
            )
            for name, models in programs.items()
        ]
    )


def mic_info(form: AudioFormat) -> Info:
    return Info(
        mic=[
            MicProgram(
                **program("microphone", f"Microphone, {form}"),
                mic_format=WyomingFormat(rate=form.rate, width=form.width, channels=form.channels),
            )
        ]
    )


def joined(infos: Iterable[Info]) -> Info:
    """Join several Infos into one with all their programs."""
    result = Info()
    for info in infos:
        result.wake += info.wake
        result.asr += info.asr
        result.mic += info.mic
    return result


class Kept:
    """A source of Info that is rebuilt only after a change. To make an event of an Info takes a third of an answer."""

    def __init__(self, make: Callable[[], Info]) -> None:
        self._make = make
        self.renew()

    def renew(self) -> None:
        self._event = self._make().event()

    async def __call__(self) -> Event:
        return self._event


def select(programs: Mapping[str, T], name: str | None) -> T:
    """Find a program by name; the default one where the client names none.

    :raises UnknownModel: there is no program of that name.
    """
    if name is None:
        return next(iter(programs.values()))
    if name not in programs:
        raise UnknownModel(f"program {name!r} is not known here; known are {', '.join(programs)}")
    return programs[name]


def program(name: str, description: str, *, installed: bool = True) -> dict[str, Any]:
    """The fields of every program. Hubs fail on missing ones."""
    return {
        "name": name,
        "description": description,
        "attribution": US,
        "installed": installed,
        "version": VERSION,
    }


def artifact(model: ModelInfo) -> dict[str, Any]:
    return {
        "name": model.name,
        "description": model.description,
        "attribution": Attribution(name=model.author, url=model.url),
        "installed": model.installed,
        "version": model.version,
        "languages": list(model.languages),
    }


def wake_model(model: ModelInfo) -> WakeModel:
    return WakeModel(**artifact(model), phrase=model.phrase)


def asr_model(model: ModelInfo) -> AsrModel:
    return AsrModel(**artifact(model))
