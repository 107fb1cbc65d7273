"""The doctor's examination of a busy machine: load, memory, restarted servers."""

import os
from collections.abc import Iterator
from pathlib import Path

from irene_wyoming.app.front import reachable
from irene_wyoming.app.links import Link, broken, doubtful, good
from irene_wyoming.app.monitor import fetch
from irene_wyoming.config.model import Config
from irene_wyoming.cores import granted
from irene_wyoming.errors import ServerUnavailable

BUSY = 2.0
"""Runnable programs per core, over the last minute, from which words come late."""

LITTLE_MEMORY_BYTES = 100_000_000
"""Bytes of available memory below which one more model or conversation may end a server."""


def of_load(config: Config) -> Iterator[Link]:
    """Examine whether the machine keeps up. Blocks."""
    yield of_cores(os.getloadavg()[0], granted())
    yield of_memory(available_bytes())
    if config.metrics.enabled:
        where = reachable(config.metrics.address)
        host = f"[{where.host}]" if ":" in where.host else where.host
        yield of_restarts(f"http://{host}:{where.port}/metrics")


def of_cores(load: float, cores: int) -> Link:
    """:param load: mean number of runnable programs over the last minute."""
    if load < BUSY * cores:
        return good("load", f"{load:.1f} of {cores} cores are busy")
    cure = "stop what else runs here (`top` lists it), or choose a smaller engine or model"
    return doubtful("load", f"{load:.1f} programs share {cores} cores: words come late", cure)


def available_bytes(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Bytes of memory that programs can still get; None: this system does not tell."""
    try:
        for line in meminfo.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return None
    return None


def of_memory(available: int | None) -> Link:
    if available is None:
        return good("memory", "this system does not tell")
    if available < LITTLE_MEMORY_BYTES:
        cure = "choose a smaller model, or stop what else runs here: the system ends programs that it has no room for"
        return broken("memory", f"{available >> 20} MB are left", cure)
    return good("memory", f"{available >> 20} MB are left")


def of_restarts(url: str) -> Link:
    """Examine whether servers were restarted since the start of ``run``. Blocks."""
    name = "restarts"
    try:
        figures = fetch(url)
    except ServerUnavailable:
        return good(name, "no figures are served; nothing is known")
    ended = {server: int(count) for server, count in figures.by("irene_restarts_total", "server").items() if count}
    if not ended:
        return good(name, "no server had to be started again")
    told = ", ".join(f"{server} {count} times" for server, count in sorted(ended.items()))
    cure = "see in the log what came before its last `started`; a smaller model helps where memory ran out"
    return doubtful(name, f"started again: {told}", cure)
