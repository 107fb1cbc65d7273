"""The folder in which the servers of ``run`` share their metrics, by prometheus-client's multiprocess mode.

Use it before anything imports ``irene_wyoming.metrics``: the library reads the folder's variable at its import.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
PROCESS_VARIABLE = "IRENE_WYOMING_METRICS_PROCESS"
"""Environment variables that ``irene_wyoming.metrics`` reads too. It must not be imported yet."""

PREFIX = "irene-wyoming-metrics-"

IN_MEMORY = Path("/dev/shm")  # Linux's folder in memory: metrics must not wear out an SD card

RESERVED_BYTES = {"counter": 16_384, "histogram": 131_072, "gauge_livesum": 8_192, "gauge_livemax": 8_192}
"""Bytes reserved by kind of file, several times what a server writes. The library maps files into memory. A process
that writes into a hole of one on a full disk is killed (SIGBUS).
"""

log = logging.getLogger(__name__)


class SharedFigures:
    """The metrics of several processes, in files that their names tell apart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def reserve(self, name: str) -> None:
        """Reserve room for the metrics of a process, unless it has some.

        :raises OSError: there is no room.
        """
        for kind, size in RESERVED_BYTES.items():
            with (self.folder / f"{kind}_{name}.db").open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, size)

    def forget_state(self, name: str) -> None:
        """After a process has died: keep its counts, drop values that were true while it lived."""
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(name, str(self.folder))  # type: ignore[no-untyped-call]
        self.reserve(name)


@contextmanager
def shared_figures(names: Iterable[str], place: Path | None = None) -> Iterator[SharedFigures | None]:
    """Let this process and those that it starts share metrics; None: there is no room for them.

    :param names: names of the processes, this one's first. Start each other one with its name in PROCESS_VARIABLE.
    :param place: where the folder is made; None: in memory if possible.
    """
    figures = prepared(list(names), place or default_place())
    if figures is None:
        yield None
        return
    own = next(iter(names))
    os.environ |= {FOLDER_VARIABLE: str(figures.folder), PROCESS_VARIABLE: own}
    try:
        yield figures
    finally:
        os.environ.pop(FOLDER_VARIABLE, None)
        os.environ.pop(PROCESS_VARIABLE, None)
        shutil.rmtree(figures.folder, ignore_errors=True)


def prepared(names: Iterable[str], place: Path) -> SharedFigures | None:
    """Make our folder with room for these processes; None, with a line in the log, where that fails."""
    remove_abandoned(place)
    try:
        figures = SharedFigures(Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=place)))
    except OSError as error:
        log.warning("metrics: only those of this process, no folder can be made in %s: %s", place, error.strerror)
        return None
    try:
        for name in names:
            figures.reserve(name)
    except OSError as error:
        log.warning("metrics: only those of this process, there is no room in %s: %s", place, error.strerror)
        shutil.rmtree(figures.folder, ignore_errors=True)
        return None
    return figures


def default_place() -> Path:
    return IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else Path(tempfile.gettempdir())


def remove_abandoned(place: Path) -> None:
    """Remove the folders of killed runs of our own user."""
    for folder in place.glob(f"{PREFIX}*-*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not is_alive(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)  # another user's folder cannot be removed


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def unshared(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process of ours that shares no metrics."""
    return {name: value for name, value in environ.items() if name not in (FOLDER_VARIABLE, PROCESS_VARIABLE)}
