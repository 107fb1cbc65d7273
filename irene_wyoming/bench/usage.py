"""CPU time and memory of processes, as Linux tells them."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

LISTENS = "0A"
"""State of a socket that takes connections, as Linux writes it."""


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
        """Memory that lies in RAM (RSS); pages that they share count in each."""
        return sum(resident_bytes(pid) or 0 for pid in family(self.pid))

    def proportional_bytes(self) -> int:
        """The same, where a page that several processes share counts in parts (PSS)."""
        return sum(proportional_bytes(pid) or 0 for pid in family(self.pid))


def listening(port: int) -> Family | None:
    """Who takes connections at a TCP port of this machine; None: nobody, or another user whom we may not look at."""
    lines = [line.split() for name in ("tcp", "tcp6") for line in text(f"/proc/net/{name}").splitlines()[1:]]
    there = {fields[9] for fields in lines if fields[3] == LISTENS and int(fields[1].rpartition(":")[2], 16) == port}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            found = re.fullmatch(r"socket:\[(\d+)\]", str(descriptor.readlink()))
        except OSError:  # another user's, or it has been closed meanwhile
            continue
        if found and found[1] in there:
            return Family(int(descriptor.parts[2]))
    return None


def text(path: str) -> str:
    """What a file of the kernel says; nothing where it has none."""
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""


def clock_s(pid: int) -> float:
    """CPU time of all threads of a running process since its start, seconds.

    :raises OSError: there is no such process.
    """
    return time.clock_gettime((~pid << 3) | 2)  # the clock that clock_getcpuclockid(3) makes


def family(pid: int) -> list[int]:
    """A process and all that it has started and that still run."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # it has ended meanwhile, or this system does not tell
        children = []
    return [pid, *(member for child in children for member in family(child))]


def resident_bytes(pid: int | str = "self") -> int | None:
    """Memory of a process that lies in RAM; None: it has ended, or this system does not tell."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def proportional_bytes(pid: int | str = "self") -> int | None:
    """Its memory in RAM, where a page that n processes share counts as 1/n (PSS); None: as above."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return None
