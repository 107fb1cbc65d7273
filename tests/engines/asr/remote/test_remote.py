"""The remote engine over Wyoming: this project's own server at the other end, and misbehaving ones."""

import json
import queue
import socket
import struct
import threading
from typing import Any

import pytest
from wyoming.event import Event, read_event, write_event

from irene_wyoming.bench.serving import free_port
from irene_wyoming.engines.asr.elsewhere import MAX_TEXT_CHARS, model_elsewhere
from irene_wyoming.engines.asr.remote.engine import LOOK_EVERY_S, Remote
from irene_wyoming.engines.asr.remote.spec import SPEC, uri
from irene_wyoming.engines.asr.remote.wyoming import CONVERSATION_BYTES, WyomingServer
from irene_wyoming.engines.base import AsrEngine, AsrRequest
from irene_wyoming.errors import ConfigError, EngineFailed, UnknownModel, UnsupportedRequest
from irene_wyoming.language.vocabulary import Vocabulary
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.limits import CLIENT_LIMITS
from tests.engines.asr.conftest import MakeRemote, created
from tests.engines.asr.elsewhere import ElsewhereContract, fails_in_words, push_all
from tests.engines.asr.remote.servers import (
    WAIT_S,
    Behaviour,
    ScriptedServer,
    patience,
    sends,
    sends_and_ends,
    sends_for_ever,
    until_gone,
    wait_for,
)


@pytest.fixture
def engine(make_remote: MakeRemote, house: str) -> AsrEngine:
    return make_remote(uri=house, response_timeout_s=WAIT_S)


class TestContract(ElsewhereContract):
    @pytest.fixture
    def engine(self, make_remote: MakeRemote, house: str) -> AsrEngine:
        return make_remote(uri=house, response_timeout_s=WAIT_S)


def test_it_offers_what_the_other_machine_offers(engine: AsrEngine) -> None:
    models = {model.name: model for model in engine.models()}
    model = models["moonshine-tiny-en"]
    assert (model.languages, model.installed) == (("en",), True)


def test_a_request_that_cannot_be_met_is_refused(engine: AsrEngine) -> None:
    with pytest.raises(UnknownModel, match=r"'tiny'.*moonshine-tiny-en"):
        engine.session(AsrRequest(model="tiny"))
    with pytest.raises(UnsupportedRequest, match="'de': remote knows en"):
        engine.session(AsrRequest(language="de"))


# Requests and answers


def test_all_of_a_request_is_passed_on(make_remote: MakeRemote) -> None:
    heard: queue.Queue[list[Event]] = queue.Queue()

    def behave(connection: socket.socket) -> None:
        with connection.makefile("rb") as stream, connection.makefile("wb") as out:
            events = []
            while (event := read_event(stream)) is not None:
                events.append(event)
                if event.type == "describe":
                    return
                if event.type == "audio-stop":
                    heard.put(events)
                    write_event(Event("transcript", {"text": " guten tag ", "language": "de-DE"}), out)

    request = AsrRequest(
        language="de",
        names=("Zigbee Lampe",),
        terms=("Rolladen",),
        context={"turn": 2},
        vad_sensitivity="aggressive",
        vocabulary=Vocabulary.of(["Flur"], ["\N{SNOWMAN}"]),
    )
    with ScriptedServer(behave) as server:
        session = make_remote(uri=f"tcp://127.0.0.1:{server.port}", model="large").session(request)
        push_all(session, bytes(range(200)) * 50)
        result = session.finish()
    transcribe, start, *chunks, stop = heard.get()
    assert transcribe.data == {
        "name": "large",
        "language": "de",
        "context": {"turn": 2},
        "vad_sensitivity": "aggressive",
        "transcript_names": ["Zigbee Lampe"],
        "transcript_terms": ["Rolladen", "Flur"],
        "stream": True,
    }
    assert (start.type, stop.type) == ("audio-start", "audio-stop")
    assert (start.data["rate"], start.data["width"], start.data["channels"]) == (16_000, 2, 1)
    assert b"".join(chunk.payload or b"" for chunk in chunks) == bytes(range(200)) * 50
    assert (result.text, result.language) == ("guten tag", "de-DE")


def test_the_text_grows_while_the_person_speaks(make_remote: MakeRemote) -> None:
    begin, go_on = threading.Event(), threading.Event()

    def behave(connection: socket.socket) -> None:
        begin.wait(WAIT_S)
        connection.sendall(
            event("transcript-start") + event("transcript-chunk", text="Turn ") + event("transcript-chunk", text="on")
        )
        go_on.wait(WAIT_S)
        connection.sendall(event("transcript", text="Turn on the light.") + event("transcript-stop"))
        until_gone(connection)

    with ScriptedServer(behave) as server:
        session = make_remote(uri=f"tcp://127.0.0.1:{server.port}", connect_timeout_s=0.5).session(AsrRequest())
        assert session.partial() is None
        begin.set()
        session.push(bytes(640))
        wait_for(lambda: session.partial() == "Turn on")
        go_on.set()
        assert session.finish().text == "Turn on the light."


def test_a_transcript_before_the_end_of_the_audio_is_kept(make_remote: MakeRemote) -> None:
    sent = threading.Event()

    def behave(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(event("transcript", text="stop"))
        sent.set()
        until_gone(connection)

    with ScriptedServer(behave) as server:
        session = make_remote(uri=f"tcp://127.0.0.1:{server.port}", connect_timeout_s=0.5).session(AsrRequest())
        assert sent.wait(WAIT_S)
        push_all(session, bytes(64_000))
        assert session.finish().text == "stop"


# A machine that sleeps, and wakes


def test_a_machine_that_sleeps_is_offered_as_not_installed(make_remote: MakeRemote) -> None:
    engine = make_remote(uri=f"tcp://127.0.0.1:{free_port()}", model="large", languages=["de", "en"])
    (model,) = engine.models()
    assert (model.name, model.languages, model.installed) == ("large", ("de", "en"), False)
    with pytest.raises(UnsupportedRequest, match="knows de, en"):
        engine.session(AsrRequest(language="fr"))


def test_a_machine_that_wakes_is_seen_at_the_next_look(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    port = free_port()
    engine = Remote(
        "remote",
        WyomingServer("remote", Address("127.0.0.1", port), model=None, connect_timeout_s=WAIT_S),
        model_elsewhere("remote", "tcp://there"),
        language="de",
        languages=(),
        patience_s=1,
        first_look_s=1,
        clock=lambda: now[0],
    )
    try:
        described = {"asr": [program(model("base", ["de", "en"])), program(model("other", ["fr"]))]}
        with ScriptedServer(sends(event("info", **described)), port):
            assert [(info.name, info.languages, info.installed) for info in engine.models()] == [
                ("remote", ("de",), False)
            ]
            now[0] = LOOK_EVERY_S
            wait_for(lambda: engine.models()[0].installed)
            assert [(info.name, info.languages) for info in engine.models()] == [("base", ("de", "en"))]
        now[0] = 2 * LOOK_EVERY_S
        wait_for(lambda: not engine.models()[0].installed)
        assert [info.name for info in engine.models()] == ["base"]
    finally:
        engine.close()
    assert "no connection" in caplog.text


def test_a_failed_connection_is_known_while_the_person_speaks(make_remote: MakeRemote) -> None:
    session = make_remote(uri=f"tcp://127.0.0.1:{free_port()}").session(AsrRequest())

    def failed() -> bool:
        try:
            session.push(bytes(640))
        except EngineFailed:
            return True
        return False

    wait_for(failed)
    with pytest.raises(
        EngineFailed, match=r"remote: cannot reach tcp://127\.0\.0\.1:\d+: no connection: Connection refused$"
    ):
        session.push(bytes(640))


def test_a_machine_that_does_not_answer_fails_within_the_time_to_connect(make_remote: MakeRemote) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        filling = [socket.socket() for _ in range(4)]
        for each in filling:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        try:
            engine = make_remote(uri=f"tcp://127.0.0.1:{full.getsockname()[1]}", connect_timeout_s=0.1)
            with pytest.raises(EngineFailed, match=r"no connection within 0\.1 s"):
                engine.session(AsrRequest()).finish()
        finally:
            for each in filling:
                each.close()


def test_a_machine_without_an_address_fails_in_words(make_remote: MakeRemote) -> None:
    with pytest.raises(EngineFailed, match="no connection"):
        make_remote(uri="tcp://a..b:10300").session(AsrRequest()).finish()


# Servers that misbehave


def event(kind: str, **data: Any) -> bytes:
    return json.dumps({"type": kind, "data": data}).encode() + b"\n"


def model(name: Any, languages: Any) -> dict[str, Any]:
    return {
        "name": name,
        "languages": languages,
        "attribution": {"name": "somebody", "url": "https://example.org"},
        "installed": True,
        "description": None,
        "version": None,
    }


def program(*models: dict[str, Any]) -> dict[str, Any]:
    return {**model("program", []), "models": models}


def resets(connection: socket.socket) -> None:
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def never_reads(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    threading.Event().wait(0.5)


NO_EVENT = "something that is no Wyoming event"
NO_TEXT = "without a text"
IN_THE_MIDST = "in the midst of an event"
TOO_MUCH = f"more than {CONVERSATION_BYTES} bytes"
NOT_TAKEN = r"_length 1000000000000: at most \d+ bytes are taken"
TOO_LATE = "no transcript within"

FAULTS: dict[str, tuple[Behaviour, str]] = {
    "closes at once": (lambda _: None, "remote: tcp://"),
    "ends": (sends_and_ends(b""), "without a transcript"),
    "resets": (resets, "remote: tcp://"),
    "says nothing": (sends(b""), TOO_LATE),
    "never reads": (never_reads, "remote: "),
    "says half a line": (sends(b'{"type": "trans'), TOO_LATE),
    "a byte now and then": (sends_for_ever(b" ", 0.05), TOO_LATE),
    "HTTP": (sends_and_ends(b"HTTP/1.1 400 Bad Request\r\n\r\n"), NO_EVENT),
    "no UTF-8": (sends(b"\xff\xfe\n"), NO_EVENT),
    "empty lines for ever": (sends_for_ever(b"\n" * 1000), NO_EVENT),
    "a line that is cut": (sends_and_ends(b'{"type": "transcript"'), IN_THE_MIDST),
    "a line without end": (
        sends_for_ever(b"x" * 65_536),
        f"line is longer than {CLIENT_LIMITS.header_bytes} bytes|{TOO_LATE}",
    ),
    "a list": (sends(b"[]\n"), NO_EVENT),
    "null": (sends(b"null\n"), NO_EVENT),
    "a number": (sends(b"7\n"), NO_EVENT),
    "no type": (sends(b'{"data": {}}\n'), NO_EVENT),
    "a number as type": (sends(b'{"type": 7}\n'), NO_EVENT),
    "a list as type": (sends(b'{"type": []}\n'), NO_EVENT),
    "a list as data": (sends(b'{"type": "transcript", "data": [1]}\n'), NO_EVENT),
    "null as data": (sends(b'{"type": "transcript", "data": null}\n'), NO_TEXT),
    "data over a list": (sends(b'{"type": "transcript", "data": [1], "data_length": 2}\n{}'), NO_EVENT),
    "data that is a list": (sends(b'{"type": "transcript", "data_length": 3}\n[1]'), NO_EVENT),
    "data that is no JSON": (sends(b'{"type": "transcript", "data_length": 3}\n{x}'), NO_EVENT),
    "data that nests": (sends(b'{"type": "x", "data_length": 100000}\n' + b"[" * 100_000), NO_EVENT),
    "a line that nests": (sends(b'{"a":' * 100_000 + b"\n"), NO_EVENT),
    "a length as text": (sends(b'{"type": "transcript", "data_length": "3"}\n'), NO_EVENT),
    "half a byte": (sends(b'{"type": "transcript", "data_length": 1.5}\n{}{}'), NO_EVENT),
    "fewer bytes than none": (sends(b'{"type": "transcript", "data_length": -3}\n'), NO_EVENT),
    "a terabyte of data": (sends(b'{"type": "transcript", "data_length": 1000000000000}\n'), NOT_TAKEN),
    "a terabyte, written 1e12": (sends(b'{"type": "transcript", "data_length": 1e12}\n'), NO_EVENT),
    "endless bytes": (sends(b'{"type": "transcript", "data_length": Infinity}\n'), NO_EVENT),
    "a terabyte of audio": (sends(b'{"type": "transcript", "payload_length": 1000000000000}\n'), NOT_TAKEN),
    "data that is cut": (sends_and_ends(b'{"type": "transcript", "data_length": 90}\n{"text": "'), IN_THE_MIDST),
    "data that does not come": (sends(b'{"type": "transcript", "data_length": 90}\n'), TOO_LATE),
    "no text": (sends(event("transcript")), NO_TEXT),
    "null as text": (sends(event("transcript", text=None)), NO_TEXT),
    "a list as text": (sends(event("transcript", text=["turn on"])), NO_TEXT),
    "NaN as text": (sends(event("transcript", text=float("nan"))), NO_EVENT),
    "a book as text": (sends(event("transcript", text="a" * 100_000)), f"100000 characters; at most {MAX_TEXT_CHARS}"),
    "parts for ever": (sends_for_ever(event("transcript-chunk", text="and " * 1_000)), f"{TOO_MUCH}|{TOO_LATE}"),
    "a part that is no text, then nothing": (sends(event("transcript-chunk", text=7)), TOO_LATE),
    "events of no kind, then the end": (sends_and_ends(event("x") + event("pong") + event("info")), "without a trans"),
    "an error": (sends(event("error", text="out of\nmemory", code="cuda")), r"says: out of memory \(cuda\)"),
    "an error without words": (sends(event("error")), "says: None"),
    "an error as long as a book": (sends(event("error", text="a" * 100_000)), "says: a{200}$"),
    "an error that is no text": (sends(event("error", text={"a": [1]}, code=[2])), "says: "),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_the_other_side_does_ends_in_words_within_the_deadline(make_remote: MakeRemote, fault: str) -> None:
    behave, words = FAULTS[fault]
    with ScriptedServer(behave) as server:
        engine = make_remote(
            uri=f"tcp://127.0.0.1:{server.port}", connect_timeout_s=0.3, response_timeout_s=patience(words)
        )
        fails_in_words(engine, words, bytes(640_000))
        assert engine.models()


@pytest.mark.parametrize(
    "info",
    [
        {},
        {"asr": None},
        {"asr": 7},
        {"asr": []},
        {"asr": [None]},
        {"asr": [{}]},
        {"asr": [program()]},
        {"asr": [program({"name": "a"})]},
        {"asr": [program(model(None, ["en"]))]},
        {"asr": [program(model("a" * 1000, ["en"]))]},
        {"asr": [program(model("a", None))]},
        {"asr": [program(model("a", 7))]},
        {"asr": [{**program(), "models": 7}]},
        {"asr": [program({**model("a", ["en"]), "attribution": None})]},
    ],
)
def test_an_info_that_makes_no_sense_is_a_machine_that_sleeps(
    make_remote: MakeRemote, caplog: pytest.LogCaptureFixture, info: dict[str, Any]
) -> None:
    with ScriptedServer(sends(event("info", **info))) as server:
        engine = make_remote(uri=f"tcp://127.0.0.1:{server.port}", model="large")
        assert [(model.name, model.installed) for model in engine.models()] == [("large", False)]
    assert "not installed" in caplog.text


def test_of_an_info_only_what_is_sound_is_taken(make_remote: MakeRemote) -> None:
    many = program(model("a\nb", ["en"]), *(model(f"m{i}", ["en", 7, "x" * 200, "en", "de"]) for i in range(1000)))
    with ScriptedServer(sends(event("info", asr=[many]))) as server:
        models = make_remote(uri=f"tcp://127.0.0.1:{server.port}", model="m7").models()
    assert len(models) == 255
    assert models[0].name == "m7"  # the one that is configured
    assert models[0].languages == ("en", "de")


# Configuration


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("", ""),
        (None, ""),
        ("tcp://gpu:10300", "tcp://gpu:10300"),
        ("tcp://[::1]:10300/", "tcp://[::1]:10300"),
        ("http://gpu:8000/v1/", "http://gpu:8000/v1"),
        ("https://gpu/v1/audio/transcriptions", "https://gpu/v1"),
        ("wss://gpu/v1/realtime/", "wss://gpu/v1"),
        (["tcp://gpu:10300"], "tcp://gpu:10300"),
        (["tcp://gpu:10300", "ws://gpu:8000/v1/"], ("tcp://gpu:10300", "ws://gpu:8000/v1")),
        (["http://a/v1", "http://b/v1", "http://a/v1/"], ("http://a/v1", "http://b/v1")),
    ],
)
def test_addresses(value: Any, meant: str) -> None:
    assert uri(value) == meant


@pytest.mark.parametrize(
    "value",
    [
        7,
        "gpu:10300",
        "tcp://gpu",
        "tcp://:10300",
        "tcp://gpu:0",
        "tcp://gpu:99999",
        "tcp://gpu:x",
        "tcp://gpu:1/path",
        "udp://gpu:1",
        "unix:///s",
        "http://",
        "http://me:secret@gpu/v1",
        "https://gpu/v1?key=secret",
        "tcp://[::1:1",
        "http://gpu /v1",
        {"uri": "tcp://gpu:1"},
        [],
        [""],
        ["tcp://gpu:1", 7],
        ["tcp://gpu:1", "http://me:secret@gpu/v1"],
        "wss://secret@gpu/v1",
    ],
)
def test_addresses_that_are_none_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="expected tcp://host:port") as refused:
        uri(value)
    assert "secret" not in str(refused.value)


def test_there_is_an_end_to_the_number_of_addresses() -> None:
    with pytest.raises(ValueError, match="at most 16 addresses; put a proxy before more"):
        uri([f"tcp://gpu{number}:1" for number in range(17)])


def test_without_an_address_it_is_a_wrong_configuration() -> None:
    with pytest.raises(ConfigError, match=r"asr\.providers\.remote\.uri: expected tcp"):
        created()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("model", 7),
        ("model", "a" * 129),
        ("languages", "en"),
        ("languages", [7]),
        ("api_key_file", 7),
        ("api_key_file", ""),
        ("connect_timeout_s", 0),
        ("connect_timeout_s", True),
        ("response_timeout_s", 121),
        ("verify_tls", "yes"),
        ("hedge_s", 0),
        ("hedge_s", "never"),
    ],
)
def test_options_that_make_no_sense_are_refused(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        SPEC.options[option].check(value)
