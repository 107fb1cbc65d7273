"""The detected machine, from files as Linux writes them."""

import platform
from pathlib import Path

import pytest

from irene_wyoming.cores import granted
from irene_wyoming.hardware import Hardware, detect

MEMINFO = "MemTotal:        3884216 kB\nMemFree:         100000 kB\n"


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_system_that_tells_nothing_is_described_by_its_cores(tmp_path: Path) -> None:
    assert detect(tmp_path) == Hardware(granted(tmp_path), None, platform.machine())


def test_a_board_says_its_name(tmp_path: Path) -> None:
    write(tmp_path, "proc/meminfo", MEMINFO)
    write(tmp_path, "proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.2\0")
    found = detect(tmp_path)
    assert (found.memory_mb, found.board, found.gpu) == (3977, "Raspberry Pi 4 Model B Rev 1.2", False)
    assert str(found).startswith("Raspberry Pi 4 Model B Rev 1.2, ")
    assert str(found).endswith("4.0 GB")


@pytest.mark.parametrize(("limit", "memory_mb"), [("max", 3977), ("536870912", 536), ("999999999999", 3977)])
def test_the_limit_of_a_container_counts(tmp_path: Path, limit: str, memory_mb: int) -> None:
    write(tmp_path, "proc/meminfo", MEMINFO)
    write(tmp_path, "proc/self/cgroup", "0::/pod/irene\n")
    write(tmp_path, "sys/fs/cgroup/pod/memory.max", f"{limit}\n")
    write(tmp_path, "sys/fs/cgroup/pod/irene/memory.max", "max\n")
    assert detect(tmp_path).memory_mb == memory_mb


def test_a_gpu_is_there_when_its_driver_says_so(tmp_path: Path) -> None:
    write(tmp_path, "proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: some\n")
    assert detect(tmp_path).gpu
    assert "NVIDIA GPU" in str(detect(tmp_path))
