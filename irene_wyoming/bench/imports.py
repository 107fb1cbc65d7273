"""Measures the cost of imports in fresh interpreters."""

import subprocess
import sys

from irene_wyoming.bench.rows import ImportRow

HEAVY = ("asyncio", "matplotlib", "numpy", "scipy", "soxr", "voluptuous", "wyoming", "yaml")
"""Packages whose import takes 10 ms and more on a small machine."""


def imported(module: str, times: int = 5) -> ImportRow:
    """Time an import several times; the shortest counts.

    :raises ModuleNotFoundError: there is no such module.
    """
    return ImportRow(module, min(import_ms(module) for _ in range(times)), heavy(module))


def import_ms(module: str) -> float:
    """Milliseconds of one import, with all that it imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import {module}"], capture_output=True, text=True, check=False
    )
    lines = done.stderr.splitlines()  # import time: self [us] | cumulative | imported package
    if done.returncode:
        raise ModuleNotFoundError(f"{module} cannot be imported: {lines[-1]}")
    found = (line.removeprefix("import time:").split("|") for line in lines)
    return next(int(fields[1]) / 1_000 for fields in found if len(fields) == 3 and fields[2].strip() == module)


def heavy(module: str) -> tuple[str, ...]:
    """The heavy packages that an interpreter has loaded after the import."""
    code = f"import sys, {module}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return tuple(done.stdout.split())
