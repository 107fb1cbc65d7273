"""Hardware profiles: other defaults for machines that differ much from a PC.

A profile is laid over default.yaml and under all settings of a user.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from irene_wyoming.config.layers import Layer, merge, nested
from irene_wyoming.hardware import Hardware

ProfileName = Literal["pi_zero", "pi4", "pi5", "pc", "gpu"]

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Profile:
    fits: str
    """The machines that this profile is for, in words."""
    settings: Mapping[str, Any]
    """Settings by path, such as ``asr.admission.at_once``."""


PROFILES: Mapping[ProfileName, Profile] = {
    "pi_zero": Profile(
        "Raspberry Pi Zero 2 W and 3; any machine or container with less than 900 MB of memory",
        {
            # On such a machine openWakeWord takes half a core per satellite, microWakeWord a tenth; it stays
            # selectable.
            "wake.default_provider": "microwakeword",
            # The recogniser of the second look takes 150 MB, and half a second of such a core for each look.
            "wake.verify": "off",
            # One command at a time: two together would take twice as long each, and nobody gains.
            "asr.admission.at_once": 1,
            "asr.providers.guided.deadline_s": 10,
            "asr.providers.vosk.deadline_s": 15,
            "asr.providers.whisper.beam_size": 1,
        },
    ),
    "pi4": Profile(
        "Raspberry Pi 4 and 400; other aarch64 boards; any machine or container with one core",
        {
            "asr.admission.at_once": 2,
            "asr.providers.vosk.deadline_s": 10,
            "asr.providers.whisper.beam_size": 1,
            "asr.providers.whisper.deadline_s": 20,
        },
    ),
    "pi5": Profile(
        "Raspberry Pi 5 and 500",
        {
            "asr.admission.at_once": 4,
            "asr.providers.whisper.beam_size": 1,
            "asr.providers.whisper.deadline_s": 15,
        },
    ),
    "pc": Profile("everything else: the values of `irene-wyoming config`", {}),
    "gpu": Profile(
        "a machine with an NVIDIA GPU, which may serve several homes",
        {
            "asr.admission.at_once": 16,
            "asr.admission.waiting": 32,
        },
    ),
}

NAMES: tuple[str, ...] = (AUTO, *get_args(ProfileName))

LITTLE_MB = 900
"""Megabytes below which memory counts as little. Boards of 1 GB report a little more than this, those of 512 MB half.
"""


def choose(hardware: Hardware) -> ProfileName:
    """Choose the profile of a machine by the cores and memory that the process may use."""
    if hardware.memory_mb is not None and hardware.memory_mb < LITTLE_MB:
        return "pi_zero"
    if hardware.gpu:
        return "gpu"
    if hardware.board.startswith("Raspberry Pi"):
        words = set(hardware.board.split())
        if words & {"Zero", "2", "3"}:
            return "pi_zero"
        return "pi5" if words & {"5", "500"} else "pi4"
    return "pi4" if hardware.processor == "aarch64" or hardware.cores < 2 else "pc"


def settings(name: ProfileName) -> dict[str, Any]:
    """The profile's settings, nested as in a configuration."""
    profile = PROFILES[name]
    return merge([Layer(name, nested(tuple(path.split(".")), value)) for path, value in profile.settings.items()])
