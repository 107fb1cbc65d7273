"""Loads a model in a process of its own, so that a model that crashes its library harms nobody else."""

import signal
import subprocess
import sys
from pathlib import Path

TIMEOUT_S = 300
"""Seconds for loading: the largest models take a minute from a slow disk."""

CODE = """
import sys
from pathlib import Path
from irene_wyoming.engines.base import EngineContext
from irene_wyoming.engines.registry import require, spec
from irene_wyoming.errors import IreneError
engine = spec("asr", sys.argv[1])
options = {name: option.default for name, option in engine.options.items()} | {"model": sys.argv[2]}
try:
    require(engine)
    engine.create(options, EngineContext()).close()
except IreneError as error:
    sys.exit(str(error))
"""


def why_not(engine: str, folder: Path) -> str | None:
    """The reason why an engine cannot load the model in ``folder``; None: it can."""
    command = [sys.executable, "-c", CODE, engine, str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return f"{engine}: {folder} is not loaded within {TIMEOUT_S} s"
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return f"{engine}: loading {folder} ended the process ({name}); fetch the model again or give another folder"
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
    return None
