"""Metrics of several processes, joined: real processes, killed and started again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import Gauge

from irene_wyoming import metrics
from irene_wyoming.app import shared_metrics
from irene_wyoming.app.shared_metrics import PREFIX, RESERVED_BYTES, SharedFigures, shared_figures

COUNT = """
from irene_wyoming import metrics
metrics.REFUSED.labels("wake", "protocol-error").inc()
metrics.CONNECTIONS.labels("wake").inc()
metrics.PROVIDER_UP.labels("wake", "openwakeword").set(1)
metrics.LOOP_LAG_SECONDS.labels("wake").observe(0.001)
"""
SHOW = "from irene_wyoming.web.exposition import rendered; print(rendered().decode())"


def python(code: str, name: str) -> str:
    env = os.environ | {shared_metrics.PROCESS_VARIABLE: name}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout


def values(text: str) -> dict[str, float]:
    lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def test_the_names_of_the_variables_are_those_of_metrics() -> None:
    assert shared_metrics.FOLDER_VARIABLE == metrics.FOLDER_VARIABLE
    assert shared_metrics.PROCESS_VARIABLE == metrics.PROCESS_VARIABLE


def test_a_server_that_is_started_again_goes_on_counting(tmp_path: Path) -> None:
    with shared_figures(["front", "wake"], tmp_path) as figures:
        assert figures is not None
        reserved = sorted(figures.folder.iterdir())
        for _ in range(3):
            python(COUNT, "wake")
            figures.forget_state("wake")
        shown = values(python(SHOW, "front"))
        assert shown['irene_refused_total{code="protocol-error",server="wake"}'] == 3
        assert shown['irene_loop_lag_seconds_count{server="wake"}'] == 3
        assert 'irene_connections{server="wake"}' not in shown
        assert sorted(figures.folder.iterdir()) == reserved, "a file that no room was reserved for, or was left behind"


def test_what_is_so_while_a_server_lives_is_shown_by_one_line_for_all(tmp_path: Path) -> None:
    with shared_figures(["front", "wake"], tmp_path):
        python(COUNT, "wake")
        shown = values(python(SHOW, "front"))
        assert shown['irene_connections{server="wake"}'] == 1
        assert shown['irene_provider_up{kind="wake",provider="openwakeword"}'] == 1


def test_room_is_reserved_for_every_kind_that_is_used() -> None:
    gauges = [metric for metric in vars(metrics).values() if isinstance(metric, Gauge)]
    modes = {f"gauge_{gauge._multiprocess_mode}" for gauge in gauges}  # noqa: SLF001  # available nowhere else
    assert modes <= RESERVED_BYTES.keys()


def test_files_have_no_holes(tmp_path: Path) -> None:
    SharedFigures(tmp_path).reserve("wake")
    for file in tmp_path.iterdir():
        assert file.stat().st_blocks * 512 >= file.stat().st_size > 0


def test_folders_of_killed_runs_are_removed_and_others_are_not(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    abandoned, alive, foreign = (tmp_path / f"{PREFIX}{what}-x" for what in (ended.pid, os.getpid(), "letters"))
    for folder in (abandoned, alive, foreign):
        folder.mkdir()
    with shared_figures(["front"], tmp_path) as figures:
        assert figures is not None
        assert os.environ[metrics.FOLDER_VARIABLE] == str(figures.folder)
        assert set(tmp_path.iterdir()) == {alive, foreign, figures.folder}
    assert metrics.FOLDER_VARIABLE not in os.environ
    assert set(tmp_path.iterdir()) == {alive, foreign}


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with shared_figures(["front"], tmp_path / "nowhere") as figures:
        assert figures is None
        assert metrics.FOLDER_VARIABLE not in os.environ
    assert "only those of this process" in caplog.text


def test_a_full_disk_is_told_and_costs_the_figures_only(tmp_path: Path) -> None:
    """No file of the process may exceed 1000 bytes, so that reserving room fails as on a full disk."""
    code = f"""
import logging, resource, signal
from pathlib import Path
from irene_wyoming.app.shared_metrics import shared_figures
logging.basicConfig()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
with shared_figures(["front"], Path({str(tmp_path)!r})) as figures:
    assert figures is None
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "there is no room" in done.stderr
    assert list(tmp_path.iterdir()) == []
