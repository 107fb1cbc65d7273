"""The log leaves out messages of libraries, and keeps everything else."""

import os
import subprocess
import sys

from irene_wyoming.engines.wake import quiet

SPEAK = """
import os, sys
from irene_wyoming.engines.wake.quiet import without
for _ in range(2):
    with without(b"INFO: nobody needs this"):
        os.write(2, b"INFO: nobody needs this\\n")
        os.write(2, b"a warning of another thread\\n")
"""

DETECT = """
from irene_wyoming.engines.registry import spec
from irene_wyoming.engines.base import EngineContext
wake = spec("wake", "openwakeword")
engine = wake.create({name: option.default for name, option in wake.options.items()}, EngineContext())
engine.session(["okay_nabu"]).push(bytes(32_000))
"""


def said(code: str) -> str:
    """The output of a process on standard error."""
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, check=True, timeout=60)
    return done.stderr.decode()


def test_one_line_is_left_out_once_and_everything_else_is_written() -> None:
    lines = said(SPEAK).splitlines()
    assert lines == ["a warning of another thread", "INFO: nobody needs this", "a warning of another thread"]


def test_the_wake_words_library_says_nothing() -> None:
    assert said(DETECT) == ""


def test_a_closed_standard_error_is_no_trouble() -> None:
    kept = os.dup(2)
    os.close(2)
    try:
        with quiet.without(b"never written"):
            pass
    finally:
        os.dup2(kept, 2)
        os.close(kept)
