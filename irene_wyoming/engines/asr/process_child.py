"""The process behind a ProcessEngine: ``python -m irene_wyoming.engines.asr.process_child FD``.

It takes (operation, arguments...) from the connection, one at a time, and answers (True, result) or (False, error).
"""

import logging
import os
import pickle
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

from irene_wyoming.engines.asr.lifecycle import PausingSession
from irene_wyoming.engines.base import AsrEngine, AsrSession
from irene_wyoming.errors import EngineFailed, IreneError

EXIT_MEMORY = 70
"""Exit code of a process that has grown beyond its limit."""

LOOK_EVERY_S = 0.5
"""Seconds between looks at the process's memory: a leak takes longer to become a danger."""

log = logging.getLogger(__name__)


def send(connection: Connection, what: object) -> None:
    """Send like Connection.send, which leaves a buffer that Python 3.13 cannot free when sending fails.

    :raises OSError: the other side has gone.
    """
    connection.send_bytes(pickle.dumps(what))


def receive(connection: Connection) -> Any:
    """Receive an object.

    :raises EOFError, OSError: the other side has gone.
    """
    return pickle.loads(connection.recv_bytes())


class Child:
    """The engine and its sessions, by number."""

    def __init__(self) -> None:
        self._engine: AsrEngine | None = None  # None before "create"
        self._sessions: dict[int, AsrSession] = {}

    def serve(self, connection: Connection) -> None:
        """Answer requests until the other side has gone."""
        while True:
            try:
                operation, *arguments = receive(connection)
            except (EOFError, OSError):
                return
            try:
                answer = True, getattr(self, operation)(*arguments)
            except IreneError as error:
                answer = False, error
            except Exception as error:  # an engine is foreign code; the caller gets its error
                log.exception("the engine has a bug")
                answer = False, EngineFailed(f"{type(error).__name__}: {error}")
            send(connection, answer)

    def create(self, create: Any, options: Any, context: Any, memory_mb: int | None, log_level: int) -> Any:
        logging.basicConfig(level=log_level, format="%(asctime)s %(levelname)-7s %(message)s")
        threading.Thread(target=watch, args=[os.getppid(), memory_mb], name="watch", daemon=True).start()
        self._engine = create(options, context)
        return self._engine.format, list(self._engine.models())

    def session(self, number: int, request: Any) -> None:
        assert self._engine is not None
        self._sessions[number] = self._engine.session(request)

    def push(self, number: int, pcm: bytes) -> str | None:
        session = self._sessions[number]
        session.push(pcm)
        return session.partial()

    def pause(self, number: int) -> bool:
        session = self._sessions[number]
        return isinstance(session, PausingSession) and session.pause()

    def finish(self, number: int) -> Any:
        return self._sessions[number].finish()

    def close(self, number: int) -> None:
        self._sessions.pop(number).close()


def watch(parent: int, memory_mb: int | None) -> None:
    """End this process when it has grown too large, or its parent has gone."""
    while True:
        if os.getppid() != parent:
            os._exit(0)
        if memory_mb is not None and resident_mb() > memory_mb:
            os._exit(EXIT_MEMORY)
        time.sleep(LOOK_EVERY_S)


def resident_mb() -> float:
    """Megabytes of this process in RAM; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return 0.0


def main(descriptor: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the server as well, which ends this process
    Child().serve(Connection(descriptor))
    os._exit(0)  # engines may have threads that do not end


if __name__ == "__main__":
    main(int(sys.argv[1]))
