"""Reads CPU time and memory of processes. Linux only."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

LISTENS = "0A"
"""State of a listening socket in /proc/net/tcp."""


@dataclass(frozen=True, slots=True)
class Family:
    """A running process with all that it has started, such as engines in processes of their own."""

    pid: int

    def cpu_s(self) -> float:
        """CPU time of all threads since their start, seconds.

        :raises OSError: the process has ended.
        """
        return sum(clock_s(pid) for pid in family(self.pid))

    def resident_bytes(self) -> int:
        """Bytes of memory in RAM (RSS); shared pages count in each process."""
        return sum(resident_bytes(pid) or 0 for pid in family(self.pid))

    def proportional_bytes(self) -> int:
        """Bytes of memory in RAM where a shared page counts in parts (PSS)."""
        return sum(proportional_bytes(pid) or 0 for pid in family(self.pid))


def listening(port: int) -> Family | None:
    """The process that listens at a TCP port of this machine; None: nobody, or another user's."""
    lines = [line.split() for name in ("tcp", "tcp6") for line in text(f"/proc/net/{name}").splitlines()[1:]]
    there = {fields[9] for fields in lines if fields[3] == LISTENS and int(fields[1].rpartition(":")[2], 16) == port}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            found = re.fullmatch(r"socket:\[(\d+)\]", str(descriptor.readlink()))
        except OSError:  # another user's process, or the file was closed meanwhile
            continue
        if found and found[1] in there:
            return Family(int(descriptor.parts[2]))
    return None


def text(path: str) -> str:
    """The text of a kernel's file; empty where there is none."""
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""


def clock_s(pid: int) -> float:
    """CPU time of all threads of a running process since its start, seconds.

    :raises OSError: there is no such process.
    """
    return time.clock_gettime((~pid << 3) | 2)  # the clock of clock_getcpuclockid(3)


def family(pid: int) -> list[int]:
    """A process and all running processes that it has started."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # it has ended meanwhile, or this system does not tell
        children = []
    return [pid, *(member for child in children for member in family(child))]


def resident_bytes(pid: int | str = "self") -> int | None:
    """Bytes of a process's memory in RAM (RSS); None: it has ended, or this system does not tell."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def proportional_bytes(pid: int | str = "self") -> int | None:
    """Bytes of a process's memory where a page that n processes share counts as 1/n (PSS); None: not known."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return None
