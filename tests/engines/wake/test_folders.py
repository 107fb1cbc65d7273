import logging
import os
import sys
from pathlib import Path

import pytest

from irene_wyoming.engines.base import EngineContext
from irene_wyoming.engines.wake.folders import (
    MAX_FILES,
    MAX_NAME,
    Folders,
    folders_of,
    options,
    phrase_of,
    version_of,
    word_name,
)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("hey_zelda.tflite", "hey_zelda"),
        ("Hey Zelda (2).tflite", "Hey_Zelda_2"),
        ("hey_zelda_v0.1.tflite", "hey_zelda_v0.1"),
        ("  grüezi  .tflite", "grüezi"),
        ("gru\u0308ezi.tflite", "grüezi"),
        ("привет.tflite", "привет"),
        ("a\nb\x1b[31m.tflite", "a_b_31m"),
        ("../up.tflite", "up"),
        ("bad\udcff.tflite", "bad"),
        ("-.-.tflite", ""),
        ("!!!.tflite", ""),
        (f"{'x' * 200}.tflite", "x" * MAX_NAME),
    ],
)
def test_a_word_is_called_by_its_file(file: str, name: str) -> None:
    assert word_name(Path(file)) == name


@pytest.mark.parametrize(
    ("name", "phrase", "version"),
    [
        ("hey_zelda", "Hey Zelda", None),
        ("hey_zelda_v0.1", "Hey Zelda", "0.1"),
        ("okay_nabu", "Okay Nabu", None),
        ("grüezi-mitenand", "Grüezi Mitenand", None),
    ],
)
def test_a_name_tells_what_to_say(name: str, phrase: str, version: str | None) -> None:
    assert phrase_of(name) == phrase
    assert version_of(name) == version


def test_only_files_that_matter_are_seen(tmp_path: Path) -> None:
    for name in ("b.tflite", "a.TFLITE", ".hidden.tflite", "._a.tflite", "a.txt", "a.tflite.part"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.tflite").mkdir()
    (tmp_path / "nowhere.tflite").symlink_to(tmp_path / "absent")
    (tmp_path / "link.tflite").symlink_to(tmp_path / "b.tflite")
    os.mkfifo(tmp_path / "pipe.tflite")
    assert [path.name for path in Folders([tmp_path], [".tflite"]).scan()] == ["a.TFLITE", "b.tflite", "link.tflite"]


def test_a_folder_may_come_and_go(tmp_path: Path) -> None:
    folders = Folders([tmp_path / "later", tmp_path], [".tflite"])
    assert folders.scan() == {}
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "a.tflite").write_bytes(b"x")
    assert [path.name for path in folders.scan()] == ["a.tflite"]
    (tmp_path / "later" / "a.tflite").unlink()
    (tmp_path / "later").rmdir()
    assert folders.scan() == {}


def test_of_a_folder_that_cannot_be_read_the_files_stay_known(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A network drive that is away for a minute must not take the words away."""
    folder = tmp_path / "drive"
    folder.mkdir()
    (folder / "a.tflite").write_bytes(b"x")
    folders = Folders([folder], [".tflite"])
    before = folders.scan()
    folder.rename(tmp_path / "away")
    folder.write_bytes(b"not a folder")
    with caplog.at_level(logging.WARNING):
        assert folders.scan() == before
        assert folders.scan() == before
    assert len(caplog.messages) == 1
    assert "drive: Not a directory" in caplog.messages[0]


def test_a_folder_full_of_files_is_read_to_a_limit(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(MAX_FILES + 5):
        (tmp_path / f"{number:04}.tflite").touch()
    folders = Folders([tmp_path], [".tflite"])
    assert len(folders.scan()) == len(folders.scan()) == MAX_FILES
    assert len([line for line in caplog.messages if "only the first" in line]) == 1


def test_the_engines_own_folder_lies_in_the_data_folder(tmp_path: Path) -> None:
    context = EngineContext(data_dir=tmp_path)
    own = tmp_path / "wake" / "openwakeword"
    assert folders_of({"folders": ("/share/a", "/share/a")}, context, "openwakeword") == [Path("/share/a"), own]
    assert own.is_dir()
    assert folders_of({"folders": ()}, EngineContext(), "openwakeword") == []


def test_a_data_folder_that_cannot_be_written_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "wake").write_bytes(b"")
    folders_of({"folders": ()}, EngineContext(data_dir=tmp_path), "openwakeword")
    assert "cannot be made" in caplog.text


@pytest.mark.parametrize("value", ["/share", [1], [""], ["a\nb"], None, {}])
def test_folders_are_a_list_of_paths(value: object) -> None:
    with pytest.raises(ValueError, match="expected a list of folders"):
        options()["folders"].check(value)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names that are no text")
def test_a_name_that_is_no_text_does_no_harm(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.tflite")).write_bytes(b"x")
    (path,) = Folders([tmp_path], [".tflite"]).scan()
    assert word_name(path) == "bad"
