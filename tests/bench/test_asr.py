"""bench asr: its arithmetic, and one small run against a real server in a process of its own."""

import json
import shutil
from pathlib import Path

import pytest

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.bench.asr import Spoken, distance, percentile, summed_up
from irene_wyoming.cli.bench import asr
from irene_wyoming.errors import AudioError
from irene_wyoming.household.alone import ONE_THREAD
from irene_wyoming.wire.hear import HeardText, Recording
from tests.cli.test_bench import run
from tests.conftest import SPEECH_DIR


@pytest.fixture(autouse=True)
def threads_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command sets what numpy is to read when it is loaded: for itself, not for other tests."""
    for name in ONE_THREAD:
        monkeypatch.setenv(name, "1")


@pytest.mark.parametrize(
    ("said", "heard", "wrong"),
    [
        ("turn on the light", "turn on the light", 0),
        ("turn on the light", "", 4),
        ("", "turn on", 2),
        ("turn on the light", "turn the night", 2),
        ("a b c d", "b c d e", 2),
    ],
)
def test_distance_counts_words(said: str, heard: str, wrong: int) -> None:
    assert distance(said.split(), heard.split()) == wrong


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(value) for value in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.95, 1.0)] == [50, 95, 100]
    assert percentile([7.0], 0.95) == 7
    assert percentile([], 0.5) is None


def test_sentences_and_what_is_none_are_judged_apart() -> None:
    sound = Recording(SPEECH, bytes(32_000))

    def heard(text: str, delay_s: float) -> HeardText:
        return HeardText(text, "en", delay_s)

    row = summed_up(
        "irene-asr",
        2,
        [
            (Spoken("a", sound, "Turn on the light."), heard("turn on the light", 0.1)),
            (Spoken("b", sound, "turn it off"), heard("turn on off", 0.2)),
            (Spoken("c", sound, ""), heard("", 0.3)),
            (Spoken("d", sound, ""), None),
        ],
        rtf=None,
        memory_mb=None,
    )
    assert (row.recordings, row.failed, row.exact, row.rejected) == (4, 1, 0.5, 1.0)
    assert row.wer == pytest.approx(1 / 7)
    assert row.after_p95_ms == pytest.approx(300)


def test_recordings_without_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no wav file there"):
        asr.recordings(tmp_path)
    shutil.copy(SPEECH_DIR / "asr" / "set_a_timer_for_five_minutes.wav", tmp_path)
    with pytest.raises(AudioError, match=r"set_a_timer_for_five_minutes\.txt"):
        asr.recordings(tmp_path)


def test_a_run_measures_every_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (
        ("set_a_timer_for_five_minutes", "Set a timer for five minutes."),
        ("she_turned_around_and_walked_away", ""),
    ):
        shutil.copy(SPEECH_DIR / "asr" / f"{name}.wav", tmp_path)
        (tmp_path / f"{name}.txt").write_text(text)
    assert run("asr", str(tmp_path), "--clients", "1,2", "--fast", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["program"], row["clients"]) for row in rows] == [
        (program, clients) for program in ("irene-asr", "sphinx") for clients in (1, 2)
    ]
    for row in rows:
        assert (row["exact"], row["rejected"], row["wer"], row["failed"]) == (1, 1, 0, 0)
        assert row["rtf"] > 0
        assert row["memory_mb"] > 20
