"""The signs of ``check`` and ``doctor`` are coloured in a terminal."""

import io
import sys

import pytest

from irene_wyoming.app.findings import Level
from irene_wyoming.cli.signs import SIGNS, sign


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_colours_and_a_file_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert [sign(level) for level in Level] == [SIGNS[level] for level in Level]
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert sign(Level.ERROR) == f"\x1b[31m{SIGNS[Level.ERROR]}\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert sign(Level.ERROR) == SIGNS[Level.ERROR]
