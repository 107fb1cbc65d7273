"""Counts the processor cores that this process may use, which in a container are fewer than the machine has."""

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def granted(root: Path = Path("/")) -> int:
    """Cores that libraries may start threads for, at least 1.

    They are those allowed by the scheduler, limited by the CPU time of our cgroups (v2 or v1), rounded up.

    :param root: folder that holds ``proc`` and ``sys``.
    """
    may_run_on = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([may_run_on, *(math.ceil(quota) for quota in _quotas(root))]))


def spare(root: Path = Path("/")) -> int:
    """Granted cores minus one, at least 1: for work that must always leave a core to wake words.

    :param root: folder that holds ``proc`` and ``sys``.
    """
    return max(1, granted(root) - 1)


def groups(root: Path = Path("/")) -> list[Path]:
    """The folders of our cgroups (v2), from our own to the top."""
    own = _own_group(_words(root / "proc/self/cgroup"))
    return [root / "sys/fs/cgroup" / path for path in (own, *own.parents)]


def _quotas(root: Path) -> Iterator[float]:
    """The CPU time per time of each limit above us, in cores."""
    mount = root / "sys/fs/cgroup"
    for group in groups(root):
        match _words(group / "cpu.max"):
            case [quota, period] if quota.isdigit() and period.isdigit():  # else "max": no limit
                yield int(quota) / int(period)
    match _words(mount / "cpu/cpu.cfs_quota_us") + _words(mount / "cpu/cpu.cfs_period_us"):
        case [quota, period] if quota.isdigit() and period.isdigit():  # else -1: no limit
            yield int(quota) / int(period)


def _own_group(lines: list[str]) -> PurePosixPath:
    """Our place in the cgroup v2 tree, relative to its mount; the top where none is given."""
    found = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
    return PurePosixPath(found[0] if found else "")


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []
