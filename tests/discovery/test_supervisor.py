import asyncio
import json
import logging
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from irene_wyoming.discovery.supervisor import tell_supervisor
from irene_wyoming.errors import DiscoveryError

TOKEN = "secret-b0a7"


class FakeSupervisor(ThreadingHTTPServer):
    """A real HTTP server that answers with the given statuses, then with 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.statuses: list[int] = []
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self.released = threading.Event()
        self.asked = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: FakeSupervisor

    def answer(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "null")
        self.server.requests.append((self.command, self.path, dict(self.headers), body))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.server.asked.set()
        if status == 0:  # the connection is closed without an answer
            return
        if status == 1:  # it hangs
            self.server.released.wait()
            return
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", f"{self.server.url}/elsewhere")
        said = json.dumps({"result": "ok" if status == 200 else "error", "message": f"no\x1b[31m for {TOKEN}"}).encode()
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_GET = answer  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        del format, args


@pytest.fixture
def supervisor() -> Iterator[FakeSupervisor]:
    with FakeSupervisor() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


async def test_the_message_is_what_the_supervisor_expects(
    supervisor: FakeSupervisor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await tell_supervisor(10700, TOKEN, hostname="a0d7b954-irene", base_url=supervisor.url)
    [(method, path, headers, body)] = supervisor.requests
    assert (method, path) == ("POST", "/discovery")
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Content-Type"] == "application/json"
    assert body == {"service": "wyoming", "config": {"uri": "tcp://a0d7b954-irene:10700"}}
    assert "Home Assistant was told: tcp://a0d7b954-irene:10700" in caplog.text
    assert TOKEN not in caplog.text


async def test_the_hostname_is_the_containers_own(supervisor: FakeSupervisor) -> None:
    await tell_supervisor(10700, TOKEN, base_url=supervisor.url + "/")
    assert supervisor.requests[0][1] == "/discovery"
    assert supervisor.requests[0][3]["config"]["uri"] == f"tcp://{socket.gethostname()}:10700"


@pytest.mark.parametrize("status", [0, 429, 500, 502, 503])
async def test_what_may_pass_is_tried_again(supervisor: FakeSupervisor, status: int) -> None:
    supervisor.statuses = [status, status]
    await tell_supervisor(10700, TOKEN, base_url=supervisor.url, delays_s=(0.0, 0.0, 0.0))
    assert len(supervisor.requests) == 3


@pytest.mark.parametrize("status", [302, 307, 400, 401, 403, 404])
async def test_a_refusal_is_final_and_the_token_goes_nowhere_else(
    supervisor: FakeSupervisor, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    supervisor.statuses = [status]
    with pytest.raises(DiscoveryError, match=f"answered {status}") as raised:
        await tell_supervisor(10700, TOKEN, base_url=supervisor.url, delays_s=(0.0, 0.0))
    assert len(supervisor.requests) == 1
    assert TOKEN not in str(raised.value) + caplog.text
    assert "\x1b" not in str(raised.value)


async def test_gives_up_after_the_last_attempt(supervisor: FakeSupervisor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    supervisor.statuses = [503] * 10
    with pytest.raises(DiscoveryError, match=r"gave up after 3 attempts.*503") as raised:
        await tell_supervisor(10700, TOKEN, base_url=supervisor.url, delays_s=(0.0, 0.001))
    assert len(supervisor.requests) == 3
    assert TOKEN not in str(raised.value) + caplog.text
    assert "next try in 0.001 s" in caplog.text


async def test_nobody_there_is_tried_again_until_given_up() -> None:
    with socket.socket() as bound:  # bound but not listening: a connection is refused
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(DiscoveryError, match=r"gave up after 2 attempts.*cannot be reached"):
            await tell_supervisor(10700, TOKEN, base_url=url, delays_s=(0.0,))


async def test_a_supervisor_that_hangs_times_out(supervisor: FakeSupervisor) -> None:
    supervisor.statuses = [1]
    await tell_supervisor(10700, TOKEN, base_url=supervisor.url, timeout_s=0.1, delays_s=(0.0,))
    assert len(supervisor.requests) == 2


async def test_a_hanging_supervisor_does_not_hold_up_a_stop(supervisor: FakeSupervisor) -> None:
    supervisor.statuses = [1]
    task = asyncio.create_task(tell_supervisor(10700, TOKEN, base_url=supervisor.url, timeout_s=60.0))
    await asyncio.to_thread(supervisor.asked.wait)
    task.cancel()
    async with asyncio.timeout(30):  # half of the request's timeout
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_no_proxy_gets_the_token(supervisor: FakeSupervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    await tell_supervisor(10700, TOKEN, base_url=supervisor.url, delays_s=())
    assert len(supervisor.requests) == 1


@pytest.mark.parametrize(
    ("token", "base_url", "message"),
    [
        ("", "http://supervisor", "SUPERVISOR_TOKEN is empty"),
        (f"{TOKEN}\n", "http://127.0.0.1:9", "SUPERVISOR_TOKEN holds characters"),
        (f"{TOKEN}\N{SNOWMAN}", "http://127.0.0.1:9", "SUPERVISOR_TOKEN holds characters"),
        (TOKEN, "supervisor", "'supervisor' is not an http URL"),
    ],
)
async def test_what_cannot_work_is_said_without_the_token(token: str, base_url: str, message: str) -> None:
    with pytest.raises(DiscoveryError, match=message) as raised:
        await tell_supervisor(10700, token, base_url=base_url, delays_s=())
    assert TOKEN not in str(raised.value)
