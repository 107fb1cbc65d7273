"""Tests that hang in several ways: every one fails, is named, and lets the others run."""

import re
import subprocess
import sys
from pathlib import Path

from tests.config.files import ROOT

HANGING = """
import asyncio, ctypes, threading, time
import pytest

async def test_that_waits():
    await asyncio.Event().wait()

async def test_with_a_callback_that_never_returns():
    asyncio.get_running_loop().call_soon(spin)
    await asyncio.Event().wait()

def spin():
    while True:
        time.sleep(0.01)

def test_that_joins_a_thread():
    threading.Thread(target=threading.Event().wait, daemon=True).join()

@pytest.fixture
def slow_to_end():
    yield
    threading.Event().wait()

def test_that_fails_and_whose_fixture_never_ends(slow_to_end):
    raise AssertionError

def test_in_a_library_that_keeps_the_interpreter():
    library, mutex = ctypes.PyDLL(None), ctypes.create_string_buffer(64)
    library.pthread_mutex_lock(mutex)
    library.pthread_mutex_lock(mutex)

@pytest.mark.timeout(60)
def test_that_is_well():
    pass
"""

SETTINGS = ("filterwarnings=", "faulthandler_timeout=3")


def test_what_hangs_fails_alone_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_hanging.py").write_text(HANGING)
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "-p", "tests.limits", "-n", "1"]
    options = ["-rA", "--timeout", "0.3", *(word for setting in SETTINGS for word in ("-o", setting))]
    done = subprocess.run([*command, *options, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    ended = re.findall(r"^(FAILED|ERROR|PASSED) \S*test_hanging\.py::test_(\w+)", done.stdout, re.MULTILINE)
    assert sorted(ended) == [
        ("ERROR", "that_fails_and_whose_fixture_never_ends"),
        ("FAILED", "in_a_library_that_keeps_the_interpreter"),
        ("FAILED", "that_fails_and_whose_fixture_never_ends"),
        ("FAILED", "that_joins_a_thread"),
        ("FAILED", "that_waits"),
        ("FAILED", "with_a_callback_that_never_returns"),
        ("PASSED", "that_is_well"),
    ], done.stdout
