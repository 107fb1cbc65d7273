"""``bench wake --recall``: words of recordings through a real wake server."""

import argparse
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from irene_wyoming.app.wake import wake_server
from irene_wyoming.bench import wake_recall as bench
from irene_wyoming.bench.mixing import Condition
from irene_wyoming.bench.people import Folder, Spoken
from irene_wyoming.bench.wake_recall import FalseRow, Listener, false_accepts, known, listen, recall
from irene_wyoming.cli.bench import wake_recall
from irene_wyoming.config.model import Config
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.household.alone import ONE_THREAD
from irene_wyoming.wire.hear import Recording
from tests.cli.test_bench import run
from tests.conftest import SPEECH_DIR

WORDS = ("alexa", "okay_nabu")


@pytest.fixture(autouse=True)
def threads_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the variables that the command sets for numpy, so that other tests are not affected."""
    for name in ONE_THREAD:
        monkeypatch.setenv(name, "1")


async def test_recordings_are_judged_by_their_word_at_any_pace(
    configured: Callable[..., Config], speech: Callable[[str], Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    alexa = Spoken("alexa_slt", speech("wake/alexa_slt").pcm, "")
    nabu = Spoken("okay_nabu_rms", speech("wake/okay_nabu_rms").pcm, "")
    async with wake_server(configured()) as service:
        listener = Listener(service.address, "engines", "openwakeword", WORDS)
        await known(service.address, WORDS)
        with pytest.raises(ServerUnavailable, match=r"does not know hey_you; it knows .*alexa"):
            await known(service.address, ["hey_you"])
        row = await recall(listener, "alexa", Folder("some", (alexa, nabu)), Condition())
        false = await false_accepts(listener, Folder("others", (alexa, alexa, nabu)))
        monkeypatch.setattr(bench, "LEAD_S", 1.0)  # what is sent live takes as long as it is
        pcm = alexa.pcm + bytes(16_000)
        fast, live = await listen(listener, pcm), await listen(replace(listener, realtime=True), pcm)
    assert (row.heard, row.missed, row.others) == (1, ("okay_nabu_rms",), ("okay_nabu_rms: okay_nabu",))
    assert row.recall == 0.5
    assert false.accepts == ("alexa_slt: alexa", "alexa_slt: alexa", "okay_nabu_rms: okay_nabu")
    assert false.per_hour == pytest.approx(3 / false.hours)
    assert fast == live
    assert [hit.word for hit in fast] == ["alexa"]


def test_the_command_measures_each_folder_and_condition(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    shutil.copy(SPEECH_DIR / "wake" / "alexa_slt.wav", tmp_path / "mine" / "alexa_1.wav")
    (tmp_path / "others").mkdir()
    shutil.copy(SPEECH_DIR / "asr" / "she_turned_around_and_walked_away.wav", tmp_path / "others")
    folders = ("--recall", f"alexa={tmp_path / 'mine'}", "--other", str(tmp_path / "others"))
    (tmp_path / "one_stage.yaml").write_text('wake: {verify: "off"}')
    noise = (
        "--noise",
        "pink",
        "--snr",
        "30",
        "--engine",
        "microwakeword",
        "--config",
        str(tmp_path / "one_stage.yaml"),
    )
    assert run("wake", *folders, *noise, "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    found = [(row["word"], row["noise"], row["snr_db"], row["recall"]) for row in printed["recall"]]
    assert found == [("alexa", "none", None, 1), ("alexa", "pink", 30, 1)]
    assert [(row["folder"], row["per_hour"]) for row in printed["false_accepts"]] == [("others", 0)]


def test_a_configuration_with_a_second_look_is_measured_with_and_without_it(tmp_path: Path) -> None:
    assert list(wake_recall.stages(argparse.Namespace(config=None))) == ["engines", "verified"]
    (tmp_path / "one_stage.yaml").write_text('wake: {verify: "off"}')
    assert list(wake_recall.stages(argparse.Namespace(config=tmp_path / "one_stage.yaml"))) == ["engines"]


def test_people_see_what_was_taken_for_a_word() -> None:
    false = FalseRow("engines", "all", "libri", 0.5, ("libri_003: alexa",))
    assert list(wake_recall.lines([], [false]))[-1].split() == [
        "engines", "all", "libri", "30.0", "1", "2.00", "libri_003:", "alexa",
    ]  # fmt: skip
