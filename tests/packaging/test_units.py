"""The systemd units: systemd accepts them, and they start commands of the program."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from irene_wyoming.__main__ import build_parser
from tests.config.files import ROOT

UNITS = sorted((ROOT / "packaging").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_reads_it(unit: Path, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    copy = tmp_path / unit.name.replace("@", "@wake")
    copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE))
    ran = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True)
    assert [line for line in ran.stderr.splitlines() if unit.name.partition("@")[0] in line] == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_what_it_starts_is_a_command(unit: Path) -> None:
    [line] = re.findall(r"^ExecStart=\S+/irene-wyoming (.*)$", unit.read_text(), re.MULTILINE)
    for server in ("wake", "asr", "mic"):
        words = line.replace("%i", server).split()
        assert build_parser(words[0]).parse_args(words).config == Path("/etc/irene-wyoming.yaml")
