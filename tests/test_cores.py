"""The number of granted cores, from files as Linux writes them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from irene_wyoming.cores import granted, spare

MAY_RUN_ON = len(os.sched_getaffinity(0))


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_without_cgroups_it_is_what_the_scheduler_allows(tmp_path: Path) -> None:
    assert granted(tmp_path) == MAY_RUN_ON


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("max 100000", MAY_RUN_ON),
        ("50000 100000", 1),
        ("100000 100000", 1),
        ("9900000 100000", MAY_RUN_ON),
        ("", MAY_RUN_ON),
    ],
)
def test_a_containers_limit_counts(tmp_path: Path, quota: str, cores: int) -> None:
    write(tmp_path, "sys/fs/cgroup/cpu.max", f"{quota}\n")
    assert granted(tmp_path) == cores


@pytest.mark.skipif(MAY_RUN_ON < 2, reason="one core cannot be halved")
def test_the_tightest_limit_above_us_counts(tmp_path: Path) -> None:
    write(tmp_path, "proc/self/cgroup", "1:name=systemd:/x\n0::/system.slice/irene.service\n")
    write(tmp_path, "sys/fs/cgroup/system.slice/cpu.max", "max 100000\n")
    write(tmp_path, "sys/fs/cgroup/system.slice/irene.service/cpu.max", "120000 100000\n")
    assert granted(tmp_path) == 2
    write(tmp_path, "sys/fs/cgroup/system.slice/cpu.max", "80000 100000\n")
    assert granted(tmp_path) == 1


def test_a_limit_of_older_systems_counts(tmp_path: Path) -> None:
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n")
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
    assert granted(tmp_path) == 1
    write(tmp_path, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
    assert granted(tmp_path) == MAY_RUN_ON


@pytest.mark.parametrize(
    ("quota", "cores"), [("100000 100000", 1), ("150000 100000", 1), ("max 100000", MAY_RUN_ON - 1)]
)
def test_one_core_is_kept_for_others_unless_it_is_the_only_one(tmp_path: Path, quota: str, cores: int) -> None:
    write(tmp_path, "sys/fs/cgroup/cpu.max", f"{quota}\n")
    assert spare(tmp_path) == max(1, cores)


def test_a_quota_of_the_service_counts_for_what_is_left_of_its_cores(tmp_path: Path) -> None:
    """systemd's CPUQuota=100%, on a machine of any size: the limit is our own group's, not the mount's."""
    write(tmp_path, "proc/self/cgroup", "0::/system.slice/irene.service\n")
    write(tmp_path, "sys/fs/cgroup/cpu.max", "max 100000\n")
    write(tmp_path, "sys/fs/cgroup/system.slice/irene.service/cpu.max", "100000 100000\n")
    assert granted(tmp_path) == spare(tmp_path) == 1


def test_every_command_tells_openmp() -> None:
    shown = "import os, irene_wyoming.__main__; print(os.environ['OMP_NUM_THREADS'])"
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    for given, expected in ({}, str(granted())), ({"OMP_NUM_THREADS": "7"}, "7"):
        ran = subprocess.run([sys.executable, "-c", shown], env=environment | given, capture_output=True, text=True)
        assert ran.stdout.strip() == expected
