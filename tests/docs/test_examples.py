"""The documents' examples work: code runs, configuration is accepted, commands and keys exist."""

import argparse
import io
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from sybil import Document, Example
from sybil.parsers.markdown import CodeBlockParser

from irene_wyoming.__main__ import COMMANDS, build_parser, main
from irene_wyoming.config.load import default_text, load
from tests.config.files import ROOT

PAGES = sorted(
    path for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")) if path.name not in {"CHANGELOG.md", "LICENSE"}
)
DEFAULTS: dict[str, Any] = yaml.safe_load(default_text())

QUICK = {
    "bench resample --quick": "bench resample --quick --rates 48000",
}
"""Measurements as documented, and their short form for tests."""
RUN = {*QUICK, "config", "bench wake --help", "bench asr --help", "bench mic --help"}
"""Commands that end by themselves and need nothing; others are only parsed."""

PLACEHOLDERS = {"URI": "tcp://there:10700", "tcp://HOST:10700": "tcp://there:10700", "...": "--help", "COMMAND": "run"}


def evaluate_nothing(example: Example) -> None:
    del example


def blocks(page: Path, language: str) -> list[Example]:
    return list(Document.parse(str(page), CodeBlockParser(language, evaluate_nothing)).examples())


def with_blocks(language: str) -> list[Any]:
    return [pytest.param(page, id=page.name) for page in PAGES if blocks(page, language)]


@pytest.mark.parametrize("page", with_blocks("python"))
def test_code_runs_from_top_to_bottom(page: Path) -> None:
    names: dict[str, Any] = {"__name__": "example"}
    for example in blocks(page, "python"):
        code = compile("\n" * (example.line + 1) + str(example.parsed), str(page), "exec")
        with redirect_stdout(io.StringIO()):
            exec(code, names)  # the code is from our own documents


@pytest.mark.parametrize("page", with_blocks("yaml"))
def test_configuration_is_accepted(page: Path, tmp_path: Path) -> None:
    for number, example in enumerate(blocks(page, "yaml")):
        text = str(example.parsed)
        if yaml.safe_load(text).keys() <= DEFAULTS.keys():
            path = tmp_path / f"{number}.yaml"
            path.write_text(text)
            load(path, {})
        else:
            assert yaml.safe_load(text).keys() & {"scrape_configs", "services"}, f"{page.name}: {text}"


def commands(page: Path) -> Iterator[list[str]]:
    """Each irene-wyoming command line of a document, without the program's name."""
    text = page.read_text()
    plain = [block for _, block in re.findall(r"^```(bash)?\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)]
    lines = [line for block in plain for line in block.splitlines()]
    inline = re.findall(r"`((?:\S*/)?irene-wyoming [a-z-][^`]*)`", text)
    for line in (*lines, *inline):
        for found in re.findall(r"(?:^|[\s/])irene-wyoming ([a-z][^|;&>]*)", line.replace("\n", " ")):
            words = shlex.split(found.partition(" #")[0])
            if words and words[0] in COMMANDS:
                yield [PLACEHOLDERS.get(word, word) for word in words]


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in PAGES if any(commands(page))])
def test_every_command_exists(page: Path) -> None:
    for words in commands(page):
        bare = len(words) == 1 or words[-1] == "bench"  # named in a text, not shown in use
        parser, given = build_parser(words[0]), [*words, "--help"] if bare else words
        ended = exit_code(partial(parsed, parser, given))
        assert ended == 0, f"{page.name}: irene-wyoming {shlex.join(words)}"


def parsed(parser: argparse.ArgumentParser, words: list[str]) -> int:
    parser.parse_args(words)
    return 0


def exit_code(call: Callable[[], int]) -> int:
    try:
        return call()
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.mark.parametrize("command", sorted(RUN))
def test_what_ends_by_itself_runs(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = [shlex.join(words) for page in PAGES for words in commands(page)]
    assert command in shown, "no document shows it any more"
    assert exit_code(lambda: main(shlex.split(QUICK.get(command, command)))) in {0, 1}  # 1: it misses a target
    assert capsys.readouterr().out


@pytest.mark.parametrize("page", with_blocks("bash"))
def test_shell_lines_are_well_formed(page: Path) -> None:
    for example in blocks(page, "bash"):
        assert subprocess.run(["bash", "-n", "-c", str(example.parsed)]).returncode == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_key_exists(page: Path) -> None:
    for path in re.findall(
        r"`((?:wake|asr|mic|front|discovery|metrics|supervise)\.[a-z_.]+)(?:: [^`]*)?`", page.read_text()
    ):
        here: Any = DEFAULTS
        for key in path.split("."):
            assert key in here, f"{page.name}: {path}"
            here = here[key]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in page.read_text().splitlines()
        if line.startswith("#")
    }
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith("#"):
            assert target[1:] in headings, f"{page.name}: {target}"
        elif "://" not in target:
            assert (page.parent / target.partition("#")[0]).exists(), f"{page.name}: {target}"


def test_the_target_table_is_that_of_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(lambda: main(["bench", "--suite", "tuning", "--quick", "--json"])) in {
        0,
        1,
    }  # 1: it misses a target
    targets = json.loads(capsys.readouterr().out)["targets"]
    shown = re.findall(r"^\| (\w[^|]*) \| (voice trigger|speech-to-text) \| ([^|]*) \| ([<>][^|]*) \| ([^|]*) \|$",
                       (ROOT / "docs/performance-tuning.md").read_text(), re.MULTILINE)  # fmt: skip
    assert [row[:4] for row in shown] == [
        tuple(target[key] for key in ("group", "server", "about", "limit")) for target in targets
    ]
    for row, target in zip(shown, targets, strict=True):
        assert row[4].strip("*").split()[1:] == target["value"].split()[1:], "another unit"
        if target["group"] == "cache":  # does not depend on the machine
            assert row[4] == target["value"]
            assert target["kept"]


def test_troubleshooting_has_every_finding_of_check() -> None:
    """troubleshooting.md names all things that ``check`` looks at."""
    text = (ROOT / "docs/troubleshooting.md").read_text()
    table = set(re.findall(r"^\| `([a-z_.]+)` \|", text, re.MULTILINE))
    sources = "".join(
        (ROOT / "irene_wyoming" / name).read_text() for name in ("app/check.py", "app/opening.py", "cli/check.py")
    )
    abouts = re.findall(r"Finding\(\s*[\w.]+,\s*f?\"([^\"]+)\"", sources)
    assert len(set(abouts)) > 3
    for about in abouts:
        plain = re.sub(r"\{[^}]*\}", "", about).strip(". ")
        assert any(known.endswith(plain) for known in table), about
