"""GoogleCloud: an AsrEngine on Google's streaming recognition (gRPC, version 1 of the API).

It runs on gRPC's own threads: when a call is refused while its audio is sent, grpc.aio only reports an "internal
error". It uses the stub, since a call of Google's client cannot be cancelled before the first response.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

import google.auth
import grpc
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from google.cloud.speech_v1.services.speech.transports import SpeechGrpcTransport
from google.cloud.speech_v1.types import (
    RecognitionConfig,
    SpeechContext,
    StreamingRecognitionConfig,
    StreamingRecognizeRequest,
    StreamingRecognizeResponse,
)
from google.oauth2.service_account import Credentials as ServiceAccount

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.asr.elsewhere import MAX_TEXT_CHARS, RemoteSession, transcript
from irene_wyoming.engines.base import AsrRequest, ModelInfo, Transcription, unknown_model
from irene_wyoming.errors import EngineFailed, EngineUnavailable, UnsupportedRequest
from irene_wyoming.language.likely import likely_names
from irene_wyoming.language.vocabulary import TypedNames
from irene_wyoming.tags import primary
from irene_wyoming.wire.fields import cleaned

NAME = "google_cloud"

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)

PIECE_BYTES = 12_800
"""Bytes of audio in one message, 0.4 s. Google takes 15 to 25 kB, depending on the version."""

STREAM_S = 300.0
"""Seconds after which Google ends a stream."""

PHRASES = 1_000
"""Most phrases to lean towards in one request. Google takes 5,000, of at most PHRASE_CHARS."""

PHRASE_CHARS = 100

NAMES_BOOST, TERMS_BOOST = 15.0, 5.0
"""Weights of names and terms, of at most 20."""

END_S = 2.0
"""Seconds for a cancelled call to end, which nothing delays."""


def channel_options(connect_timeout_s: float) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", 1 << 20),  # a response has some 10 kB; the library sets no limit
        ("grpc.min_reconnect_backoff_ms", round(connect_timeout_s * 1000)),  # seconds of a try to connect: else 20,
        ("grpc.initial_reconnect_backoff_ms", round(connect_timeout_s * 1000)),  # and at least this one
        ("grpc.max_reconnect_backoff_ms", 5_000),  # else a recovered network may be noticed only after two minutes
        ("grpc.enable_retries", 0),  # the router hands the utterance to the next provider
    ]


@dataclass(frozen=True, slots=True)
class Account:
    """Google's account and endpoint."""

    file: Path | None
    """File with the key of a service account; None: the machine's default credentials."""
    endpoint: str
    """Host, host:port or http://host:port (plain text, no credentials); empty: Google's own."""

    @property
    def is_plain(self) -> bool:
        return self.endpoint.startswith("http://")

    @property
    def target(self) -> str:
        return self.endpoint.removeprefix("http://") or SpeechGrpcTransport.DEFAULT_HOST

    def credentials(self) -> Credentials:
        """Load the credentials; raises EngineUnavailable where there are none."""
        try:
            if self.file is not None:
                return ServiceAccount.from_service_account_file(str(self.file), scopes=SCOPES)
            found, _project = google.auth.default(scopes=SCOPES)
        except OSError as error:
            raise EngineUnavailable(f"asr.providers.{NAME}.credentials_file: {self.file}: {error.strerror}") from error
        except (GoogleAuthError, ValueError, AttributeError) as error:  # AttributeError: the JSON is no object
            where = "GOOGLE_APPLICATION_CREDENTIALS" if self.file is None else f"credentials_file: {self.file}"
            raise EngineUnavailable(f"{NAME}: {where}: no key of a service account: {cleaned(error)}") from error
        return found

    def channel(self, options: Sequence[tuple[str, int]]) -> grpc.Channel:
        """Make a channel, which connects when it is first used.

        :raises EngineUnavailable: there are no credentials.
        """
        if self.is_plain:
            return grpc.insecure_channel(self.target, options=options)
        return SpeechGrpcTransport.create_channel(self.target, credentials=self.credentials(), options=options)


@dataclass(frozen=True, slots=True)
class Recognition:
    """The settings that all utterances share."""

    language: str
    """Language where a request names none."""
    vocabulary: TypedNames
    single: bool
    """Whether Google ends the utterance at the first pause."""


class GoogleCloud:
    """An engine on one model of Google's.

    :param patience_s: seconds to wait for the transcript after the end of the audio.
    :raises EngineUnavailable: there are no credentials.
    """

    name = NAME
    format = SPEECH

    def __init__(
        self,
        model: ModelInfo,
        account: Account,
        recognition: Recognition,
        *,
        connect_timeout_s: float,
        patience_s: float,
    ) -> None:
        self._model = model
        self._account = account
        self._recognition = recognition
        self._patience_s = patience_s
        self._channel = account.channel(channel_options(connect_timeout_s))
        self._stub = SpeechGrpcTransport(channel=self._channel).streaming_recognize
        self._calls: set[Call] = set()
        self._lock = Lock()  # guards _closed and _calls: a call may end while another begins
        self._closed = False

    def models(self) -> Sequence[ModelInfo]:
        return [self._model]

    def session(self, request: AsrRequest) -> RemoteSession:
        """Open a session.

        :raises UnknownModel, UnsupportedRequest: the model or language is not the configured one.

        :raises EngineFailed: the engine is closed.
        """
        if request.model not in (None, self._model.name):
            raise unknown_model(str(request.model), [self._model])
        language = request.language or self._recognition.language
        tag = regional(language, self._model.languages)
        if tag is None:
            known = ", ".join(self._model.languages)
            raise UnsupportedRequest(f"language {language!r}: {NAME} is set up for {known}")
        config = streaming_config(self._model.name, tag, request, self._recognition)
        with self._lock:
            if self._closed:
                raise EngineFailed(f"{NAME}: the engine is closed")
            call = Call(self._stub, config, language)
            self._calls.add(call)
        call.result.add_done_callback(lambda _: self._forget(call))
        return RemoteSession(NAME, call, self._patience_s)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            calls = list(self._calls)
        for call in calls:
            call.end()
        self._channel.close()

    def _forget(self, call: "Call") -> None:
        with self._lock:
            self._calls.discard(call)


class Call:
    """One streaming call as a Decoding; a thread of its own reads the responses."""

    def __init__(self, stub: Any, config: StreamingRecognitionConfig, language: str) -> None:
        """:param stub: Google's StreamingRecognize method."""
        self.result: Future[Transcription] = Future()
        self._language = language
        self._cancelled = False  # whether this side has cancelled the call
        self._heard = Heard()
        self._audio: SimpleQueue[bytes | None] = SimpleQueue()  # None: the end
        self._call = stub(requests(config, self._audio), timeout=STREAM_S)
        self._thread = Thread(target=self._listen, name=NAME, daemon=True)
        self._thread.start()

    @property
    def partial(self) -> str | None:
        return self._heard.text or None

    def put(self, pcm: bytes | None) -> None:
        self._audio.put(pcm)

    def cancel(self) -> None:
        self._cancelled = True
        self._call.cancel()
        self._audio.put(None)  # silence first: the end alone would get no answer

    def end(self) -> None:
        """Cancel the call and wait until it has ended."""
        self.cancel()
        self._thread.join(END_S)

    def _listen(self) -> None:
        try:
            for response in self._call:
                self._heard.add(response)
                if response.speech_event_type == response.SpeechEventType.END_OF_SINGLE_UTTERANCE:
                    self._audio.put(None)  # gRPC reads no more, and this ends the iterator of requests
            text = transcript(self._heard.text, NAME)
            self.result.set_result(Transcription(text, self._language, NAME, self._heard.confidence))
        except grpc.RpcError as error:
            what = "closed" if self._cancelled else f"{error.code().name}: {cleaned(error.details())}"
            self.result.set_exception(EngineFailed(f"{NAME}: {what}"))
        except EngineFailed as error:
            self.result.set_exception(error)
        finally:
            self.cancel()


class Heard:
    """The result of an utterance's responses together."""

    def __init__(self) -> None:
        self.confidence: float | None = None
        """Confidence of the least sure part; None while nothing is final, or where Google does not say."""
        self._final = ""
        self._interim = ""

    @property
    def text(self) -> str:
        return " ".join(f"{self._final} {self._interim}".split())

    def add(self, response: StreamingRecognizeResponse) -> None:
        """Add a response; raises EngineFailed where it is an error, or longer than speech."""
        if response.error.code:
            raise EngineFailed(f"{NAME}: error {response.error.code}: {cleaned(response.error.message)}")
        self._interim = ""
        for result in response.results:
            if not result.alternatives:
                continue
            best = result.alternatives[0]
            if not result.is_final:
                self._interim += f" {best.transcript}"
                continue
            self._final += f" {best.transcript}"
            if best.confidence:  # 0: not given
                self.confidence = min(best.confidence, self.confidence or 1.0)
        if len(self._final) + len(self._interim) > MAX_TEXT_CHARS:
            raise EngineFailed(f"{NAME} sent more than {MAX_TEXT_CHARS} characters")


def streaming_config(
    model: str, language: str, request: AsrRequest, recognition: Recognition
) -> StreamingRecognitionConfig:
    names = phrases(request.names)
    home = recognition.vocabulary
    told = () if request.vocabulary is None else likely_names(request.vocabulary, primary(language))
    terms = phrases([*request.terms, *home.areas, *home.devices, *told])
    return StreamingRecognitionConfig(
        config=RecognitionConfig(
            encoding=RecognitionConfig.AudioEncoding.LINEAR16,
            sample_rate_hertz=SPEECH.rate,
            audio_channel_count=SPEECH.channels,
            language_code=language,
            model=model,
            speech_contexts=[
                SpeechContext(phrases=each, boost=boost)
                for each, boost in ((names, NAMES_BOOST), (terms, TERMS_BOOST))
                if each
            ],
        ),
        single_utterance=recognition.single,
        interim_results=True,
    )


def requests(
    config: StreamingRecognitionConfig, audio: "SimpleQueue[bytes | None]"
) -> Iterator[StreamingRecognizeRequest]:
    """Give the messages of one utterance: its settings, then its audio."""
    yield StreamingRecognizeRequest(streaming_config=config)
    while (pcm := audio.get()) is not None:
        for start in range(0, len(pcm), PIECE_BYTES):
            yield StreamingRecognizeRequest(audio_content=pcm[start : start + PIECE_BYTES])


def phrases(words: Sequence[str]) -> list[str]:
    return [word for word in dict.fromkeys(words) if len(word) <= PHRASE_CHARS][:PHRASES]


def regional(language: str, known: Sequence[str]) -> str | None:
    """Choose the tag for Google: one of ``known`` for the same language, the exact one if it is there; None: none."""
    alike = [tag for tag in known if primary(tag) == primary(language)]
    exact = [tag for tag in alike if tag.casefold() == language.replace("_", "-").casefold()]
    return next(iter(exact + alike), None)
