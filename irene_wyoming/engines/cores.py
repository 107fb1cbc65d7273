"""How many cores this process may use, of its machine or its container."""

import os
from pathlib import Path

CPU_MAX = Path("/sys/fs/cgroup/cpu.max")
"""``QUOTA PERIOD`` in microseconds, or ``max PERIOD``: what a container may use (cgroup v2)."""


def usable(quota_file: Path = CPU_MAX) -> int:
    """At least 1."""
    cores = len(os.sched_getaffinity(0))
    try:
        quota, period = quota_file.read_text().split()
        if quota != "max":
            cores = min(cores, int(quota) // int(period))
    except (OSError, ValueError):  # another system, or an older one
        pass
    return max(1, cores)


def spare(quota_file: Path = CPU_MAX) -> int:
    """All but one, at least 1: wake words need a core at any time."""
    return max(1, usable(quota_file) - 1)
