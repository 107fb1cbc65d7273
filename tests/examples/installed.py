"""Makes a package of examples/ importable, as pip would install it."""

import importlib
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.config.files import ROOT

EXAMPLES = ROOT / "examples"


@contextmanager
def installed(folder: str, site: Path) -> Iterator[None]:
    """Make a package's modules and entry points available until the end of the context.

    :param site: an empty folder for the package's metadata.
    """
    project = tomllib.loads((EXAMPLES / folder / "pyproject.toml").read_text())["project"]
    information = site / f"{folder}-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1\n")
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {place}" for name, place in points.items()))
    ]
    (information / "entry_points.txt").write_text("\n".join(lines))
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        patch.syspath_prepend(EXAMPLES / folder)
        importlib.invalidate_caches()
        yield
    for name in set(sys.modules) - before:
        if str(EXAMPLES) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
