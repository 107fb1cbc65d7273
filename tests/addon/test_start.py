"""Tests addon/start and addon/healthy as the image runs them."""

import asyncio
import os
import socket
import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from tests.config.files import ROOT

NOBODY = 65_534


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., list[str]]:
    """``start("run")``: the arguments of irene-wyoming, where the image does not start as root."""
    called = tmp_path / "bin" / "irene-wyoming"
    called.parent.mkdir()
    called.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    called.chmod(0o755)
    for folder in (tmp_path, *tmp_path.parents):  # pytest makes its folders private to their owner
        if not (mode := folder.stat().st_mode) & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
    environment = {"PATH": f"{called.parent}:{os.environ['PATH']}", "IRENE_WYOMING__DATA_DIR": str(tmp_path)}
    nobody = NOBODY if os.getuid() == 0 else None

    def run(*words: str) -> list[str]:
        command = [str(ROOT / "addon/start"), *words]
        ran = subprocess.run(
            command, env=environment, capture_output=True, text=True, cwd="/", check=True, user=nobody, group=nobody
        )
        return ran.stdout.splitlines()

    return run


def test_without_options_the_arguments_are_the_programs(start: Callable[..., list[str]]) -> None:
    assert start("run") == ["run"]
    assert start("describe", "tcp://there:10700") == ["describe", "tcp://there:10700"]


def test_options_are_the_configuration_of_what_reads_one(start: Callable[..., list[str]], tmp_path: Path) -> None:
    options = tmp_path / "options.json"
    options.write_text("{}")
    for command in ("run", "wake", "asr", "mic", "check"):
        assert start(command) == [command, "--config", str(options)]
    assert start("describe", "tcp://there:10700") == ["describe", "tcp://there:10700"]
    assert start("run", "--config", "my.yaml") == ["run", "--config", "my.yaml"]
    assert start("run", "--config=my.yaml") == ["run", "--config=my.yaml"]


def healthy(ports: str) -> tuple[int, str]:
    ran = subprocess.run(["addon/healthy"], cwd=ROOT, env={"HEALTHY_PORTS": ports}, capture_output=True, text=True)
    return ran.returncode, ran.stdout


async def test_a_server_that_describes_itself_is_healthy(configured: Callable[..., Config]) -> None:
    async with wake_server(configured()) as service:
        assert await asyncio.to_thread(healthy, f"1 {service.address.port}") == (0, "")


def test_nobody_there_is_not_healthy() -> None:
    assert healthy("1 2") == (1, "no server at 1 2\n")


def test_one_that_hangs_up_is_not_healthy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        hang_up = threading.Thread(target=lambda: server.accept()[0].close())
        hang_up.start()
        assert healthy(str(port)) == (1, f"port {port}: connected, but described nothing\n")
        hang_up.join()
