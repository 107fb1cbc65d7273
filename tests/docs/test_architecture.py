"""ARCHITECTURE.md names every module, and no module that is gone."""

import re
from pathlib import Path

from tests.config.files import ROOT

PACKAGE = ROOT / "irene_wyoming"
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")

COMMANDS = "cli"
"""Folder with a module per command, named by the commands."""

EVERYWHERE = ("__init__.py", "__main__.py", "spec.py", "trial.py")


def modules() -> list[Path]:
    """The modules that ARCHITECTURE.md has to name; those on top are named without their suffix."""
    found = [path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if path.name not in EVERYWHERE]
    return [path for path in found if str(path.parent) not in (".", COMMANDS)]


def test_every_module_is_named() -> None:
    named = set(re.findall(r"\w+\.py", TEXT))
    assert [str(path) for path in modules() if path.name not in named] == []


def test_every_name_is_that_of_a_module() -> None:
    present = {path.name for folder in (PACKAGE, ROOT / "tests") for path in folder.rglob("*.py")}
    assert sorted(set(re.findall(r"\w+\.py", TEXT)) - present) == []
