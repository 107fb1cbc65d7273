"""How short of memory this machine or our container is, and how much the caches then give back.

Linux tells in three places, each of which may be missing: PSI (how long work has waited for memory), cgroup v2 (how
near a container's limit is and how often it was met), and MemAvailable.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Protocol


class PressureLevel(IntEnum):
    NONE = 0
    SOME = 1
    CRITICAL = 2


SHED: Mapping[PressureLevel, float] = MappingProxyType(
    {PressureLevel.NONE: 0.0, PressureLevel.SOME: 0.5, PressureLevel.CRITICAL: 1.0}
)
"""Share of its contents that each cache gives back, by pressure level."""

STALLED_SOME, STALLED_FULL = 10.0, 5.0
"""Percent of the last 10 s in which some task, or all tasks, waited for memory. Live audio is late from here on."""

AVAILABLE_SOME, AVAILABLE_CRITICAL = 0.15, 0.05
"""Shares of the machine's memory still available at which pressure begins and becomes critical."""

LIMIT_SOME, LIMIT_CRITICAL = 0.85, 0.95
"""Shares of a container's limit in use at which pressure begins and becomes critical. File caches do not count."""


@dataclass(frozen=True, slots=True)
class MemoryReading:
    """One reading of the system's memory state. None stands for values that this system does not tell."""

    stalled_some: float | None = None
    """Percent of the last 10 s in which at least one task waited for memory."""
    stalled_full: float | None = None
    """Percent of the last 10 s in which all tasks waited for memory."""
    available: float | None = None
    """Share of the machine's memory that is available, 0 to 1."""
    limit_used: float | None = None
    """Share of the tightest cgroup limit above this process that is used, 0 to 1."""
    throttled: int | None = None
    """Times since the container's start that its processes were held up at the limit."""
    killed: int | None = None
    """Processes that were killed at the container's limit since its start."""


class Sheds(Protocol):
    """A cache that can give memory back."""

    def shed(self, fraction: float) -> int:
        """Give at least this share of the held bytes back; returns how many."""


def shed(caches: Iterable[Sheds], level: PressureLevel) -> int:
    """Let the caches give back what this pressure asks for; returns how many bytes."""
    return sum(cache.shed(SHED[level]) for cache in caches) if level else 0


def pressure_level(now: MemoryReading, before: MemoryReading | None = None) -> PressureLevel:
    """The memory pressure that a reading shows.

    :param before: the reading before this one: events at the limit since then count too.
    """
    before = before or now
    critical = (
        _over(now.stalled_full, STALLED_FULL),
        _under(now.available, AVAILABLE_CRITICAL),
        _over(now.limit_used, LIMIT_CRITICAL),
        _rose(before.killed, now.killed),
    )
    some = (
        _over(now.stalled_some, STALLED_SOME),
        _under(now.available, AVAILABLE_SOME),
        _over(now.limit_used, LIMIT_SOME),
        _rose(before.throttled, now.throttled),
    )
    if any(critical):
        return PressureLevel.CRITICAL
    return PressureLevel.SOME if any(some) else PressureLevel.NONE


def read_pressure(root: Path = Path("/")) -> MemoryReading:
    """Read the system's memory state, which takes 2 ms. It opens files: not on the event loop.

    :param root: folder that holds ``proc`` and ``sys``.
    """
    group = cgroup_path(_text(root / "proc/self/cgroup"))
    mount = root / "sys/fs/cgroup"
    groups = [] if group is None else [mount / path for path in (group, *group.parents)]
    own = groups[0] if groups else mount
    stalled = parse_psi(_text(own / "memory.pressure") or _text(root / "proc/pressure/memory"))
    events = parse_flat(_text(own / "memory.events"))
    return MemoryReading(
        stalled_some=stalled.get("some"),
        stalled_full=stalled.get("full"),
        available=available_fraction(parse_meminfo(_text(root / "proc/meminfo"))),
        limit_used=max(filter(None, map(_limit_used, groups)), default=None),
        throttled=events["high"] + events["max"] if {"high", "max"} <= events.keys() else None,
        killed=events.get("oom_kill"),
    )


def parse_psi(text: str) -> dict[str, float]:
    """The ``avg10`` percentages of the lines ``some`` and ``full`` in a PSI file."""
    lines = (line.split() for line in text.splitlines())
    return {
        words[0]: float(words[1].removeprefix("avg10="))
        for words in lines
        if len(words) > 1 and words[1].startswith("avg10=")
    }


def parse_meminfo(text: str) -> dict[str, int]:
    """Kilobytes by name, from the text of ``/proc/meminfo``."""
    lines = (line.partition(":") for line in text.splitlines())
    return {name: int(value.split()[0]) for name, _, value in lines if value.split()}


def parse_flat(text: str) -> dict[str, int]:
    """Numbers by name, from a cgroup file with a name and a number per line."""
    lines = (line.split() for line in text.splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) == 2}


def cgroup_path(text: str) -> PurePosixPath | None:
    """Our place in the cgroup v2 tree, relative to its mount, from ``/proc/self/cgroup``; None without v2."""
    for line in text.splitlines():
        if line.startswith("0::/"):
            return PurePosixPath(line.removeprefix("0::/"))
    return None


def available_fraction(meminfo: dict[str, int]) -> float | None:
    total = meminfo.get("MemTotal")
    available = meminfo.get("MemAvailable")
    return available / total if total and available is not None else None


def limit_fraction(current: str, limit: str, stat: dict[str, int]) -> float | None:
    """How much of its limit a cgroup uses, without files that it could drop; None where it has no limit."""
    if not current.strip().isdigit() or not limit.strip().isdigit() or int(limit) == 0:
        return None  # missing, or "max"
    return max(0, int(current) - stat.get("inactive_file", 0)) / int(limit)


def _limit_used(group: Path) -> float | None:
    current, limit = _text(group / "memory.current"), _text(group / "memory.max")
    return limit_fraction(current, limit, parse_flat(_text(group / "memory.stat")))


def _text(path: Path) -> str:
    """The text of a file; empty where it is missing or unreadable."""
    try:
        return path.read_text()
    except OSError:
        return ""


def _over(value: float | None, threshold: float) -> bool:
    return value is not None and value >= threshold


def _under(value: float | None, threshold: float) -> bool:
    return value is not None and value <= threshold


def _rose(before: int | None, now: int | None) -> bool:
    return before is not None and now is not None and now > before
