"""The documents are in plain English, by the rules in style.yaml."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.config.files import ROOT

RULES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "style.yaml").read_text())
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*.md")])


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
