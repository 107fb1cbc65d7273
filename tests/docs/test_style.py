"""Documents and docstrings are in plain English, by the rules in style.yaml."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.config.files import ROOT

RULES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "style.yaml").read_text())
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*.md")])


MODULES = [
    path for root in ("irene_wyoming", "tests", "examples", "addon") for path in sorted((ROOT / root).rglob("*.py"))
]


def docstrings() -> Iterator[tuple[str, str]]:
    """All docstrings, those of attributes included, each with its place: ``wire/token.py:8``."""
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text())):
            if (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                yield f"{module.relative_to(ROOT)}:{node.lineno}", " ".join(node.value.value.split())


def sentences(text: str) -> Iterator[str]:
    """Split the prose of a document into sentences, without code, tables, comments and headings."""
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    prose = re.sub(r"^ {4}.*$|^\|.*$|<!--.*?-->", "", prose, flags=re.MULTILINE)
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", prose):
        if not paragraph.lstrip().startswith("#"):
            yield from re.split(r"(?<=[.!?:;])\s+(?=[A-Z`*\[(\d])", " ".join(paragraph.split()))


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in PAGES if page.name != "CHANGELOG.md"])
def test_sentences_have_one_idea(page: Path) -> None:
    limits: dict[str, int] = RULES["longest_sentence"]
    most = limits.get(str(page.relative_to(ROOT)), limits["else"])
    assert [one for one in sentences(page.read_text()) if len(one.split()) > most] == []


@pytest.mark.parametrize(("place", "most"), RULES["longest"].items())
def test_documents_stay_short(place: str, most: int) -> None:
    assert len((ROOT / place).read_text().split()) <= most


@pytest.mark.parametrize(("pattern", "instead"), RULES["never"])
def test_words_that_say_nothing_are_left_out(pattern: str, instead: str) -> None:
    found = [
        f"{page.name}: {line.strip()!r}: write {instead}"
        for page in PAGES
        for line in page.read_text().splitlines()
        if re.search(pattern, line)
    ]
    assert found == []


def test_docstrings_stand_alone() -> None:
    rules = [(re.compile(pattern), instead) for pattern, instead in RULES["docstrings_never"]]
    found = [
        f"{place}: {text[:60]!r}: write {instead}"
        for place, text in docstrings()
        for pattern, instead in rules
        if pattern.search(text)
    ]
    assert found == []
