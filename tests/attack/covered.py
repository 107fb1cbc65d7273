"""Runs coverage-guided conversations in a process of its own, which traces code from the first import on."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Outcome:
    conversations: int
    kept: int
    """Number of inputs in the corpus."""
    found: str
    """The finding in the fuzzer's words; empty: nothing was found."""


def covered(conversations: int, corpus: Path) -> Outcome:
    """Run this many conversations, or fewer until a bug is found."""
    command = [sys.executable, "-m", "tests.attack.coverage", str(conversations), str(corpus)]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    count = re.findall(r"^(?:Done|#)(\d+)", done.stderr.replace("Done ", "Done"), re.MULTILINE)
    found = "" if done.returncode == 0 else done.stderr[-500:].strip() or f"exit code {done.returncode}"
    return Outcome(int(count[-1]) if count else 0, len(list(corpus.iterdir())), found)
