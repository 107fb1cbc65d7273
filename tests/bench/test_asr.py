"""``bench asr``: its arithmetic, and one small run against a real server in a process of its own."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from irene_wyoming.app.asr import asr_server
from irene_wyoming.bench.asr import Answer, Cost, Subject, percentile, programs, summed_up
from irene_wyoming.bench.installed import installed
from irene_wyoming.bench.mixing import Condition
from irene_wyoming.bench.people import Spoken
from irene_wyoming.config.model import Config
from irene_wyoming.household.alone import ONE_THREAD
from irene_wyoming.wire.hear import HeardText
from tests.cli.test_bench import run
from tests.conftest import SPEECH_DIR
from tests.models import sherpa


@pytest.fixture(autouse=True)
def threads_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the variables that the command sets for numpy, so that other tests are not affected."""
    for name in ONE_THREAD:
        monkeypatch.setenv(name, "1")


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(value) for value in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.95, 1.0)] == [50, 95, 100]
    assert percentile([7.0], 0.95) == 7
    assert percentile([], 0.5) is None


def answer(said: str, heard: str | None, kind: str | None = None, delay_s: float = 0.1) -> Answer:
    text = None if heard is None else HeardText(heard, "en", delay_s, kind=kind)
    return Answer(Spoken(said, b"", said), 1.0, text)


def test_commands_and_other_speech_are_judged_apart() -> None:
    answers = [
        answer("Turn on the light.", "turn on the light", delay_s=0.1),
        answer("turn it off", "turn it on", delay_s=0.2),
        answer("", "", delay_s=0.3),
        Answer(Spoken("none", b"", ""), 1.0, None, "hung up"),
    ]
    row = summed_up(Subject("server", "irene-asr", "home", Condition()), answers, Cost())
    assert (row.recordings, row.failed, row.exact, row.accepted, row.wrong, row.rejected) == (4, 1, 0.5, 1, 0.5, 1)
    assert row.failure == "hung up"
    assert row.wrong_kinds == {"on/off": 1}
    assert row.wer == pytest.approx(1 / 7)
    assert row.after_p95_ms == pytest.approx(300)


def test_an_open_transcript_is_no_command() -> None:
    answers = [answer("lights on", "light song", "open"), answer("", "once upon a time", "open"), answer("", "hi")]
    row = summed_up(Subject("server", "irene-asr", "home", Condition()), answers, Cost())
    assert (row.exact, row.accepted, row.wrong, row.rejected) == (0, 0, 0, 0.5)
    assert row.wrong_kinds == {}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (
        ("set_a_timer_for_five_minutes", "Set a timer for five minutes."),
        ("she_turned_around_and_walked_away", ""),
    ):
        shutil.copy(SPEECH_DIR / "asr" / f"{name}.wav", tmp_path)
        (tmp_path / f"{name}.txt").write_text(text)
    return tmp_path


def test_a_run_measures_every_program(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    noise = ("--noise", "pink", "--snr", "30", "--level=-30")
    assert run("asr", str(folder), "--provider", "irene-asr", "--clients", "2", "--json", *noise) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["noise"], row["snr_db"], row["level_dbfs"], row["tail_s"], row["clients"]) for row in rows] == [
        ("none", None, None, 0.5, 1),
        ("pink", 30, None, 0.5, 1),
        ("none", None, -30, 0.5, 1),
        ("none", None, None, 0.7, 2),
        ("none", None, None, None, 2),
    ]
    for row in rows:
        assert (row["exact"], row["rejected"], row["wer"], row["failed"]) == (1, 1, 0, 0)
        assert row["rtf"] > 0
        assert row["memory_mb"] > row["proportional_mb"] > 20


async def test_a_peer_is_played_the_same_by_its_own_programs(
    folder: Path, configured: Callable[..., Config], capsys: pytest.CaptureFixture[str]
) -> None:
    async with asr_server(configured()) as service:
        uri = service.address.uri
        words = ("asr", str(folder), "--uri", uri, "--provider", "irene-asr", "--peer", uri, "--fast", "--json")
        assert await asyncio.to_thread(run, *words) == 0
        engines = (await programs(service.address))[1:]
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["program"] for row in rows] == ["irene-asr", "irene-asr", *engines], "all programs of the peer"
    assert [(row["exact"], row["rejected"]) for row in rows[:2]] == [(1, 1)] * 2
    assert all(row["memory_mb"] > 20 for row in rows)


def test_a_run_prints_what_wyoming_bench_prints(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("asr", str(folder), "--provider", "irene-asr", "--fast", "--wyoming-bench") == 0
    printed = capsys.readouterr().out
    assert "[non_streaming] ok=1 fail=0" in printed
    assert "WER=0.0%  CER=0.0%  SAR=100.0%" in printed


def test_every_engine_with_each_of_its_models_is_laid_side_by_side(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sherpa_onnx", reason="sherpa-onnx is not installed")
    models = tmp_path / "data" / "asr" / "sherpa"
    models.mkdir(parents=True)
    (models / "transducer-en").symlink_to(sherpa("transducer-en"))
    config = tmp_path / "my.yaml"
    config.write_text(f"data_dir: {tmp_path / 'data'}")
    assert run("asr", str(folder), "--every", "--fast", "--config", str(config), "--json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["program"], row["exact"]) for row in rows] == [("guided", 1), ("sherpa transducer-en", 1)]
    assert all(row["rtf"] > 0 and row["memory_mb"] > 20 for row in rows)


def test_sherpa_is_laid_beside_with_the_model_of_guided(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sherpa_onnx", reason="sherpa-onnx is not installed")
    assert run("asr", str(folder), "--provider", "guided", "--sherpa", "--fast", "--json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["program"] for row in rows] == ["guided", "sherpa tiny-en"]
    assert all(row["failed"] == 0 and row["rtf"] > 0 and row["memory_mb"] > 20 for row in rows)


def test_what_is_configured_or_kept_is_installed(configured: Callable[..., Config], tmp_path: Path) -> None:
    (tmp_path / "asr" / "vosk" / "small").mkdir(parents=True)
    (tmp_path / "asr" / "whisper" / "tiny").mkdir(parents=True)
    config = configured(
        DATA_DIR=str(tmp_path),
        ASR__PROVIDERS__WHISPER="{enabled: true, model: tiny}",
        ASR__PROVIDERS__SHERPA="{enabled: true, model: /elsewhere/parakeet}",
    )
    assert {one.name for one in installed(config)} == {"guided", "sherpa parakeet", "vosk small", "whisper tiny"}
    (one,) = (one for one in installed(config) if one.engine == "sherpa")
    assert one.settings({"x": 1}) == {
        "x": 1,
        "default_provider": "sherpa",
        "fallback_providers": "[]",
        "providers__sherpa__enabled": "true",
        "providers__sherpa__model": "/elsewhere/parakeet",
    }
