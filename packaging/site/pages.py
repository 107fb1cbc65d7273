"""Puts the documents that lie outside of docs/ into the site, too, and lets links find them there.

A hook of MkDocs (https://www.mkdocs.org/user-guide/configuration/#hooks).
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]

PAGES = {
    "README.md": "index.md",
    "DOCS.md": "DOCS.md",
    "ARCHITECTURE.md": "ARCHITECTURE.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "LICENCES.md": "LICENCES.md",
    "examples/README.md": "examples.md",
}
"""By its place in the repository: the page of the site."""


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages, and the files that they link to and that are none."""
    for place, page in PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / place)))
    for path in (ROOT / "LICENSE", *(ROOT / "examples").rglob("*.py")):
        files.append(File.generated(config, str(path.relative_to(ROOT)), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_more: object) -> str:
    """Point links at where their targets are in the site."""
    places = {site: place for place, site in PAGES.items()}
    folder = Path(places.get(page.file.src_uri, f"docs/{page.file.src_uri}")).parent

    def moved(found: re.Match[str]) -> str:
        target, anchor = found[1], found[2] or ""
        if re.match(r"[a-z]+:", target):
            return found[0]
        path = (ROOT / folder / target).resolve().relative_to(ROOT)
        if path.is_relative_to("docs"):
            path = path.relative_to("docs")
        if (ROOT / path).is_dir():
            path = next((ROOT / path).rglob("engine.py"), next((ROOT / path).rglob("*.py"))).relative_to(ROOT)
        return f"]({PAGES.get(str(path), path)}{anchor})"

    return re.sub(r"\]\(([^)#\s]+)(#[^)\s]*)?\)", moved, markdown)
