import os
import subprocess
import sys

import pytest

from irene_wyoming.bench.imports import imported


def test_the_core_loads_nothing_heavy_but_numpy() -> None:
    row = imported("irene_wyoming.audio.convert", times=1)
    assert row.heavy == ("numpy",)
    assert row.ms > 0


def test_the_command_line_chooses_one_thread_before_numpy_is_loaded() -> None:
    told = "import os, sys, irene_wyoming.__main__; print('numpy' in sys.modules, os.environ['OPENBLAS_NUM_THREADS'])"
    plain = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", told], env=plain, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "1"]


def test_a_module_that_is_not_there_is_told() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        imported("no_such_module", times=1)
