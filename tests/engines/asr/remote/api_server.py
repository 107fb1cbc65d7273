"""A stand-in for servers with OpenAI's HTTP API, which reads real multipart and transcribes with guided."""

import email
import io
import json
import socket
import ssl
import threading
import wave
from contextlib import suppress
from dataclasses import dataclass, field
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from irene_wyoming.engines.base import AsrEngine, AsrRequest


@dataclass
class Api:
    """An inference server with guided behind ``/v1/audio/transcriptions``."""

    guided: AsrEngine
    requests: list[dict[str, str]] = field(default_factory=list)
    """The form fields of each request."""
    key: str | None = None
    """The key that clients must show; None: none."""
    uri: str = ""

    def transcribe(self, fields: dict[str, str], file: bytes) -> str:
        self.requests.append(fields)
        with wave.open(io.BytesIO(file)) as reader:
            assert (reader.getframerate(), reader.getsampwidth(), reader.getnchannels()) == (16_000, 2, 1)
            pcm = reader.readframes(reader.getnframes())
        session = self.guided.session(AsrRequest())
        session.push(pcm)
        return session.finish().text


def handler(api: Api) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept alive

        def log_message(self, *_: Any) -> None:
            """Log nothing: pytest reads stderr."""

        def do_GET(self) -> None:  # the base class's name
            self.answer(200 if self.path == "/v1/models" else 404, {"object": "list", "data": []})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if api.key and self.headers["Authorization"] != f"Bearer {api.key}":
                self.answer(401, {"error": {"message": f"wrong key {self.headers['Authorization']}"}})
                return
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            fields: dict[str, str] = {}
            file = b""
            for part in email.message_from_bytes(head + body, policy=HTTP).iter_parts():
                content = part.get_payload(decode=True)
                assert isinstance(content, bytes)
                name = part.get_param("name", header="content-disposition")
                if name == "file":
                    assert part.get_filename() == "utterance.wav"
                    file = content
                else:
                    fields[str(name)] = content.decode()
            self.answer(200, {"text": f" {api.transcribe(fields, file)}\n", "usage": {"seconds": 2}})

        def answer(self, status: int, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


class ApiServer(ThreadingHTTPServer):
    """Knows its connections, so that it can end like a process: all of them at once."""

    def __init__(self, api: Api) -> None:
        super().__init__(("127.0.0.1", 0), handler(api))
        self._connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def go(self) -> None:
        """Take no more clients, and end the connections of all."""
        self.shutdown()
        self.server_close()
        for connection in list(self._connections):
            with suppress(OSError):  # its client has gone
                connection.shutdown(socket.SHUT_RDWR)


def serve(api: Api, tls: ssl.SSLContext | None = None) -> ApiServer:
    """Start the server on a thread; the caller shuts it down and closes it."""
    server = ApiServer(api)
    server.daemon_threads = True
    server.block_on_close = False  # connections stay open until the client goes, which may be later
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    api.uri = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/v1"
    threading.Thread(target=server.serve_forever, args=[0.01]).start()
    return server
