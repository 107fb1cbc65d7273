"""Servers for the remote engines: a real one in a thread, and ones that behave as a test wants."""

import asyncio
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from typing import Self, TypeVar

from irene_wyoming.servers.service import Service

T = TypeVar("T")

WAIT_S = 60
"""Seconds to wait for anything: long, since only a failure takes them."""

Behaviour = Callable[[socket.socket], None]
"""Treats one connection, which is closed afterwards."""


@contextmanager
def on_a_loop(server: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Run a server on an event loop and thread of its own; gives what it gives."""
    started: queue.Queue[tuple[T, asyncio.Event, asyncio.AbstractEventLoop]] = queue.Queue()

    async def serve() -> None:
        async with server as given:
            stop = asyncio.Event()
            started.put((given, stop, asyncio.get_running_loop()))
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=[serve()])
    thread.start()
    given, stop, loop = started.get(timeout=WAIT_S)
    try:
        yield given
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


@contextmanager
def in_thread(server: AbstractAsyncContextManager[Service]) -> Iterator[str]:
    """Run one of our servers on an event loop of its own; gives its URI."""
    with on_a_loop(server) as service:
        yield service.address.uri


class ScriptedServer:
    """Listens on a free loopback port and treats every connection by a behaviour."""

    def __init__(self, behave: Behaviour, port: int = 0) -> None:
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._listener.close()
        self._threads[0].join()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connections.append(connection)
                thread = threading.Thread(target=self._serve, args=[connection])
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._behave(connection)


def until_gone(connection: socket.socket) -> None:
    """Read and ignore bytes until the client closes."""
    while connection.recv(65_536):
        pass


def sends(answer: bytes) -> Behaviour:
    """Wait for the first bytes, answer, and then send nothing more."""

    def behave(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(answer)
        until_gone(connection)

    return behave


def sends_and_ends(answer: bytes) -> Behaviour:
    """Wait for the first bytes, answer, and end the connection's own side."""

    def behave(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)
        until_gone(connection)

    return behave


def sends_for_ever(piece: bytes, pause_s: float = 0.0) -> Behaviour:
    gone = threading.Event()

    def behave(connection: socket.socket) -> None:
        connection.recv(1)
        while not gone.wait(pause_s):
            connection.sendall(piece)

    return behave


def patience(words: str, shortest_s: float = 0.3) -> float:
    """Seconds to give a server that fails in these words: few only where the fault is to run out of them."""
    return shortest_s if "no transcript within" in words or words.startswith("remote: ") else WAIT_S


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait for a condition that sends no event."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "it has not come true"
        time.sleep(0.005)
