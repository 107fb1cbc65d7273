"""Files that a user names, and other things at their paths."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from irene_wyoming import files


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[Path]:
    """A folder with one of every kind of thing that is no file."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir()
    (tmp_path / "zero").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        yield tmp_path


ODD = [
    ("pipe", "not a file, but a named pipe"),
    ("loop", "Too many levels of symbolic links"),
    ("folder", "Is a directory"),
    ("zero", "not a file, but a device"),
    ("socket", "No such device or address"),
    ("gone", "No such file or directory"),
    ("a\0b", "no name of a file"),
]


@pytest.mark.parametrize(("name", "reason"), ODD)
def test_what_is_no_file_is_said_in_words_and_nobody_waits(odd: Path, name: str, reason: str) -> None:
    for look in (lambda path: files.read(path, 10), files.require):
        with pytest.raises(OSError) as refusal:  # noqa: PT011  # its text is checked below
            look(odd / name)
        assert refusal.value.strerror == reason


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert files.read(path, 5) == b"12345"
    with pytest.raises(OSError, match="larger than 4 bytes"):
        files.read(path, 4)
