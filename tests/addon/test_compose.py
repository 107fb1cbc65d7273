"""compose.yaml: all that it starts exists, and runs as the image allows."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from irene_wyoming.__main__ import build_parser
from irene_wyoming.config.load import load
from tests.config.files import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_there_is_a_service_for_all_and_one_for_each() -> None:
    assert {name: service["command"][0] for name, service in SERVICES.items()} == {
        "irene": "run",
        "wake": "wake",
        "asr": "asr",
        "mic": "mic",
    }


@pytest.mark.parametrize("name", SERVICES)
def test_its_command_is_one_of_the_program(name: str) -> None:
    command = SERVICES[name]["command"]
    build_parser(command[0]).parse_args(command)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_capability_and_is_not_root(name: str) -> None:
    assert (SERVICES[name]["user"], SERVICES[name]["cap_drop"], SERVICES[name]["read_only"]) == ("irene", ["ALL"], True)


def test_its_ports_are_the_programs() -> None:
    config = load(None, {})
    for name, server in (("wake", config.wake), ("asr", config.asr), ("mic", config.mic)):
        assert SERVICES[name]["ports"] == [f"{server.address.port}:{server.address.port}"]
    exposed = next(line for line in DOCKERFILE.splitlines() if line.startswith("EXPOSE"))
    assert {int(port) for port in exposed.split()[1:]} == {
        server.address.port for server in (config.wake, config.asr, config.mic, config.front)
    }


def test_the_example_that_it_mounts_is_a_configuration() -> None:
    [_, example] = SERVICES["irene"]["volumes"]
    assert load(ROOT / Path(example.partition(":")[0]), {}).wake.enabled


def test_the_image_is_built_of_what_is_there() -> None:
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert all((ROOT / line[1:]).exists() for line in ignored)
    copied = [
        line.split()[1:-1] for line in DOCKERFILE.splitlines() if line.startswith("COPY ") and "--from" not in line
    ]
    assert {f"!{name}" for names in copied for name in names} == set(ignored)
