"""Figures in the documents that do not depend on the machine agree with the program."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from irene_wyoming.__main__ import COMMANDS
from irene_wyoming.bench import quality
from irene_wyoming.bench.methods import method
from irene_wyoming.bench.resample import FULL
from irene_wyoming.config.load import default_text, load
from tests.config.files import ROOT

DEFAULTS: dict[str, Any] = yaml.safe_load(default_text())

PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "DOCS.md"]

OTHERS = {10_701, 39_295, 45_757}
"""Ports in examples that are not ours: a satellite's own, and free ones of the demo."""


def tables(page: str, first: str) -> list[list[list[str]]]:
    """Tables with a row that begins with this cell: their rows of cells, without emphasis."""
    text = (ROOT / page).read_text()
    found = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    rows = [[[cell.strip(" *`") for cell in line.split("|")[1:-1]] for line in table.splitlines()] for table in found]
    return [table for table in rows if any(row[0] == first for row in table)]


@pytest.mark.parametrize("level", ["fast", "medium", "high"])
@pytest.mark.parametrize(("rate", "at"), [(48_000, 0), (44_100, 1)])
def test_quality_of_the_levels(level: str, rate: int, at: int) -> None:
    table = tables("docs/benchmarks.md", "peer")[at]
    columns = {name: number for number, name in enumerate(table[0])}
    shown = next(row for row in table if row[0] == level)
    held, found = quality.held(method(level), rate, 16_000), quality.fidelity(method(level), rate, 16_000, FULL.tones)
    assert shown[columns["held ms, min / mean / max"]] == f"{held.min_ms:.2f} / {held.mean_ms:.2f} / {held.max_ms:.2f}"
    alias = f"{found.alias_from_9k_db:.1f} / {found.alias_from_10k_db:.1f}"
    assert shown[columns["alias from 9 / 10 kHz, dB"]] == alias
    assert shown[columns["ripple, dB"]] == f"{found.ripple_db:.3f}"
    assert shown[columns["SNR 1 / 6 kHz, dB"]] == f"{found.snr_1k_db:.1f} / {found.snr_6k_db:.1f}"


def test_the_tuning_guide_repeats_the_benchmarks() -> None:
    table = tables("docs/benchmarks.md", "peer")[0]
    measured = {re.split(r"[*, ]", row[0])[0]: row for row in reversed(table)}  # the live streams come first
    for level, cpu, held, _ in tables("docs/performance-tuning.md", "medium")[0][2:]:
        row = measured[level]
        assert (cpu, held) == (row[1], row[7].split(" / ")[1]), level


def test_servers_listen_where_the_readme_says() -> None:
    config = load(None, {})
    shown = {row[0]: row[1] for row in tables("README.md", "front")[0][2:]}
    assert shown == {name: getattr(config, name).address.uri for name in ("wake", "asr", "mic", "front")}


def test_every_command_is_in_the_guide() -> None:
    text = (ROOT / "docs" / "install.md").read_text()
    assert [name for name in COMMANDS if not re.search(rf"(`|irene-wyoming ){re.escape(name)}[ `]", text)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_addresses_in_examples_are_those_of_servers(page: Path) -> None:
    ours = {DEFAULTS[name]["port"] for name in ("wake", "asr", "mic", "front", "web", "metrics")}
    for port in re.findall(r"(?:tcp|http)://(?:127\.0\.0\.1|0\.0\.0\.0|HOST):(\d+)", page.read_text()):
        assert int(port) in ours | OTHERS, f"{page.name}: {port}"
