"""How short of memory this machine, or the container that we run in, is; and what the caches give back then.

Linux tells in three places, of which any may be missing: PSI (how long work has waited for memory), cgroup v2 (how near
a container's limit is and how often it was met), and MemAvailable.
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
"""Share of what each cache holds that it gives back."""

STALLED_SOME, STALLED_FULL = 10.0, 5.0
"""Percent of the last 10 s in which some task, all tasks, waited for memory: live audio is late then."""

AVAILABLE_SOME, AVAILABLE_CRITICAL = 0.15, 0.05
"""Fraction of the machine's memory that can still be had; the guide's 85 % in use."""

LIMIT_SOME, LIMIT_CRITICAL = 0.85, 0.95
"""Fraction of a container's limit that is in use, without files that can be read again."""


@dataclass(frozen=True, slots=True)
class MemoryReading:
    """What could be read; None where this system does not tell."""

    stalled_some: float | None = None
    """Percent of the last 10 s in which at least one task waited for memory."""
    stalled_full: float | None = None
    """Percent of the last 10 s in which all waited."""
    available: float | None = None
    """Share of the machine's memory that can be had, 0 to 1."""
    limit_used: float | None = None
    """Share of the tightest limit above us that is used, 0 to 1."""
    throttled: int | None = None
    """Times, since the container's start, that we were held up at its limit."""
    killed: int | None = None
    """Processes, since the container's start, that were killed at its limit."""


class Sheds(Protocol):
    """A cache, as seen from here."""

    def shed(self, fraction: float) -> int:
        """Give at least this share of the held bytes back; returns how many."""


def shed(caches: Iterable[Sheds], level: PressureLevel) -> int:
    """Let the caches give back what this pressure asks for; returns how many bytes."""
    return sum(cache.shed(SHED[level]) for cache in caches) if level else 0


def pressure_level(now: MemoryReading, before: MemoryReading | None = None) -> PressureLevel:
    """How bad it is.

    :param before: the reading before this one: what the limit did since then counts too.
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
    """Read everything, in 2 ms. It opens files: not on the event loop.

    :param root: where ``proc`` and ``sys`` are.
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
    """``some`` and ``full``: the percentages of ``avg10`` in a PSI file."""
    lines = (line.split() for line in text.splitlines())
    return {
        words[0]: float(words[1].removeprefix("avg10="))
        for words in lines
        if len(words) > 1 and words[1].startswith("avg10=")
    }


def parse_meminfo(text: str) -> dict[str, int]:
    """Kilobytes by name."""
    lines = (line.partition(":") for line in text.splitlines())
    return {name: int(value.split()[0]) for name, _, value in lines if value.split()}


def parse_flat(text: str) -> dict[str, int]:
    """Numbers by name, of cgroup's files with a name and a number per line."""
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
    """A file's text; nothing where it is not there, or not for us."""
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
