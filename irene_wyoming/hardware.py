"""Describes this machine as far as it decides what fits on it: cores, memory, board, NVIDIA GPU."""

import platform
from dataclasses import dataclass
from pathlib import Path

from irene_wyoming import cores


@dataclass(frozen=True, slots=True)
class Hardware:
    cores: int
    """Cores that this process may use."""
    memory_mb: int | None
    """Memory that this process may use, 10^6 bytes; None: this system does not tell."""
    processor: str
    """The processor's architecture: x86_64 or aarch64."""
    board: str = ""
    """The model name of a single-board computer, e.g. Raspberry Pi 4 Model B Rev 1.4."""
    gpu: bool = False
    """Whether there is an NVIDIA GPU with its driver."""

    def __str__(self) -> str:
        memory = "" if self.memory_mb is None else f", {self.memory_mb / 1000:.1f} GB"
        gpu = ", NVIDIA GPU" if self.gpu else ""
        return f"{self.board or self.processor}, {self.cores} core{'s' * (self.cores != 1)}{memory}{gpu}"


def detect(root: Path = Path("/")) -> Hardware:
    """Examine the machine, in a fraction of a millisecond.

    :param root: folder that holds ``proc`` and ``sys``.
    """
    return Hardware(
        cores.granted(root),
        _memory_mb(root),
        platform.machine(),
        _text(root / "proc/device-tree/model").strip("\0\n"),
        any((root / "proc/driver/nvidia/gpus").glob("*")),
    )


def _memory_mb(root: Path) -> int | None:
    """Megabytes of the machine's memory, or of the tightest limit of our containers."""
    lines = (line.split() for line in _text(root / "proc/meminfo").splitlines())
    total = [int(words[1]) * 1024 for words in lines if words[:1] == ["MemTotal:"]]
    limits = [_text(group / "memory.max").strip() for group in cores.groups(root)]
    known = [*total, *(int(limit) for limit in limits if limit.isdigit())]  # else "max": no limit
    return min(known) // 1_000_000 if known else None


def _text(path: Path) -> str:
    """The text of a file; empty where it is missing."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
