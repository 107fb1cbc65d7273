"""Coverage-guided conversations in a process of their own, which takes note of what runs from the first import on."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Outcome:
    conversations: int
    kept: int
    """Inputs in the corpus."""
    found: str
    """What was found, in the fuzzer's words; empty: nothing."""


def covered(conversations: int, corpus: Path) -> Outcome:
    """Have that many conversations, or as many as it takes to find a bug."""
    command = [sys.executable, "-m", "tests.attack.coverage", str(conversations), str(corpus)]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    count = re.findall(r"^(?:Done|#)(\d+)", done.stderr.replace("Done ", "Done"), re.MULTILINE)
    found = "" if done.returncode == 0 else done.stderr[-500:].strip() or f"exit code {done.returncode}"
    return Outcome(int(count[-1]) if count else 0, len(list(corpus.iterdir())), found)
