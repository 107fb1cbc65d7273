"""``irene-wyoming completion``: shells accept its scripts."""

import shutil
import subprocess

import pytest

from irene_wyoming.__main__ import COMMANDS, main


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_accepts_it_and_it_has_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(command in script for command in COMMANDS)
    assert "--config" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)
