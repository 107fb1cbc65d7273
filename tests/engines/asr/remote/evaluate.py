"""Measures several addresses, hedging and a proxy: ``python -m tests.engines.asr.remote.evaluate``.

The server is a stand-in with OpenAI's API. It takes DELAY_S for an utterance, and LATE_S for every twentieth.
"""

import shutil
import statistics
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from irene_wyoming.engines.base import AsrRequest
from tests.engines.asr.conftest import created
from tests.packaging.test_models import haproxy

DELAY_S, LATE_S, EVERY = 0.05, 2.0, 20
UTTERANCES = 100


class Far(ThreadingHTTPServer):
    """A stand-in server. The second one starts half way through its twenty, so that both are not late at once."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, count: int, late_s: float = LATE_S) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.late_s = late_s
        self.count = count
        self.lock = threading.Lock()
        self.uri = f"http://127.0.0.1:{self.server_port}/v1"
        threading.Thread(target=self.serve_forever, args=[0.01], daemon=True).start()

    def handle_error(self, *_: Any) -> None:
        """Ignore errors of clients that got their answer from another server."""

    def delay(self) -> float:
        with self.lock:
            self.count += 1
            return self.late_s if self.count % EVERY == 0 else DELAY_S


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # an answer goes in one packet, or Nagle's algorithm adds 40 ms
    server: Far

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def do_GET(self) -> None:  # the base class's name
        self.answer(b'{"data": []}')

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.server.delay())
        self.answer(b'{"text": "turn on"}')

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def waits(**options: Any) -> list[float]:
    """Measure the seconds from the end of the audio to each transcript."""
    engine = created(response_timeout_s=10, **options)
    found = []
    try:
        for _ in range(UTTERANCES):
            session = engine.session(AsrRequest())
            session.push(bytes(64_000))
            begun = time.perf_counter()
            session.finish()
            found.append(time.perf_counter() - begun)
    finally:
        engine.close()
    return found


def row(name: str, seconds: Sequence[float]) -> str:
    shown = (statistics.median(seconds), max(seconds))
    return f"| {name} | " + " | ".join(f"{1000 * each:.0f} ms" for each in shown) + " |"


def main() -> None:
    one, other = Far(0), Far(EVERY // 2)
    print(row("one address", waits(uri=one.uri)), flush=True)
    print(row("two, without hedging", waits(uri=[one.uri, other.uri], hedge_s=None)), flush=True)
    print(row("two, `hedge_s: 0.2`", waits(uri=[one.uri, other.uri], hedge_s=0.2)), flush=True)
    prompt = [Far(0, DELAY_S), Far(0, DELAY_S)]
    print(row("one that is never late", waits(uri=prompt[0].uri)), flush=True)
    if shutil.which("haproxy"):
        with haproxy(*(far.server_port for far in prompt)) as port:
            print(row("two of those behind HAProxy", waits(uri=f"http://127.0.0.1:{port}/v1")))


if __name__ == "__main__":
    main()
