"""Sherpa: an AsrEngine on the sherpa-onnx library, for models that decode whole utterances and for streaming ones."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.asr.sherpa import hotwords
from irene_wyoming.engines.asr.sherpa.load import offline, online
from irene_wyoming.engines.base import AsrRequest, ModelInfo, Steady, Transcription, unknown_model
from irene_wyoming.errors import EngineFailed, EngineUnavailable, UnsupportedRequest
from irene_wyoming.models.families import Found
from irene_wyoming.tags import primary

log = logging.getLogger(__name__)

SHORTEST = SPEECH.rate // 10
"""Least samples that are decoded, 0.1 s: no word is shorter, and some families end the process."""

SOFTEST = 3
"""Largest sample, of 32768, of digital silence, in which some families hear words."""

DELAY_S = 0.3
"""Seconds by which a streaming model writes a word late, beyond its own chunks."""

STEP = SPEECH.rate // 100
"""Samples of one frame of features, 10 ms."""

LONGEST_CHUNK_S = 5.0
"""Seconds of silence after which the search for a model's chunk gives up."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The engine's options; SPEC explains them."""

    threads: int
    language: str
    names: tuple[str, ...] = ()
    """Configured names, for families that can lean towards names."""


class Sherpa:
    """A model of any family that ``families`` knows.

    :raises EngineUnavailable: the model cannot be loaded.
    """

    name = "sherpa"
    format = SPEECH

    def __init__(self, found: Found, info: ModelInfo, settings: Settings) -> None:
        self._info = info
        self._settings = settings
        self._hotwords = hotwords.of_model(found, settings.names)
        make = online if found.family.online else offline
        try:
            self._model: Any = make(found, settings.threads, settings.language, self._hotwords)
        except Exception as error:  # the library has no error class of its own
            raise EngineUnavailable(
                f"sherpa: {info.name}: {error}; fetch the model again or give another folder"
            ) from error
        self._tail = tail(self._model) if found.family.online else None
        log.info("sherpa: %s, family %s, threads: %d", info.name, found.family.name, settings.threads)

    def models(self) -> Sequence[ModelInfo]:
        return [self._info]

    def session(self, request: AsrRequest) -> "OfflineSession | OnlineSession":
        """Open a session; raises UnknownModel or UnsupportedRequest for another model or language."""
        if self._model is None:
            raise EngineFailed("sherpa: the engine is closed")
        if request.model not in (None, self._info.name):
            raise unknown_model(str(request.model), [self._info])
        language = self._spoken(request)
        stream = self._stream(request, language)
        if self._tail is not None:
            return OnlineSession(self._model, stream, language, self._tail)
        return OfflineSession(self._model, stream, language)

    def _stream(self, request: AsrRequest, language: str) -> Any:
        names = "" if self._hotwords is None else self._hotwords.text(request, language)
        return self._model.create_stream(names) if names else self._model.create_stream()

    def finish_all(self, sessions: Sequence["OfflineSession | OnlineSession"]) -> list[Transcription]:
        """Transcribe these sessions; models that decode whole utterances take them together.

        :raises EngineFailed: one of them is closed, or the model breaks.
        """
        offline = [session for session in sessions if isinstance(session, OfflineSession)]
        if len(offline) == len(sessions) and self._model is not None:
            return finish_all(self._model, offline)
        return [session.finish() for session in sessions]

    def close(self) -> None:
        self._model = None

    def _spoken(self, request: AsrRequest) -> str:
        spoken = request.language or self._settings.language
        if primary(spoken) in self._info.languages:
            return spoken
        if request.language is None:
            return self._info.languages[0]
        known = ", ".join(self._info.languages)
        raise UnsupportedRequest(f"language {spoken!r}: the model {self._info.name} knows {known} only")


def tail(model: Any) -> NDArray[np.float32]:
    """The silence to append to an utterance, so that a streaming model writes all of it.

    A model takes a chunk when more audio is there than one chunk. So the lengths of a chunk and of a step are measured.
    The silence is their sum, plus the time by which words come late.
    """
    stream = model.create_stream()
    chunk = _until_ready(model, stream)
    model.decode_stream(stream)
    return np.zeros(chunk + _until_ready(model, stream) + round(DELAY_S * SPEECH.rate), np.float32)


def _until_ready(model: Any, stream: Any) -> int:
    """Measure the samples of silence until the model takes a chunk.

    :raises ValueError: it takes none.
    """
    for steps in range(round(LONGEST_CHUNK_S * SPEECH.rate) // STEP):
        if model.is_ready(stream):
            return steps * STEP
        stream.accept_waveform(SPEECH.rate, np.zeros(STEP, np.float32))
    raise ValueError(f"a streaming model that decodes nothing within {LONGEST_CHUNK_S:g} s")


class OfflineSession:
    """One utterance, decoded at its end."""

    def __init__(self, model: Any, stream: Any, language: str) -> None:
        self.language = language
        self._model = model
        self._stream = stream
        self._pcm = bytearray()

    def push(self, pcm: bytes) -> None:
        """Add audio; raises EngineFailed where the session is closed."""
        self._open()
        _whole_frames(pcm)
        self._pcm += pcm

    def partial(self) -> None:
        """Nothing: an utterance is decoded whole."""

    def finish(self) -> Transcription:
        """Decode the utterance; raises EngineFailed where the session is closed, or the model breaks."""
        return finish_all(self._open(), [self])[0]

    def take(self) -> Any:
        """Close the session and give the library's stream with all its audio; None: there is nothing to decode.

        :raises EngineFailed: it is closed already.
        """
        self._open()
        stream = self._stream
        samples = np.frombuffer(bytes(self._pcm), "<i2")
        self.close()
        if len(samples) < SHORTEST or np.abs(samples).max() <= SOFTEST:
            return None
        stream.accept_waveform(SPEECH.rate, _floats(samples))
        return stream

    def close(self) -> None:
        self._model = self._stream = None
        self._pcm.clear()

    def _open(self) -> Any:
        if self._model is None:
            raise EngineFailed("sherpa: the session is closed")
        return self._model


def finish_all(model: Any, sessions: Sequence[OfflineSession]) -> list[Transcription]:
    """Decode several sessions together.

    :raises EngineFailed: one of them is closed, or the model breaks.
    """
    languages = [session.language for session in sessions]
    try:
        streams = [session.take() for session in sessions]
        if spoken := [stream for stream in streams if stream is not None]:
            model.decode_streams(spoken)
        results = [None if stream is None else stream.result for stream in streams]
    except EngineFailed:
        raise
    except Exception as error:  # the library has no error class of its own
        raise EngineFailed(f"sherpa: {error}") from error
    return [_transcription(result, language) for result, language in zip(results, languages, strict=True)]


def _transcription(result: Any, language: str) -> Transcription:
    """Turn the library's result into a transcription; None: there was nothing to decode."""
    if result is None:
        return Transcription("", language, Sherpa.name, 0.0)
    return Transcription(result.text.strip(), language, Sherpa.name, _confidence(result.ys_log_probs))


class OnlineSession:
    """One utterance, decoded while it arrives."""

    def __init__(self, model: Any, stream: Any, language: str, tail: NDArray[np.float32]) -> None:
        self._model = model
        self._stream = stream
        self._language = language
        self._tail = tail

    def push(self, pcm: bytes) -> None:
        """Add audio; raises EngineFailed where the session is closed, or the model breaks."""
        self._open()
        _whole_frames(pcm)
        self._decode(_floats(np.frombuffer(pcm, "<i2")))

    def partial(self) -> Steady:
        """The text so far, token by token. Even with its beam the library hardly ever takes text back."""
        return Steady(self._open().get_result(self._stream))

    def finish(self) -> Transcription:
        """End the utterance; raises EngineFailed where the session is closed, or the model breaks."""
        model = self._open()
        self._decode(self._tail)
        self._stream.input_finished()
        self._decode(np.zeros(0, np.float32))
        result = model.get_result_all(self._stream)
        self.close()
        return Transcription(result.text.strip(), self._language, Sherpa.name, _confidence(result.ys_probs))

    def close(self) -> None:
        self._model = self._stream = None

    def _open(self) -> Any:
        if self._model is None:
            raise EngineFailed("sherpa: the session is closed")
        return self._model

    def _decode(self, samples: NDArray[np.float32]) -> None:
        model = self._open()
        try:
            if len(samples):
                self._stream.accept_waveform(SPEECH.rate, samples)
            while model.is_ready(self._stream):
                model.decode_stream(self._stream)
        except Exception as error:  # the library has no error class of its own
            raise EngineFailed(f"sherpa: {error}") from error


def _whole_frames(pcm: bytes) -> None:
    if len(pcm) % SPEECH.frame_bytes:
        raise ValueError(f"{len(pcm)} bytes are not whole frames of {SPEECH}")


def _floats(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    return samples.astype(np.float32) / np.float32(32768)


def _confidence(log_probs: Sequence[float]) -> float | None:
    """The geometric mean probability of a token; None where the family gives none."""
    return min(1.0, float(np.exp(np.mean(log_probs)))) if len(log_probs) else None
