"""The catalogue: a user's file over the packaged one, mirrors, and errors in a file."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from irene_wyoming.errors import ConfigError
from irene_wyoming.models.catalogue import entry, load

FILE: dict[str, Any] = {"url": "https://example.org/a/b.zip", "sha256": None, "size": 5}
ROW: dict[str, Any] = {
    "engine": "vosk",
    "name": "vosk-model-small-en-us-0.15",
    "languages": ["en"],
    "licence": "Apache-2.0",
    "files": [FILE],
}


def written(path: Path, *rows: Any) -> Path:
    path.write_text(json.dumps({"format": 1, "models": rows}))
    return path


def test_a_file_of_the_users_goes_before_the_packaged_one(tmp_path: Path) -> None:
    more = written(tmp_path / "mine.json", ROW, ROW | {"name": "new-one"})
    catalogue = load(more)
    assert entry(str(ROW["name"]), catalogue).files[0].url == "https://example.org/a/b.zip"
    assert entry("new-one", catalogue).size == 5
    assert len(catalogue) == len(load()) + 1


def test_a_mirror_stands_for_every_host() -> None:
    for known, mirrored in zip(load(), load(mirror="http://nas.local/models/"), strict=True):
        for file, other in zip(known.files, mirrored.files, strict=True):
            assert other.url.startswith("http://nas.local/models/")
            assert file.url.endswith(other.url.removeprefix("http://nas.local/models"))
            assert other.sha256 == file.sha256


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("text", "model 1: expected engine, name and licence"),
        (ROW | {"name": "../up"}, "the name without '/'"),
        (ROW | {"languages": "en"}, "languages: expected a list"),
        (ROW | {"files": []}, "files: expected a list"),
        (ROW | {"files": [{"url": "file:///etc/passwd"}]}, "url: 'file:///etc/passwd': expected an address"),
        (ROW | {"files": [{"url": "http://[::1/b"}]}, r"url: 'http://\[::1/b': expected an address.*Invalid IPv6"),
        (ROW | {"files": [{"url": "https://a/b", "sha256": "abc"}]}, "sha256: 'abc': expected 64"),
        (ROW | {"files": [{"url": "https://a/b", "size": "5"}]}, "size: '5': expected bytes"),
    ],
)
def test_what_is_wrong_with_a_row_is_told(tmp_path: Path, row: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load(written(tmp_path / "mine.json", row))


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"{", "no JSON"), (b"[]", "expected {"), (b"\xff\xfe", "no JSON"), (b"[" * 200_000, "no JSON")],
)
def test_what_is_no_catalogue_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        load(path)
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none")
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(ConfigError, match="not a file, but a named pipe"):
        load(tmp_path / "pipe.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"engine": "../../home"}, "the engine in small letters"),
        ({"engine": "Vosk "}, "the engine in small letters"),
        ({"name": "a\\b"}, "the name without '/'"),
        ({"name": " m"}, "the name without '/'"),
        ({"name": "x" * 300}, "not longer than 128 characters"),
        ({"languages": ["../en"]}, "a list of tags"),
        ({"languages": ["e" * 40]}, "a list of tags"),
    ],
)
def test_a_row_leads_nowhere_else(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        load(written(tmp_path / "mine.json", ROW | change))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "https://example.org/a/.."}, "ends with the name of a file"),
        ({"url": "https://example.org/a/."}, "ends with the name of a file"),
        ({"url": "https://example.org/.ssh"}, "ends with the name of a file"),
        ({"url": "https://example.org/a\\..\\b"}, "ends with the name of a file"),
        ({"url": "https://example.org/" + "x" * 5000}, "ends with the name of a file"),
        ({"url": "https://me:secret@example.org/b.zip"}, "without a name and a password"),
        ({"sha256": "z" * 64}, "64 hexadecimal digits"),
        ({"sha256": "\N{ARABIC-INDIC DIGIT ZERO}" * 64}, "64 hexadecimal digits"),
        ({"size": 10**30}, "at most 1099511627776"),
    ],
)
def test_a_file_leads_nowhere_else_and_shows_no_password(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        load(written(tmp_path / "mine.json", ROW | {"files": [FILE | change]}))
    assert "secret" not in str(raised.value)
    assert len(str(raised.value)) < 1_000


def test_two_files_of_one_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="end with the same name"):
        load(written(tmp_path / "mine.json", ROW | {"files": [FILE, FILE]}))
