"""The profile of a machine, and its settings."""

from dataclasses import replace
from pathlib import Path

import pytest

from irene_wyoming.config.profiles import PROFILES, choose
from irene_wyoming.hardware import Hardware
from tests.config.files import PC, ROOT, loaded, refused

ZERO = Hardware(4, 460, "aarch64", "Raspberry Pi Zero 2 W Rev 1.0")


@pytest.mark.parametrize(
    ("machine", "profile"),
    [
        (PC, "pc"),
        (replace(PC, cores=2, memory_mb=None), "pc"),
        (replace(PC, cores=1), "pi4"),
        (replace(PC, gpu=True), "gpu"),
        (replace(PC, memory_mb=512), "pi_zero"),
        (replace(PC, memory_mb=512, gpu=True), "pi_zero"),
        (ZERO, "pi_zero"),
        (Hardware(4, 980, "aarch64", "Raspberry Pi 3 Model B Plus Rev 1.3"), "pi_zero"),
        (Hardware(4, 3900, "aarch64", "Raspberry Pi 4 Model B Rev 1.2"), "pi4"),
        (Hardware(4, 3900, "aarch64", "Raspberry Pi Compute Module 4 Rev 1.0"), "pi4"),
        (Hardware(4, 8000, "aarch64", "Raspberry Pi 5 Model B Rev 1.0"), "pi5"),
        (Hardware(4, 8000, "aarch64", "Raspberry Pi 500 Rev 1.0"), "pi5"),
        (Hardware(8, 8000, "aarch64", "Radxa ROCK 5B"), "pi4"),
    ],
)
def test_a_machine_gets_the_profile_that_fits_what_it_gives_us(machine: Hardware, profile: str) -> None:
    assert choose(machine) == profile


def test_a_profile_changes_defaults_and_nothing_that_a_user_sets(tmp_path: Path) -> None:
    config = loaded("asr: {admission: {at_once: 3}}", tmp_path, machine=ZERO)
    assert config.hardware == "pi_zero"
    assert config.wake.default_provider == "microwakeword"
    assert config.asr.admission.at_once == 3
    assert config.asr.providers["guided"].deadline_s == 10


def test_a_profile_can_be_chosen(tmp_path: Path) -> None:
    config = loaded("hardware: gpu", tmp_path, {"IRENE_WYOMING__ASR__ADMISSION__WAITING": "1"}, machine=ZERO)
    assert (config.hardware, config.asr.admission.at_once, config.asr.admission.waiting) == ("gpu", 16, 1)
    assert config.wake.default_provider == "openwakeword"


def test_an_unknown_one_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    message = refused("hardware: pi3", tmp_path)
    assert message == "my.yaml: hardware: 'pi3': expected one of auto, pi_zero, pi4, pi5, pc, gpu"


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_is_a_valid_configuration(name: str, tmp_path: Path) -> None:
    assert loaded(f"hardware: {name}", tmp_path).hardware == name


@pytest.mark.parametrize("name", PROFILES)
def test_the_documents_say_what_a_profile_is_for_and_sets(name: str) -> None:
    profile = PROFILES[name]  # type: ignore[index]  # a name of its own keys
    changes = ", ".join(f"`{path}: {value}`" for path, value in profile.settings.items())
    row = f"| `{name}` | {profile.fits} | {changes + ' ' if changes else ''}|"
    assert row in (ROOT / "docs" / "hardware.md").read_text().splitlines()
