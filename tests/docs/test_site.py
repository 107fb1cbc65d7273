"""The documents as a site: it builds, all links work, and nothing is loaded from other hosts."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.config.files import ROOT

pytest.importorskip("mkdocs", reason="mkdocs is not installed")


def test_the_site_is_built_of_every_document(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "default", "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {path.stem for path in (ROOT / "docs").glob("*.md")} <= {path.name for path in tmp_path.iterdir()}
    pages = "".join(path.read_text() for path in tmp_path.rglob("*.html"))
    loaded = re.findall(
        r"<(?:script|img|iframe)[^>]*\bsrc=\"(\w+:[^\"]*)|<link[^>]*stylesheet[^>]*href=\"(\w+:[^\"]*)", pages
    )
    assert loaded == []
