"""Runs a command in a terminal, as a user does."""

import os
import pty
import signal
import subprocess
import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    shown: str
    """Output on the terminal."""
    problems: str
    """Output on stderr."""

    @property
    def cursor_is_back(self) -> bool:
        """Whether the cursor was hidden and is shown again."""
        return 0 <= self.shown.rfind("\x1b[?25l") < self.shown.rfind("\x1b[?25h")


def stopped(arguments: list[str], seen: str, times: int, number: signal.Signals, **environ: str) -> Ended:
    """Run ``irene-wyoming`` until it has shown a text this many times, then send it a signal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "irene_wyoming", *arguments]
    environment = os.environ | {"TERM": "xterm"} | environ
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, env=environment) as process:
        os.close(theirs)
        shown = b""
        while shown.count(seen.encode()) < times:
            shown += os.read(ours, 4096)
        process.send_signal(number)
        _, problems = process.communicate(timeout=60)
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:
        pass  # Linux raises it where the other side has closed
    os.close(ours)
    return Ended(process.returncode, shown.decode(), problems.decode())
