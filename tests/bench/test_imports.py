import pytest

from irene_wyoming.bench.imports import imported


def test_the_core_loads_nothing_heavy_but_numpy() -> None:
    row = imported("irene_wyoming.audio.convert", times=1)
    assert row.heavy == ("numpy",)
    assert row.ms > 0


def test_the_command_line_of_the_bench_loads_nothing_that_has_threads() -> None:
    assert "numpy" not in imported("irene_wyoming.cli.bench.command", times=1).heavy


def test_a_module_that_is_not_there_is_told() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        imported("no_such_module", times=1)
