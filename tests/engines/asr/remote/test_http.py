"""The remote engine over OpenAI's HTTP API: a server that reads real multipart, and servers that misbehave."""

import json
import logging
import os
import socket
import ssl
import threading
from pathlib import Path

import pytest

from irene_wyoming.engines.asr.remote.api import DEFAULT_MODEL, PROMPT_CHARS, languages, prompt
from irene_wyoming.engines.asr.remote.openai import ANSWER_BYTES
from irene_wyoming.engines.base import AsrEngine, AsrRequest, Transcription
from irene_wyoming.errors import EngineFailed, EngineUnavailable
from irene_wyoming.language.vocabulary import TypedNames, Vocabulary
from tests.engines.asr.conftest import MakeRemote
from tests.engines.asr.elsewhere import LIGHT, TIMER, ElsewhereContract, fails_in_words, heard, push_all, recording
from tests.engines.asr.remote.api_server import Api, serve
from tests.engines.asr.remote.servers import WAIT_S, Behaviour, ScriptedServer, patience, sends_for_ever, until_gone

KEY = "sk-not-to-be-seen-0123456789"


class TestContract(ElsewhereContract):
    @pytest.fixture
    def engine(self, make_remote: MakeRemote, api: Api) -> AsrEngine:
        return make_remote(uri=api.uri, languages=["en"], response_timeout_s=WAIT_S)


def test_the_other_machine_understands(make_remote: MakeRemote, api: Api) -> None:
    engine = make_remote(uri=api.uri)
    for text in (LIGHT, TIMER):
        session = engine.session(AsrRequest())
        push_all(session, recording(text))
        assert session.partial() is None
        assert session.finish() == Transcription(text, "en", "remote")
    assert api.requests == 2 * [{"model": DEFAULT_MODEL, "response_format": "json", "language": "en"}]


def test_all_of_a_request_is_passed_on(make_remote: MakeRemote, api: Api) -> None:
    vocabulary = TypedNames(areas=("Küche",), devices=("Lampe",))
    engine = make_remote(uri=api.uri, model="large-v3", vocabulary=vocabulary)
    session = engine.session(AsrRequest(language="de-DE", names=("Zigbee",), terms=("Rolladen", "Lampe")))
    push_all(session, recording(LIGHT))
    assert session.finish().language == "de-DE"
    assert api.requests == [
        {
            "model": "large-v3",
            "response_format": "json",
            "language": "de",
            "prompt": "Rolladen, Lampe, Küche, Zigbee",
        }
    ]


def test_a_prompt_that_is_too_long_loses_what_matters_least() -> None:
    request = AsrRequest(names=("Alice",), terms=tuple(f"term {n}" for n in range(1_000)))
    text = prompt(request, TypedNames(devices=("lamp",)))
    assert PROMPT_CHARS - 10 < len(text) <= PROMPT_CHARS
    assert text.startswith("term ")
    assert text.endswith("term 999, lamp, Alice")


def test_names_of_the_home_are_the_first_to_go() -> None:
    home = Vocabulary.of(["Den"], ["Sofa lamp"])
    assert prompt(AsrRequest(names=("Alice",), vocabulary=home), TypedNames()) == "Sofa lamp, Den, Alice"


def test_too_little_audio_to_ask_about_gives_an_empty_transcript(make_remote: MakeRemote, api: Api) -> None:
    engine = make_remote(uri=api.uri)
    assert engine.session(AsrRequest()).finish().text == ""
    session = engine.session(AsrRequest())
    session.push(bytes(1_600))
    assert session.finish().text == ""
    assert api.requests == []


@pytest.mark.parametrize(
    ("listed", "understood"),
    [
        ({"data": [{"id": "large", "language": ["de", "fr"]}, {"id": "tts", "language": ["en"]}]}, ("de", "fr")),
        ({"data": [{"id": "moonshine", "languages": ["en"]}]}, ("en",)),
        ({"data": [{"id": "large", "language": "de"}]}, ("de",)),
        ({"data": [{"id": "large"}, {"id": "small"}]}, ()),
        ({"data": [{"id": "large", "languages": [7, "", "x" * 99, "a\nb", "de", "de"]}]}, ("de",)),
        ({"data": [7]}, ()),
        ({"data": {"id": "large"}}, ()),
        ([], ()),
    ],
)
def test_languages_are_what_the_server_says(listed: object, understood: tuple[str, ...]) -> None:
    assert languages("large", json.dumps(listed).encode()) == understood


def test_it_offers_the_configured_model_while_the_server_answers(make_remote: MakeRemote, api: Api) -> None:
    (model,) = make_remote(uri=api.uri, model="large-v3", language="de").models()
    assert (model.name, model.languages, model.installed) == ("large-v3", ("de",), True)
    (model,) = make_remote(uri=api.uri, languages=["de", "fr"]).models()
    assert (model.name, model.languages, model.installed) == (DEFAULT_MODEL, ("de", "fr"), True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    (model,) = make_remote(uri=nobody).models()
    assert not model.installed


# Keys


@pytest.mark.parametrize("where", ["environment", "file"])
def test_the_key_is_sent(
    make_remote: MakeRemote, api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str
) -> None:
    api.key = KEY
    monkeypatch.setenv("GPU_BOX_KEY", KEY)
    (tmp_path / "key").write_text(f"{KEY}\n")
    given = {"api_key_env": "GPU_BOX_KEY"} if where == "environment" else {"api_key_file": str(tmp_path / "key")}
    assert heard(make_remote(uri=api.uri, **given), LIGHT) == LIGHT


def test_a_key_that_is_refused_is_told_without_the_key(
    make_remote: MakeRemote, api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api.key = "another"
    monkeypatch.setenv("GPU_BOX_KEY", KEY)
    session = make_remote(uri=api.uri, api_key_env="GPU_BOX_KEY").session(AsrRequest())
    session.push(bytes(32_000))
    with pytest.raises(EngineFailed, match="refuses the API key") as refused:
        session.finish()
    assert KEY not in caplog.text + str(refused.value)


def test_a_key_in_the_address_is_not_told_even_where_a_server_quotes_it(make_remote: MakeRemote) -> None:
    with ScriptedServer(posts(answer(b"Cannot POST /hunter2/v1/audio/transcriptions", "404 Not Found"))) as server:
        engine = make_remote(uri=f"http://127.0.0.1:{server.port}/hunter2/v1")
        session = engine.session(AsrRequest())
        session.push(bytes(32_000))
        with pytest.raises(EngineFailed, match=r"/\*\*\*/v1 answered HTTP 404: Cannot POST /\*\*\*/v1/audio") as failed:
            session.finish()
        assert "hunter2" not in f"{failed.value} {engine.models()}"


def test_a_server_that_quotes_the_key_is_not_believed(make_remote: MakeRemote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPU_BOX_KEY", KEY)
    with ScriptedServer(posts(answer(b'{"error": "no quota for %s"}' % KEY.encode(), "429 Too Many"))) as server:
        session = make_remote(uri=f"http://127.0.0.1:{server.port}/v1", api_key_env="GPU_BOX_KEY").session(AsrRequest())
        session.push(bytes(32_000))
        with pytest.raises(EngineFailed, match=r"HTTP 429: no quota for \*\*\*$"):
            session.finish()


def test_a_key_that_is_not_there_says_where_it_should_be(
    make_remote: MakeRemote, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GPU_BOX_KEY", raising=False)
    with pytest.raises(EngineUnavailable, match="the environment variable GPU_BOX_KEY holds no key"):
        make_remote(uri="http://gpu/v1", api_key_env="GPU_BOX_KEY")
    with pytest.raises(EngineUnavailable, match=r"api_key_file: .*: No such file"):
        make_remote(uri="http://gpu/v1", api_key_file=str(tmp_path / "none"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(EngineUnavailable, match=r"api_key_file: .*: not a file, but a named pipe"):
        make_remote(uri="http://gpu/v1", api_key_file=str(tmp_path / "pipe"))
    (tmp_path / "key").write_bytes(b"one\ntwo\xff")
    with pytest.raises(EngineUnavailable, match="holds no key") as refused:
        make_remote(uri="http://gpu/v1", api_key_file=str(tmp_path / "key"))
    assert "two" not in str(refused.value)


# TLS


def test_a_certificate_is_checked_unless_switched_off(
    make_remote: MakeRemote, guided: AsrEngine, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    api = Api(guided)
    server = serve(api, tls)
    try:
        with pytest.raises(EngineFailed, match=r"certificate verify failed.*; verify_tls: false takes it"):
            make_remote(uri=api.uri).session(AsrRequest()).finish()
        unchecked = make_remote(uri=api.uri, verify_tls=False)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        for engine in (unchecked, make_remote(uri=api.uri)):
            assert heard(engine, LIGHT) == LIGHT
    finally:
        server.shutdown()
        server.server_close()


# Servers that misbehave


def answer(body: bytes, status: str = "200 OK", length: int | None = None) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (
        status.encode(),
        len(body) if length is None else length,
        body,
    )


def posts(*pieces: bytes, then: Behaviour = until_gone) -> Behaviour:
    """Answer early questions properly, the utterance with these bytes, and then behave as ``then``."""

    def behave(connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            while method := stream.readline().partition(b" ")[0]:  # b"": the client has gone
                length = 0
                while (line := stream.readline().lower()).strip():
                    if line.startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                stream.read(length)
                if method == b"POST":
                    for piece in pieces:
                        connection.sendall(piece)
                    then(connection)
                    return
                connection.sendall(answer(b"{}"))

    return behave


def ends(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)
    until_gone(connection)


def goes_on(piece: bytes, pause_s: float = 0.0) -> Behaviour:
    """Send a piece again and again for ever."""
    gone = threading.Event()

    def behave(connection: socket.socket) -> None:
        while not gone.wait(pause_s):
            connection.sendall(piece)

    return behave


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
NO_JSON = "something that is no JSON"
NO_TRANSCRIPT = "something that is no transcript"
NO_TEXT = "without a text"
TOO_MUCH = f"more than {ANSWER_BYTES} bytes"
TOO_LATE = "no transcript within"

FAULTS: dict[str, tuple[Behaviour, str]] = {
    "no HTTP": (sends_for_ever(b"SSH-2.0-OpenSSH_9.2\r\n"), f"remote: http|{TOO_LATE}"),
    "says nothing": (posts(), TOO_LATE),
    "ends": (posts(then=ends), "remote: http"),
    "closes": (posts(then=lambda _: None), "remote: http"),
    "half a status line": (posts(b"HTTP/1.1 2", then=ends), "remote: http"),
    "half a status line, then nothing": (posts(b"HTTP/1.1 2"), TOO_LATE),
    "headers for ever": (posts(b"HTTP/1.1 200 OK\r\n", then=goes_on(b"X-A: b\r\n" * 1000)), f"remote: http|{TOO_LATE}"),
    "less than announced": (posts(answer(b'{"text": "a', length=90), then=ends), "remote: http"),
    "less than announced, then nothing": (posts(answer(b'{"text": "a', length=90)), TOO_LATE),
    "a byte now and then": (posts(answer(b"{", length=90), then=goes_on(b" ", 0.05)), TOO_LATE),
    "a terabyte": (posts(answer(b"", length=10**12), then=goes_on(b"a" * 65_536)), f"{TOO_MUCH}|{TOO_LATE}"),
    "chunks for ever": (posts(CHUNKED, then=goes_on(b"1000\r\n" + b"a" * 4096 + b"\r\n")), f"{TOO_MUCH}|{TOO_LATE}"),
    "a chunk of no size": (posts(CHUNKED + b"zz\r\n"), "remote: http"),
    "no content": (posts(answer(b"")), NO_JSON),
    "a page": (posts(answer(b"<html>")), NO_JSON),
    "half a text": (posts(answer(b'{"text": "a')), NO_JSON),
    "no UTF-8": (posts(answer(b'{"text": "\xff"}')), NO_JSON),
    "what nests": (posts(answer(b"[" * 100_000)), NO_JSON),
    "a list": (posts(answer(b'["turn on"]')), NO_TRANSCRIPT),
    "null": (posts(answer(b"null")), NO_TRANSCRIPT),
    "no text": (posts(answer(b"{}")), NO_TEXT),
    "null as text": (posts(answer(b'{"text": null}')), NO_TEXT),
    "a list as text": (posts(answer(b'{"text": [1]}')), NO_TEXT),
    "a book as text": (posts(answer(b'{"text": "%s"}' % (b"a" * 100_000))), "100000 characters"),
    "an error": (posts(answer(b'{"error": {"message": "out of\\nmemory"}}', "500 X")), "HTTP 500: out of memory$"),
    "an error in other words": (posts(answer(b'{"detail": "busy"}', "503 X")), "HTTP 503: busy$"),
    "an error as a page": (posts(answer(b"<html>" + b"a" * 9_999, "502 X")), "HTTP 502: <html>a{194}$"),
    "an error of another kind": (posts(answer(b"[[1], null]", "400 X")), r"HTTP 400: \[\[1\]"),
    "not found": (posts(answer(b"", "404 Not Found")), "HTTP 404"),
    "elsewhere": (posts(b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), "HTTP 302"),
    "no content, as it says": (posts(b"HTTP/1.1 204 X\r\n\r\n"), "HTTP 204"),
    "another protocol from now on": (posts(b"HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n"), "remote: http"),
    "a status of 7": (posts(b"HTTP/1.1 7 X\r\n\r\n"), "remote: http"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_the_other_side_does_ends_in_words_within_the_deadline(make_remote: MakeRemote, fault: str) -> None:
    behave, words = FAULTS[fault]
    with ScriptedServer(behave) as server:
        engine = make_remote(
            uri=f"http://127.0.0.1:{server.port}/v1", connect_timeout_s=0.3, response_timeout_s=patience(words)
        )
        fails_in_words(engine, words, bytes(64_000))


def test_a_server_that_is_too_busy_to_be_asked_beforehand_still_transcribes(make_remote: MakeRemote) -> None:
    def behave(connection: socket.socket) -> None:
        if connection.recv(4) == b"POST":
            connection.sendall(answer(b'{"text": "turn on"}'))
        until_gone(connection)

    with ScriptedServer(behave) as server:
        session = make_remote(uri=f"http://127.0.0.1:{server.port}/v1", connect_timeout_s=0.5).session(AsrRequest())
        session.push(bytes(32_000))
        assert session.finish().text == "turn on"
