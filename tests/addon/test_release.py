"""Things that must agree in a release: versions, Pythons, licences, and the workflow that publishes it."""

import re
import tomllib
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.config.files import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOWS: dict[str, dict[Any, Any]] = {
    path.stem: yaml.safe_load(path.read_text()) for path in sorted((ROOT / ".github/workflows").glob("*.yml"))
}


def steps(workflow: str, job: str) -> dict[str, dict[str, Any]]:
    """The steps of a job that use an action, by the action's name without its version."""
    return {
        step["uses"].partition("@")[0]: step.get("with", {})
        for step in WORKFLOWS[workflow]["jobs"][job]["steps"]
        if "uses" in step
    }


def test_every_python_that_is_promised_is_named_and_tried() -> None:
    low, high = re.findall(r"\d+\.(\d+)", PROJECT["requires-python"])
    promised = [f"3.{minor}" for minor in range(int(low), int(high))]
    named = [one.rpartition(" ")[2] for one in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", one)]
    assert named == promised
    assert WORKFLOWS["check"]["jobs"]["tests"]["strategy"]["matrix"]["python"] == promised


def test_the_image_is_published_for_both_processors_with_provenance_and_its_contents() -> None:
    build = steps("release", "image")["docker/build-push-action"]
    assert build["platforms"].split(",") == ["linux/amd64", "linux/arm64"]
    assert build["push"] is build["sbom"] is True
    assert build["provenance"] == "mode=max"
    assert "actions/attest-build-provenance" in steps("release", "image")


def test_the_base_image_is_todays_debian_and_python_and_a_release_pins_it() -> None:
    [base] = re.findall(r"^ARG PYTHON_IMAGE=(.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert base == "python:3.13-slim-trixie"
    build = steps("release", "image")["docker/build-push-action"]
    pinned = "${{ steps.base.outputs.name }}@${{ steps.base.outputs.digest }}"
    assert f"PYTHON_IMAGE={pinned}" in build["build-args"].splitlines()
    assert "org.opencontainers.image.base.digest=" in build["labels"]


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_workflow_may_only_read_but_for_what_its_jobs_need(workflow: str) -> None:
    assert WORKFLOWS[workflow]["permissions"] == {"contents": "read"}


def test_a_release_is_of_one_version() -> None:
    """The release workflow reads these lines."""
    assert f'version: "{PROJECT["version"]}"' in (ROOT / "config.yaml").read_text().splitlines()
    assert f"ARG BUILD_VERSION={PROJECT['version']}" in (ROOT / "Dockerfile").read_text().splitlines()
    chart = yaml.safe_load((ROOT / "packaging/helm/irene-wyoming/Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == PROJECT["version"]
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text().splitlines()


OWNER = re.match(r"https://github\.com/([\w.-]+)/", PROJECT["urls"]["Homepage"])
"""The owner of package, image and add-on, from the one place that names it."""


def test_everything_names_one_owner() -> None:
    assert OWNER is not None
    files = [path for path in ROOT.iterdir() if path.is_file() and path.suffix != ".lock"]
    for folder in (".github", "addon", "docs", "examples", "irene_wyoming", "packaging", "translations"):
        files += [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    owners = {
        found: path.relative_to(ROOT)
        for path in files
        if path.suffix in TEXTS
        for found in re.findall(r"(?:github\.com|ghcr\.io)/([\w.-]+)/irene-wyoming\b", path.read_text())
    }
    assert owners.keys() == {OWNER[1]}


TEXTS = {".md", ".yaml", ".yml", ".toml", ".py", ".json", ".html", ".js", ".service", ""}


def locked() -> list[str]:
    """The packages in the image."""
    return re.findall(r"^(\S+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)


def test_the_licence_of_every_library_that_comes_along_is_told() -> None:
    told = (ROOT / "LICENCES.md").read_text().casefold()
    names = {*locked(), *(re.split(r"[^A-Za-z0-9-]", needed)[0].casefold() for needed in PROJECT["dependencies"])}
    assert {name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", told)} == NOT_HERE


NOT_HERE = {"colorama", "httpx2-jsfetch", "setuptools"}
"""Packages that are locked for other systems, or for building."""


def test_the_image_says_all_of_its_licences() -> None:
    """The image's label has the licences of LICENCES.md, including those in the libraries' own metadata."""
    labels = dict(re.findall(r'(org\.opencontainers\.\S+)="([^"]*)"', (ROOT / "Dockerfile").read_text()))
    said = labels["org.opencontainers.image.licenses"]
    assert f"`{said}`" in (ROOT / "LICENCES.md").read_text()
    terms = said.split(" AND ")
    assert terms == [terms[0], *sorted(terms[1:])]
    for name in set(locked()) - NOT_HERE:
        with suppress(PackageNotFoundError):
            for one in " AND ".join(metadata(name).get_all("License-Expression") or terms[:1]).split(" AND "):
                assert set(one.split(" OR ")) & set(terms), name


def test_where_the_data_in_the_package_comes_from_is_told() -> None:
    told = (ROOT / "LICENCES.md").read_text()
    data = [path for path in (ROOT / "irene_wyoming").rglob("*") if path.suffix in {".wav", ".npz", ".onnx", ".tflite"}]
    places = {str(path.relative_to(ROOT)) for path in data if path.suffix != ".wav"}
    places |= {str(path.parent.relative_to(ROOT)) for path in data if path.suffix == ".wav"}
    assert {place for place in places if f"`{place}`" not in told} == set()


@pytest.mark.parametrize("file", ["LICENSE", "LICENCES.md"])
def test_licences_are_part_of_the_package_and_the_image(file: str) -> None:
    assert file in PROJECT["license-files"]
    assert f"!{file}" in (ROOT / ".dockerignore").read_text().splitlines()
    assert re.search(
        rf"^COPY .*\b{re.escape(file)}\b.* /usr/share/doc/", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )


def test_the_changelog_has_headings_that_the_store_reads() -> None:
    """The headings follow Keep a Changelog: newest first, unreleased changes on top."""
    headings = re.findall(r"^## (.*)$", Path(ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert all(re.fullmatch(r"Unreleased|\d+\.\d+\.\d+", heading) for heading in headings)
    assert "Unreleased" not in headings[1:]
    groups = re.findall(r"^### (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert set(groups) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_workflows_install_what_is_locked() -> None:
    commands = [
        line.strip()
        for workflow in WORKFLOWS.values()
        for job in workflow["jobs"].values()
        for step in job["steps"]
        for line in step.get("run", "").splitlines()
        if "pip install" in line
    ]
    assert commands
    assert all("--require-hashes" in command or "--no-deps" in command for command in commands)
