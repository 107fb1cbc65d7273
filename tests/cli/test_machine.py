"""Things that a machine may lack when a command runs: letters on its terminal, room for output, memory, permissions."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

RIGHTS = "-dac_override,-dac_read_search"
"""Capabilities by which the superuser may enter every folder."""


def ran(
    *command: str, env: Mapping[str, str] | None = None, to: str | None = None, before: tuple[str, ...] = ()
) -> tuple[int, str]:
    """The exit code, and the standard error that did not go ``to`` a file."""
    argv = [*before, sys.executable, "-m", "irene_wyoming", *command]
    with open(to or os.devnull, "w", encoding="ascii") as file:
        done = subprocess.run(
            argv,
            env={**os.environ, **(env or {})},
            stdout=file if to else subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    return done.returncode, (done.stderr + (done.stdout or b"")).decode()


def test_a_terminal_without_umlauts_gets_them_spelt_out(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("asr: {vocabulary: {areas: [Küche]}}", encoding="utf-8")
    code, said = ran("names", "--config", str(tmp_path / "my.yaml"), env=ASCII)
    assert code == 0
    assert r"K\xfcche" in said


@pytest.mark.parametrize("command", ["config", "names"])
def test_output_that_finds_no_room_is_told_in_words(command: str) -> None:
    assert ran(command, to="/dev/full") == (1, "irene-wyoming: No space left on device\n")


def test_a_library_that_finds_no_memory_is_told_in_words() -> None:
    code, said = ran("mic", before=("prlimit", "--as=60000000"))
    assert code == 1
    assert said.startswith("irene-wyoming: a library cannot be loaded: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("command", [("models", "list"), ("check",)])
def test_a_data_folder_of_another_user_is_told_in_words(tmp_path: Path, command: tuple[str, ...]) -> None:
    private = tmp_path / "private"
    (private / "data" / "asr" / "vosk").mkdir(parents=True)
    private.chmod(0)
    if os.geteuid() == 0:
        os.chown(private, 1, 1)
    before = ("setpriv", f"--bounding-set={RIGHTS}", f"--inh-caps={RIGHTS}") if os.geteuid() == 0 else ()
    off = {f"IRENE_WYOMING__{name}__ENABLED": "false" for name in ("WAKE", "ASR")}
    code, said = ran(*command, env={**off, "IRENE_WYOMING__DATA_DIR": str(private / "data")}, before=before)
    private.chmod(0o700)
    assert code == 1
    assert "Permission denied" in said or "may not be written to by this user" in said
    assert "Traceback" not in said
