"""The lock files: they hold what pyproject.toml needs, by hash, for all supported Pythons and processors."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.config.files import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
NAME = PROJECT["project"]["name"]
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
IMAGE = "requirements.lock"
ALL = "requirements-dev.lock"
LOCKS = (IMAGE, ALL)

PINNED = re.compile(
    r"^(\S+)==(\S+)(?: ; ([^\\]*[^\\ ]))? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)
"""A package with its version, its marker, and the hashes of its files."""


def machines() -> Iterator[dict[str, str]]:
    """All supported machines, as values of markers."""
    low, high = re.findall(r"\d+\.(\d+)", PROJECT["project"]["requires-python"])
    for minor in range(int(low), int(high)):
        for processor in ("x86_64", "aarch64"):
            yield {
                "python_version": f"3.{minor}",
                "python_full_version": f"3.{minor}.0",
                "implementation_name": "cpython",
                "platform_python_implementation": "CPython",
                "platform_machine": processor,
                "sys_platform": "linux",
                "platform_system": "Linux",
                "os_name": "posix",
            }


def locked(path: Path, machine: dict[str, str]) -> dict[str, str]:
    """The versions in a lock file for that machine."""
    found: dict[str, str] = {}
    for name, version, marker, _hashes in PINNED.findall(path.read_text()):
        if not marker or Marker(marker).evaluate(machine):
            assert name not in found, f"{path.name} has {name} twice for {machine}"
            found[name] = version
    return found


def wanted(requirements: list[str], machine: dict[str, str]) -> Iterator[Requirement]:
    """The requirements for that machine, with our own extras unfolded."""
    for line in requirements:
        requirement = Requirement(line)
        if requirement.name == NAME:
            for extra in requirement.extras:
                yield from wanted(EXTRAS[extra], machine)
        elif requirement.marker is None or requirement.marker.evaluate(machine):
            yield requirement


def image_extras() -> list[str]:
    [extras] = re.findall(r"^extras=(\S+)", (ROOT / ".ci/lock").read_text(), re.MULTILINE)
    return str(extras).split(",")


def apart() -> str:
    """The extra that is in no lock file."""
    [extra] = re.findall(r"^apart=(\S+)", (ROOT / ".ci/lock").read_text(), re.MULTILINE)
    return str(extra)


@pytest.mark.parametrize(
    "machine", list(machines()), ids=lambda one: f"{one['platform_machine']}-{one['python_version']}"
)
@pytest.mark.parametrize("lock", LOCKS)
def test_it_has_what_the_package_asks_for(lock: str, machine: dict[str, str]) -> None:
    found = locked(ROOT / lock, machine)
    extras = EXTRAS.keys() - {apart()} if lock == ALL else image_extras()
    asked = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
    asked += [line for extra in extras for line in EXTRAS[extra]]
    wrong = [
        f"{requirement}: {found.get(canonicalize_name(requirement.name))}"
        for requirement in wanted(asked, machine)
        if found.get(canonicalize_name(requirement.name), "") not in requirement.specifier
    ]
    assert wrong == [], "run .ci/lock"


@pytest.mark.parametrize(
    "machine", list(machines()), ids=lambda one: f"{one['platform_machine']}-{one['python_version']}"
)
def test_ci_tries_the_versions_of_the_image(machine: dict[str, str]) -> None:
    assert locked(ROOT / IMAGE, machine).items() <= locked(ROOT / ALL, machine).items()


@pytest.mark.parametrize("lock", LOCKS)
def test_it_holds_packages_with_hashes_and_nothing_else(lock: str) -> None:
    """No address of a registry: the installer chooses it."""
    text = (ROOT / lock).read_text()
    assert PINNED.sub("", text).strip() == ""
    assert len(PINNED.findall(text)) > 50


BY_CALENDAR = {"home-assistant-intents", "nvidia-ml-py", "wyoming-bench"}
"""Packages whose version is a date, or that of a driver."""

HOUSEHOLD = [*PROJECT["project"]["dependencies"], *(line for name in EXTRAS if name != "dev" for line in EXTRAS[name])]


@pytest.mark.parametrize("requirement", HOUSEHOLD)
def test_what_a_household_installs_has_an_upper_bound(requirement: str) -> None:
    """An upper bound protects where the number tells of a break. Development tools are locked only."""
    bounds = {one.operator for one in Requirement(requirement).specifier}
    assert bounds & {"<", "=="} or Requirement(requirement).name in BY_CALENDAR


def test_the_image_installs_the_lock() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert f"COPY {IMAGE} ./" in dockerfile.splitlines()
    assert "--require-hashes" in dockerfile
    assert "--require-hashes" in (ROOT / ".ci/run").read_text()
