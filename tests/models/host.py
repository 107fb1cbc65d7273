"""A host of models on loopback: files over HTTP, resumable, with the faults of real hosts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Host:
    """The files and faults of a host; ``asked`` has the requests."""

    files: dict[str, bytes]
    """File contents by path, with a leading slash."""
    breaks_after: list[int] = field(default_factory=list)
    """For each answer in turn: bytes after which the connection breaks."""
    holds_after: list[int] = field(default_factory=list)
    """For each answer in turn: bytes after which it waits for ``go``, and then the connection breaks."""
    go: threading.Event = field(default_factory=threading.Event)
    resumes: bool = True
    status: list[int] = field(default_factory=list)
    """For each answer in turn: the status sent instead."""
    moved: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Requests as (path, Range)."""
    uri: str = ""


@contextmanager
def serving(host: Host) -> Iterator[Host]:
    """Serve ``host`` on a free port, which is then in its ``uri``."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Print nothing."""

        def do_GET(self) -> None:  # the library's name
            asked = self.headers.get("Range")
            host.asked.append((self.path, asked))
            if self.path in host.moved:
                return self._head(302, {"Location": host.moved[self.path]})
            if host.status:
                return self._head(host.status.pop(0), {})
            data = host.files.get(self.path)
            if data is None:
                return self._head(404, {})
            start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and host.resumes else 0
            if start >= len(data):
                return self._head(416, {})
            piece = data[start:]
            self._head(206 if start else 200, {"Content-Length": str(len(piece))})
            held = bool(host.holds_after)
            ends = host.holds_after or host.breaks_after
            with suppress(ConnectionError):  # whoever asked has gone
                self.wfile.write(piece[: ends.pop(0)] if ends else piece)
            if held:
                host.go.wait()
            return None

        def _head(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        host.uri = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="host")
        thread.start()
        try:
            yield host
        finally:
            host.go.set()
            server.shutdown()
            thread.join()
