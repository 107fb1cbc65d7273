"""Recordings on the page: listing, serving, labelling, removing, and refusals."""

import json
import os
import wave
from pathlib import Path

import pytest

from irene_wyoming.app import page_recordings
from irene_wyoming.app.page_command import command
from irene_wyoming.app.page_jobs import Jobs
from irene_wyoming.app.page_recordings import MAX_BYTES, Recordings
from irene_wyoming.errors import LimitExceeded, UnsupportedRequest
from tests.conftest import SPEECH_DIR, until

FIRST = "20260102T030405.000000Z-activation-okay_nabu.wav"
SECOND = "20260102T030406.000000Z-near-miss-okay_nabu.wav"


@pytest.fixture
def recordings(tmp_path: Path) -> Recordings:
    for number, name in enumerate((FIRST, SECOND)):
        (tmp_path / name).write_bytes(b"RIFF" + bytes(40 + 32_000 * (number + 1)))
        facts = {"word": "okay_nabu", "score": 0.5 + number / 10, "level_dbfs": -30.0, "snr_db": None, "scores": []}
        (tmp_path / name).with_suffix(".json").write_text(json.dumps(facts))
    (tmp_path / "something else.wav").write_bytes(b"not ours")
    return Recordings(tmp_path)


def test_the_newest_comes_first_with_what_is_known_of_it(recordings: Recordings) -> None:
    listed = recordings.listed()
    assert [each["name"] for each in listed["recordings"]] == [SECOND, FIRST]
    assert listed["recordings"][0] == {
        "name": SECOND,
        "time": "20260102T030406.000000Z",
        "kind": "near-miss",
        "word": "okay_nabu",
        "label": "",
        "seconds": 2.0,
        "score": 0.6,
        "level_dbfs": -30.0,
        "snr_db": None,
    }
    (recordings.folder / FIRST).with_suffix(".json").write_text("[" * 100_000)
    assert recordings.listed()["recordings"][1]["score"] is None
    assert Recordings(recordings.folder / "none").listed() == {"recordings": [], "of": 0, "labels": {}}


def test_a_label_moves_a_recording_to_where_it_is_tuned_from_and_back(recordings: Recordings) -> None:
    recordings.label(FIRST, "okay_nabu")
    recordings.label(SECOND, "negative")
    assert recordings.of_label("okay_nabu") == [recordings.folder / "labelled" / "okay_nabu" / FIRST]
    assert recordings.listed()["labels"] == {"okay_nabu": 1, "negative": 1}
    assert recordings.read(SECOND).startswith(b"RIFF")
    recordings.label(FIRST, "alexa")
    recordings.label(FIRST, "")
    assert (recordings.folder / FIRST).with_suffix(".json").is_file()
    recordings.remove(FIRST)
    recordings.remove(SECOND)
    assert recordings.listed()["recordings"] == []


@pytest.mark.parametrize(
    "name",
    ["something else.wav", "../" + FIRST, f"labelled/{FIRST}", FIRST.replace(".wav", ".json"), "", "..", FIRST + "\0"],
)
def test_only_recordings_are_served_labelled_and_removed(recordings: Recordings, name: str) -> None:
    for attempt in (recordings.read, recordings.remove, lambda name: recordings.label(name, "alexa")):
        with pytest.raises(UnsupportedRequest, match="there is no recording"):
            attempt(name)


@pytest.mark.parametrize("label", ["..", ".hidden", "a/b", "positive", "x" * 65, "a b", "\0"])
def test_a_label_cannot_leave_the_folder(recordings: Recordings, label: str) -> None:
    with pytest.raises(UnsupportedRequest, match="cannot be a label"):
        recordings.label(FIRST, label)
    assert (recordings.folder / FIRST).is_file()


def test_links_pipes_and_what_is_too_large_are_not_served(recordings: Recordings) -> None:
    path = recordings.folder / FIRST
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(UnsupportedRequest):
        recordings.read(FIRST)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UnsupportedRequest):
        recordings.read(FIRST)
    path.unlink()
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(UnsupportedRequest, match="larger than any recording"):
        recordings.read(FIRST)


def test_labelled_recordings_are_bounded(recordings: Recordings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_recordings, "MAX_LABELLED", 1)
    recordings.label(FIRST, "okay_nabu")
    recordings.label(FIRST, "alexa")  # it has that label already
    with pytest.raises(LimitExceeded, match="remove some"):
        recordings.label(SECOND, "okay_nabu")


def labelled(folder: Path, label: str, files: list[str]) -> None:
    """Put labelled recordings of a household into a folder."""
    (folder / "labelled" / label).mkdir(parents=True)
    for number, name in enumerate(files):
        content = (SPEECH_DIR / "wake" / f"{name}.wav").read_bytes()
        (folder / "labelled" / label / f"20260102T0304{number:02}.000000Z-activation-{label}.wav").write_bytes(content)


async def test_a_word_is_tuned_in_a_process_of_its_own(tmp_path: Path) -> None:
    labelled(tmp_path, "okay_nabu", ["okay_nabu_rms", "okay_nabu_kal16"])
    labelled(tmp_path, "negative", ["alexa_slt"])
    with wave.open(str(tmp_path / "labelled" / "negative" / "quiet.wav"), "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(16_000)
        audio.writeframes(bytes(32_000 * 10))
    jobs = Jobs(command(None))
    await jobs.tune(Recordings(tmp_path), "okay_nabu")
    told: list[str] = []

    def done() -> bool:
        state = jobs.state()
        assert state is not None
        told.append(state["text"])
        return bool(state["done"])

    await until(done)
    state = jobs.state()
    assert state is not None
    assert state["trouble"] == "", state
    (result,) = state["result"]
    assert (result["word"], result["positives"], result["enough"]) == ("okay_nabu", 2, True)
    assert result["best"]["recall"] == 1.0
    assert any("of 4 recordings" in text for text in told)


async def test_too_few_recordings_are_told_before_anything_starts(tmp_path: Path) -> None:
    labelled(tmp_path, "alexa", ["alexa_slt"])
    jobs = Jobs(command(None))
    with pytest.raises(UnsupportedRequest, match="label at least 2"):
        await jobs.tune(Recordings(tmp_path), "alexa")
    with pytest.raises(UnsupportedRequest, match="these are 1"):
        await jobs.learn(Recordings(tmp_path), "alexa", "my_alexa", "Alexa")
    for name, phrase in (("--output", "Alexa"), ("../x", "Alexa"), ("my_alexa", "--device"), ("my_alexa", "")):
        with pytest.raises(UnsupportedRequest, match="cannot be"):
            await jobs.learn(Recordings(tmp_path), "alexa", name, phrase)
    assert jobs.state() is None


async def test_what_runs_ends_when_it_is_stopped_and_with_the_page(tmp_path: Path) -> None:
    labelled(tmp_path, "alexa", ["alexa_slt"] * 5)
    began = tmp_path / "began"
    code = f"import os, time; open({str(began)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    jobs = Jobs(lambda _: ("python3", "-c", code))

    def running() -> bool:
        return began.is_file() and bool(began.read_text())

    for end in (jobs.stop, lambda: None):
        began.unlink(missing_ok=True)
        await jobs.learn(Recordings(tmp_path), "alexa", "my_alexa", "Alexa")
        with pytest.raises(UnsupportedRequest, match="wait for it"):
            await jobs.learn(Recordings(tmp_path), "alexa", "my_alexa", "Alexa")
        await until(running)
        process = int(began.read_text())
        end()
        await jobs.close()
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
        state = jobs.state()
        assert state is not None
        assert state["done"]
