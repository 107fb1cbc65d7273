"""How many cores there are to use."""

import os
from pathlib import Path

import pytest

from irene_wyoming.engines import cores

ALLOWED = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000", ALLOWED),
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("999900000 100000", ALLOWED),
        ("nonsense", ALLOWED),
    ],
)
def test_a_containers_share_counts(tmp_path: Path, quota: str, expected: int) -> None:
    (tmp_path / "cpu.max").write_text(f"{quota}\n")
    assert cores.usable(tmp_path / "cpu.max") == expected


def test_without_a_share_the_cores_that_this_process_may_run_on_count(tmp_path: Path) -> None:
    assert cores.usable(tmp_path / "nothing") == ALLOWED


def test_one_core_is_kept_for_others_unless_it_is_the_only_one(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    assert cores.spare(tmp_path / "cpu.max") == 1
    assert cores.spare(tmp_path / "nothing") == max(1, ALLOWED - 1)
