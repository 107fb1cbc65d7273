"""GPU memory, read from a driver library of our own, since few test machines have a GPU."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LOOK = """
import json, logging
from prometheus_client import REGISTRY
from irene_wyoming.app.gpu import GpuMemory

logging.basicConfig(format="%(message)s")
look = GpuMemory()
look()
names = ["irene_gpu_used_bytes", "irene_gpu_bytes"]
print(json.dumps([[REGISTRY.get_sample_value(name, {"gpu": gpu}) for name in names] for gpu in "01"]))
look()
"""


def looked(**environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", LOOK]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc to build the driver library with")
def test_memory_of_each_gpu_is_told_until_it_is_lost(tmp_path: Path) -> None:
    source, library = Path(__file__).parent / "nvml.c", tmp_path / "libnvidia-ml.so.1"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    done = looked(LD_LIBRARY_PATH=str(tmp_path))
    assert json.loads(done.stdout) == [[3 << 30, 8 << 30], [1 << 30, 8 << 30]]
    assert done.stderr == "GPU 1: its memory cannot be read any more: GPU is lost\n"


@pytest.mark.skipif(Path("/proc/driver/nvidia").exists(), reason="there is a driver")
def test_without_a_driver_nothing_is_told() -> None:
    done = looked()
    assert json.loads(done.stdout) == [[None, None], [None, None]]
    assert done.stderr == ""
