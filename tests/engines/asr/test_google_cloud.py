"""The google_cloud engine against a local gRPC server of the same service, backed by guided or by faults."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from irene_wyoming.bench.serving import free_port
from irene_wyoming.engines.asr.google_cloud.spec import SPEC, endpoint
from irene_wyoming.engines.asr.guided.spec import SPEC as GUIDED
from irene_wyoming.engines.base import AsrEngine, AsrRequest, EngineContext
from irene_wyoming.errors import EngineFailed, EngineUnavailable, UnknownModel, UnsupportedRequest
from irene_wyoming.language.vocabulary import TypedNames
from tests.engines.asr.conftest import made
from tests.engines.asr.elsewhere import (
    LIGHT,
    TIMER,
    ElsewhereContract,
    fails_in_words,
    heard,
    push_all,
    recording,
)
from tests.engines.asr.remote.servers import WAIT_S, ScriptedServer, patience, sends, until_gone, wait_for

pytest.importorskip("google.cloud.speech_v1", reason="the extra google is not installed")

import grpc
from google.cloud.speech_v1.types import StreamingRecognizeRequest, StreamingRecognizeResponse

from irene_wyoming.engines.asr.google_cloud.engine import PIECE_BYTES, regional

Service = Callable[[Iterator[StreamingRecognizeRequest], grpc.ServicerContext], Iterator[StreamingRecognizeResponse]]


@contextmanager
def speech_service(recognize: Service) -> Iterator[str]:
    """Run Google's service on a free port, answering with ``recognize``; gives its endpoint."""
    method = grpc.stream_stream_rpc_method_handler(
        recognize,
        request_deserializer=StreamingRecognizeRequest.deserialize,
        response_serializer=StreamingRecognizeResponse.serialize,
    )
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("google.cloud.speech.v1.Speech", {"StreamingRecognize": method})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def created(**values: Any) -> AsrEngine:
    """Make an engine as the application does, with these options."""
    return made(SPEC, **values)


def result(text: str, *, final: bool = False, confidence: float = 0.0) -> dict[str, Any]:
    return {"alternatives": [{"transcript": text, "confidence": confidence}], "is_final": final}


def response(*results: dict[str, Any], **fields: Any) -> StreamingRecognizeResponse:
    return StreamingRecognizeResponse(results=list(results), **fields)


class Decoding:
    """The service backed by guided: an interim result, and a final one at the end of the audio."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self.guided = made(GUIDED)
        self.configs: list[Any] = []
        self.pieces: list[int] = []

    def __call__(
        self, requests: Iterator[StreamingRecognizeRequest], _: grpc.ServicerContext
    ) -> Iterator[StreamingRecognizeResponse]:
        self.configs.append(next(requests).streaming_config)
        pieces = [request.audio_content for request in requests]
        self.pieces += map(len, pieces)
        with self._one_at_a_time:
            session = self.guided.session(AsrRequest())
            session.push(b"".join(pieces))
            found = session.finish()
        if found.text:
            yield response(result("turn"), result(" on"))
            yield response(result(found.text, final=True, confidence=found.confidence or 0.0))


@pytest.fixture(scope="module")
def decoding() -> Decoding:
    return Decoding()


@pytest.fixture
def google(decoding: Decoding) -> Iterator[str]:
    decoding.configs.clear()
    decoding.pieces.clear()
    with speech_service(decoding) as endpoint:
        yield endpoint


@pytest.fixture
def engine(google: str) -> Iterator[AsrEngine]:
    engine = created(endpoint=google)
    yield engine
    engine.close()


class TestContract(ElsewhereContract):
    @pytest.fixture
    def engine(self, google: str) -> Iterator[AsrEngine]:
        engine = created(endpoint=google)
        yield engine
        engine.close()


@contextmanager
def answering(recognize: Service, **options: Any) -> Iterator[AsrEngine]:
    """Make an engine whose service answers with ``recognize``."""
    with speech_service(recognize) as endpoint:
        engine = created(endpoint=endpoint, **options)
        try:
            yield engine
        finally:
            engine.close()


def test_what_is_said_is_transcribed(engine: AsrEngine, decoding: Decoding) -> None:
    for text in (LIGHT, TIMER):
        session = engine.session(AsrRequest())
        push_all(session, recording(text))
        found = session.finish()
        assert (found.text, found.language, found.provider) == (text, "en", "google_cloud")
        assert found.confidence is not None
        assert 0.6 < found.confidence <= 1
    (config, _) = decoding.configs
    assert config.interim_results
    assert not config.single_utterance
    assert (config.config.language_code, config.config.model) == ("en", "latest_short")
    assert (config.config.sample_rate_hertz, config.config.audio_channel_count) == (16_000, 1)
    assert not config.config.speech_contexts


def test_an_utterance_in_one_piece_is_cut_to_what_google_takes(engine: AsrEngine, decoding: Decoding) -> None:
    pcm = recording(LIGHT)
    session = engine.session(AsrRequest())
    session.push(pcm)
    assert session.finish().text == LIGHT
    assert max(decoding.pieces) == PIECE_BYTES
    assert sum(decoding.pieces) == len(pcm)


def test_names_of_the_request_and_of_the_home_are_leaned_towards(decoding: Decoding, google: str) -> None:
    vocabulary = TypedNames(areas=("attic",), devices=("reading lamp", "x" * 101))
    engine = created(endpoint=google, vocabulary=vocabulary, languages=["en-US", "de-DE"], model="latest_long")
    session = engine.session(AsrRequest(language="de", names=("Zigbee",), terms=("dim", "attic")))
    assert session.finish().language == "de"
    engine.close()
    config = decoding.configs[0].config
    assert (config.language_code, config.model) == ("de-DE", "latest_long")
    names, terms = config.speech_contexts
    assert list(names.phrases) == ["Zigbee"]
    assert list(terms.phrases) == ["dim", "attic", "reading lamp"]
    assert 20 >= names.boost > terms.boost > 0


@pytest.mark.parametrize(
    ("language", "tag"),
    [("en", "en-US"), ("en-GB", "en-GB"), ("en_gb", "en-GB"), ("en-AU", "en-US"), ("de", "de-DE"), ("fr", None)],
)
def test_a_language_is_asked_for_with_its_region(language: str, tag: str | None) -> None:
    assert regional(language, ["en-US", "en-GB", "de-DE"]) == tag


def test_it_offers_the_configured_model(engine: AsrEngine) -> None:
    (model,) = engine.models()
    assert (model.name, model.languages, model.installed) == ("latest_short", ("en",), True)
    options = {name: option.default for name, option in SPEC.options.items()}
    assert SPEC.offers is not None
    (unloaded,) = SPEC.offers(options | {"languages": ("de-DE", "en-US")}, EngineContext())
    assert unloaded.languages == ("de-DE", "en-US")


def test_a_request_that_cannot_be_met_is_refused(engine: AsrEngine) -> None:
    with pytest.raises(UnknownModel, match=r"'tiny'.*latest_short"):
        engine.session(AsrRequest(model="tiny"))
    with pytest.raises(UnsupportedRequest, match="'de': google_cloud is set up for en"):
        engine.session(AsrRequest(language="de"))


def test_the_text_grows_while_the_person_speaks() -> None:
    go_on = threading.Event()

    def recognize(
        requests: Iterator[StreamingRecognizeRequest], _: grpc.ServicerContext
    ) -> Iterator[StreamingRecognizeResponse]:
        next(requests)
        next(requests)
        yield response(result("Turn on the", final=True, confidence=0.9), result(" kitten"))
        go_on.wait(WAIT_S)
        yield response(result(" kitchen light", final=True, confidence=0.5))

    with answering(recognize) as engine:
        session = engine.session(AsrRequest())
        assert session.partial() is None
        session.push(bytes(640))
        wait_for(lambda: session.partial() == "Turn on the kitten")
        go_on.set()
        found = session.finish()
        assert (found.text, found.confidence) == ("Turn on the kitchen light", 0.5)


def test_an_end_that_google_finds_ends_the_audio() -> None:
    configs = []

    def recognize(
        requests: Iterator[StreamingRecognizeRequest], _: grpc.ServicerContext
    ) -> Iterator[StreamingRecognizeResponse]:
        configs.append(next(requests).streaming_config)
        next(requests)
        yield response(speech_event_type=StreamingRecognizeResponse.SpeechEventType.END_OF_SINGLE_UTTERANCE)
        for _request in requests:
            """Wait until the client has ended its side."""
        yield response(result("stop", final=True))

    with answering(recognize, single_utterance=True) as engine:
        session = engine.session(AsrRequest())
        session.push(bytes(640))
        wait_for(lambda: session.partial() == "stop")
        push_all(session, bytes(64_000))  # nobody hears it any more
        assert session.finish().text == "stop"
    assert configs[0].single_utterance


# Faults


def fails(code: grpc.StatusCode, after: int = 0) -> Service:
    """End with this status after so many messages."""

    def recognize(
        requests: Iterator[StreamingRecognizeRequest], context: grpc.ServicerContext
    ) -> Iterator[StreamingRecognizeResponse]:
        for _number, _request in zip(range(after), requests, strict=False):
            yield response(result("turn on"))
        context.abort(code, "because\nof this")

    return recognize


def says(*responses: StreamingRecognizeResponse) -> Service:
    def recognize(
        requests: Iterator[StreamingRecognizeRequest], _: grpc.ServicerContext
    ) -> Iterator[StreamingRecognizeResponse]:
        next(requests)
        yield from responses

    return recognize


def hangs(
    _: Iterator[StreamingRecognizeRequest], context: grpc.ServicerContext
) -> Iterator[StreamingRecognizeResponse]:
    gone = threading.Event()
    context.add_callback(gone.set)
    gone.wait(WAIT_S)
    yield response()


def talks_for_ever(
    _: Iterator[StreamingRecognizeRequest], context: grpc.ServicerContext
) -> Iterator[StreamingRecognizeResponse]:
    while context.is_active():
        yield response(result("and " * 1000, final=True))


FAULTS: dict[str, tuple[Service, str]] = {
    "unavailable": (fails(grpc.StatusCode.UNAVAILABLE), "UNAVAILABLE: because of this"),
    "unavailable in the midst": (fails(grpc.StatusCode.UNAVAILABLE, after=3), "UNAVAILABLE: because of this"),
    "a deadline of theirs": (fails(grpc.StatusCode.DEADLINE_EXCEEDED, after=3), "DEADLINE_EXCEEDED"),
    "cancelled": (fails(grpc.StatusCode.CANCELLED, after=3), "CANCELLED"),
    "no account": (fails(grpc.StatusCode.UNAUTHENTICATED), "UNAUTHENTICATED"),
    "not allowed": (fails(grpc.StatusCode.PERMISSION_DENIED), "PERMISSION_DENIED"),
    "too much asked": (fails(grpc.StatusCode.RESOURCE_EXHAUSTED), "RESOURCE_EXHAUSTED"),
    "a wrong request": (fails(grpc.StatusCode.INVALID_ARGUMENT), "INVALID_ARGUMENT"),
    "too long": (fails(grpc.StatusCode.OUT_OF_RANGE, after=3), "OUT_OF_RANGE"),
    "broken": (fails(grpc.StatusCode.INTERNAL), "INTERNAL"),
    "unknown": (fails(grpc.StatusCode.UNKNOWN), "UNKNOWN"),
    "an error as a response": (says(response(error={"code": 11, "message": "no\naudio"})), "error 11: no audio"),
    "says nothing": (hangs, "no transcript within"),
    "talks for ever": (talks_for_ever, "more than 16384 characters|no transcript within"),
    "a message too large": (says(response(result("a" * (1 << 21), final=True))), "RESOURCE_EXHAUSTED"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_goes_wrong_ends_in_words_within_the_deadline(fault: str) -> None:
    recognize, words = FAULTS[fault]
    with answering(recognize, response_timeout_s=patience(words, 0.5)) as engine:
        fails_in_words(engine, words, bytes(64_000))


def test_after_a_fault_the_next_utterance_is_heard(decoding: Decoding) -> None:
    services: list[Service] = [fails(grpc.StatusCode.UNAVAILABLE, after=2), decoding]

    def recognize(
        requests: Iterator[StreamingRecognizeRequest], context: grpc.ServicerContext
    ) -> Iterator[StreamingRecognizeResponse]:
        yield from services.pop(0)(requests, context)

    with answering(recognize) as engine:
        broken = engine.session(AsrRequest())
        with pytest.raises(EngineFailed, match="UNAVAILABLE"):
            broken.finish()
        assert heard(engine, LIGHT) == LIGHT


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_a_server_that_is_none_is_no_connection(answer: bytes) -> None:
    with ScriptedServer(sends(answer) if answer else until_gone) as server:
        engine = created(endpoint=f"http://127.0.0.1:{server.port}", connect_timeout_s=0.2)
        with pytest.raises(EngineFailed, match="google_cloud: UNAVAILABLE"):
            engine.session(AsrRequest()).finish()
        engine.close()


def test_nobody_there_is_no_connection() -> None:
    engine = created(endpoint=f"http://127.0.0.1:{free_port()}", connect_timeout_s=0.2)
    with pytest.raises(EngineFailed, match=r"UNAVAILABLE: .*Connection refused"):
        engine.session(AsrRequest()).finish()
    engine.close()


# Configuration


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"client_email": "a", "token_uri": "b", "private_key": "c"}'])
def test_credentials_that_are_none_are_told(tmp_path: Path, content: str) -> None:
    file = tmp_path / "key.json"
    file.write_text(content)
    with pytest.raises(EngineUnavailable, match=r"credentials_file: .*key\.json: no key of a service account"):
        created(credentials_file=str(file))


def test_credentials_that_are_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"none\.json: No such file"):
        created(credentials_file=str(tmp_path / "none.json"))


@pytest.mark.parametrize("value", ["", "eu-speech.googleapis.com", "speech.internal:443", "http://127.0.0.1:9000"])
def test_endpoints(value: str) -> None:
    assert endpoint(value) == value


@pytest.mark.parametrize(
    "value", [7, "https://speech.googleapis.com", "http://host", "host/path", "host:x", "me@host", "http://:90", "[::1"]
)
def test_endpoints_that_are_none_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        endpoint(value)


def test_a_model_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a model"):
        SPEC.options["model"].check("")
