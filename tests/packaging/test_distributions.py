"""The wheel and the source distribution, built as a release builds them."""

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from email.message import Message
from email.parser import Parser
from pathlib import Path
from shutil import copy, copytree, ignore_patterns

import pytest

from tests.config.files import ROOT

LARGEST = 2_000_000
"""Most bytes of a distribution. Models come from other packages or are fetched."""

PARTS = ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "LICENCES.md", "packaging", "irene_wyoming", "tests")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The two files by suffix; the wheel is built from the source distribution."""
    top, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for part in PARTS:
        path = ROOT / part
        if path.is_dir():
            copytree(path, top / part, ignore=ignore_patterns("__pycache__"))
        else:
            copy(path, top)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(made), str(top)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return {path.suffix: path for path in made.iterdir()}


@pytest.fixture(scope="module")
def names(built: Mapping[str, Path]) -> Mapping[str, list[str]]:
    """The files inside; those of the source distribution without its folder."""
    with zipfile.ZipFile(built[".whl"]) as wheel, tarfile.open(built[".gz"]) as source:
        inside = [name.partition("/")[2] for name in source.getnames()]
        return {".whl": wheel.namelist(), ".gz": [name for name in inside if name]}


@pytest.fixture(scope="module")
def metadata(built: Mapping[str, Path]) -> Message:
    with zipfile.ZipFile(built[".whl"]) as wheel:
        [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(wheel.read(name).decode())


def test_the_registrys_own_check_finds_nothing(built: Mapping[str, Path]) -> None:
    command = [sys.executable, "-m", "twine", "check", "--strict", *map(str, built.values())]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout.count("PASSED")) == (0, 2), ran.stdout


@pytest.mark.parametrize("suffix", [".whl", ".gz"])
def test_it_is_small_and_has_no_tests(built: Mapping[str, Path], names: Mapping[str, list[str]], suffix: str) -> None:
    assert built[suffix].stat().st_size < LARGEST
    assert [name for name in names[suffix] if "tests/" in name or "__pycache__" in name] == []


@pytest.mark.parametrize("file", ["LICENSE", "LICENCES.md"])
def test_it_holds_the_licences(names: Mapping[str, list[str]], metadata: Message, file: str) -> None:
    assert file in names[".gz"]
    assert [name for name in names[".whl"] if name.endswith(f".dist-info/licenses/{file}")]
    assert file in (metadata.get_all("License-File") or [])


def test_every_file_of_the_package_is_in_both(names: Mapping[str, list[str]]) -> None:
    package = ROOT / "irene_wyoming"
    made_by = {".sh"}  # the script that makes the demo's speech is for developers
    files = {path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    wanted = {str(path.relative_to(ROOT)) for path in files if path.suffix not in made_by}
    assert wanted - set(names[".whl"]) == set()
    assert wanted - set(names[".gz"]) == set()


def test_who_packages_it_for_a_system_gets_the_units(names: Mapping[str, list[str]]) -> None:
    assert "packaging/irene-wyoming.service" in names[".gz"]


def test_what_the_registry_shows_is_complete(metadata: Message) -> None:
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Author"] == "The Irene Wyoming project"
    links = dict(line.split(", ", 1) for line in metadata.get_all("Project-URL") or [])
    assert list(links) == ["Homepage", "Documentation", "Changelog", "Issues"]
    assert all(link.startswith("https://") for link in links.values())
