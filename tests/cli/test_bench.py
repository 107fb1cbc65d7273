"""``irene-wyoming bench``: its output and exit code."""

import argparse
import json
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from irene_wyoming.bench import plot
from irene_wyoming.bench.rows import Fidelity, Held, MethodRow, Timing
from irene_wyoming.cli import common
from irene_wyoming.cli.bench import command
from irene_wyoming.errors import AudioError
from irene_wyoming.household.alone import ONE_THREAD


@pytest.fixture(autouse=True)
def threads_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the variables that the command sets for numpy, so that other tests are not affected."""
    for name in ONE_THREAD:
        monkeypatch.setenv(name, "1")


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


def test_resample_prints_rows_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("resample", "--quick", "--rates", "48000", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["machine"]["cores"] >= 1
    rows = {row["method"]: row for row in printed["rows"]}
    assert {"fast", "medium", "high", "high, whole", "linear", "soxr HQ"} <= rows.keys()
    assert rows["high"]["cost"]["20"]["least_us"] > 0
    assert rows["high"]["fidelity"]["alias_from_9k_db"] > 90
    assert {row["module"]: row["heavy"] for row in printed["imports"]}["irene_wyoming.audio.convert"] == ["numpy"]


def test_resample_prints_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("resample", "--quick", "--rates", "8000") == 0
    printed = capsys.readouterr().out
    assert "8000 to 16000 Hz" in printed
    assert "\nmedium" in printed


@pytest.mark.parametrize("text", ["fast", "1", "48000,", "48000,x"])
def test_a_rate_that_is_none_is_a_wrong_use(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run("resample", "--rates", text)
    assert "--rates" in capsys.readouterr().err


def test_a_plot_has_a_known_form_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"\.png or \.svg"):
        run("resample", "--plot", str(tmp_path / "plot.gif"))
    with pytest.raises(AudioError, match="there is no folder"):
        run("resample", "--plot", str(tmp_path / "nowhere" / "plot.png"))


def test_without_matplotlib_the_plot_says_what_to_install(tmp_path: Path) -> None:
    if find_spec("matplotlib"):
        pytest.skip("matplotlib is installed")
    with pytest.raises(AudioError, match=r"irene-wyoming\[bench\]"):
        run("resample", "--plot", str(tmp_path / "plot.png"))


@pytest.mark.parametrize("suffix", common.PLOTS)
def test_a_plot_shows_every_method(tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("matplotlib")
    cost, held, heard = {20: Timing(9, 10, 12, 5)}, Held(1, 1, 1, 0), Fidelity(60, 60, 0.1, 90, 90)
    path = tmp_path / f"plot{suffix}"
    plot.write([MethodRow("high", rate, 16_000, cost, held, heard, None) for rate in (44_100, 48_000)], path)
    assert path.stat().st_size > 1_000


def test_recall_says_where_there_is_nothing_to_hear(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no wav file there"):
        run("recall", str(tmp_path))


UNBUFFERED = os.environ | {"PYTHONUNBUFFERED": "1"}


def test_ctrl_c_ends_it_without_a_traceback() -> None:
    command = [sys.executable, "-m", "irene_wyoming", "bench", "wake"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, env=UNBUFFERED
    ) as process:
        assert process.stdout is not None
        assert any(line.startswith(b"word: ") for line in process.stdout)  # it has begun, and another process starts
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does for Ctrl-C
        _, said = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT)
    assert said == b""
