"""The folder through which the servers of ``run`` share their figures, by prometheus-client's multiprocess mode.

To be used before anything imports ``irene_wyoming.metrics``: the library looks for the folder when it is imported.
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
"""Both as in ``irene_wyoming.metrics``, which must not be imported yet."""

PREFIX = "irene-wyoming-metrics-"

IN_MEMORY = Path("/dev/shm")  # where Linux has it: figures must not wear out an SD card

RESERVED_BYTES = {"counter": 16_384, "histogram": 131_072, "gauge_livesum": 8_192, "gauge_livemax": 8_192}
"""By kind of file, several times what a server writes. The library maps files with holes into memory, and a process
that writes into a hole when the disk is full is killed (SIGBUS)."""

log = logging.getLogger(__name__)


class SharedFigures:
    """The figures of several processes, in files that only their names tell apart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def reserve(self, name: str) -> None:
        """Make room for the figures of the process of this name, where it has none yet.

        :raises OSError: there is no room.
        """
        for kind, size in RESERVED_BYTES.items():
            with (self.folder / f"{kind}_{name}.db").open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, size)

    def forget_state(self, name: str) -> None:
        """The process of this name has died: keep what it counted, drop what was so while it lived."""
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(name, str(self.folder))  # type: ignore[no-untyped-call]
        self.reserve(name)


@contextmanager
def shared_figures(names: Iterable[str], place: Path | None = None) -> Iterator[SharedFigures | None]:
    """Have this process and those that it starts share their figures; None where there is no room for them.

    :param names: of the processes; the first is this one's. Each of the others is to be started with its own name in
        PROCESS_VARIABLE.
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
    """A folder of our own with room for the figures of these processes; None and a line in the log without."""
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
    """Remove the folders of our own user's runs that were killed."""
    for folder in place.glob(f"{PREFIX}*-*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not is_alive(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)  # another user's cannot be removed


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def unshared(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process of ours that has no figures to share."""
    return {name: value for name, value in environ.items() if name not in (FOLDER_VARIABLE, PROCESS_VARIABLE)}
