"""Whisper: an AsrEngine on faster-whisper.

A Whisper model hears 30 s at a time, so an utterance is decoded whole: at its end, or when the person pauses and nobody
else waits. More speech makes it decode again. Silence around the speech is left out, since these models hear sentences
in it.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from irene_wyoming import cores
from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.asr.pauses import FRAME, Pauses
from irene_wyoming.engines.asr.whisper.decoder import Decoder
from irene_wyoming.engines.asr.whisper.library import WhisperModel
from irene_wyoming.engines.base import AsrRequest, ModelInfo, Transcription, unknown_model
from irene_wyoming.errors import EngineFailed, EngineUnavailable, UnsupportedRequest
from irene_wyoming.language.likely import likely_names
from irene_wyoming.tags import primary

log = logging.getLogger(__name__)

logging.getLogger("faster_whisper").setLevel(logging.WARNING)  # at INFO it logs every piece of audio

MARGIN = 20
"""Frames kept before and after the speech, for its soft sounds."""

MOST_NAMES = 200
"""Names and terms that are considered: a model takes fewer."""

DISTILLED = "distil"
"""Part of the names of models (distil-large-v3) that were trained without a prompt, which leads them astray."""

OTHER_CODES = {"jv": "jw", "nb": "no", "fil": "tl", "iw": "he"}
"""Whisper's codes of languages that differ from BCP 47."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The engine's options; SPEC explains them."""

    device: str = "auto"
    compute_type: str = "auto"
    cpu_threads: int | None = None
    beam_size: int = 5
    language: str | None = None
    """The spoken language; None: detect it from the sound."""
    initial_prompt: str | None = None
    short_window: bool = True
    hotwords: tuple[str, ...] = ()


class Whisper:
    """An engine with a Whisper model.

    :raises EngineUnavailable: the folder has no model that can be loaded.
    """

    name = "whisper"
    format = SPEECH

    def __init__(self, folder: Path, info: ModelInfo, settings: Settings) -> None:
        self._info = info
        self._settings = settings
        self._takes_prompts = DISTILLED not in info.name.casefold()
        if settings.initial_prompt is not None and not self._takes_prompts:
            log.warning("whisper: initial_prompt: %s takes none, so that it is left out", info.name)
        prompt = settings.initial_prompt if self._takes_prompts else None
        self._model: Any = load(folder, settings)
        self._decoder: Decoder | None = Decoder(
            self._model, settings.beam_size, prompt, short_window=settings.short_window
        )

    def models(self) -> Sequence[ModelInfo]:
        return [self._info]

    def session(self, request: AsrRequest) -> "WhisperSession":
        """Open a session; raises UnknownModel or UnsupportedRequest for another model or language."""
        if self._decoder is None:
            raise EngineFailed("whisper: the engine is closed")
        if request.model not in (None, self._info.name):
            raise unknown_model(str(request.model), [self._info])
        spoken = request.language or self._settings.language
        names = hints(request, self._settings) if self._takes_prompts else ()
        return WhisperSession(self, None if spoken is None else self._code(spoken), names)

    def _code(self, language: str) -> str:
        code = OTHER_CODES.get(primary(language), primary(language))
        if code not in self._info.languages:
            known = ", ".join(self._info.languages)
            raise UnsupportedRequest(f"language {language!r}: the model {self._info.name} knows {known} only")
        return code

    def close(self) -> None:
        model, self._model, self._decoder = self._model, None, None
        if model is not None:
            model.model.unload_model()

    def transcribe(self, samples: NDArray[np.float32], language: str | None, names: Sequence[str]) -> Transcription:
        """Transcribe speech.

        :param samples: 16 kHz, full scale 1.
        :raises EngineFailed: the model breaks, or the engine is closed.
        """
        if self._decoder is None:
            raise EngineFailed("whisper: the engine is closed")
        try:
            decoded = self._decoder.decode(samples, language, names)
        except (RuntimeError, ValueError) as error:
            raise EngineFailed(f"whisper: {error}") from error
        details = {} if decoded.reason is None else {"reason": decoded.reason}
        return Transcription(decoded.text, decoded.language, self.name, decoded.confidence, "open", details)


class WhisperSession:
    """One utterance, decoded at its end, or when the speaker has paused and nobody else waits for the model."""

    def __init__(self, engine: Whisper, language: str | None, names: Sequence[str]) -> None:
        self._engine = engine
        self._language = language
        self._names = names
        self._pauses = Pauses()
        self._pcm = bytearray()
        self._early: Transcription | None = None  # transcription up to the last pause
        self._heard = 0  # bytes of audio that it covers
        self._closed = False

    def push(self, pcm: bytes) -> None:
        """Add audio; raises EngineFailed where the session is closed."""
        self._check()
        self._pauses.push(np.frombuffer(pcm, "<i2"))  # raises ValueError for half a frame
        self._pcm += pcm

    def partial(self) -> str | None:
        """The text up to the last pause; None before the first one."""
        return None if self._early is None else self._early.text

    def pause(self) -> bool:
        """Decode at a pause; raises EngineFailed where the session is closed, or the model breaks."""
        self._check()
        if self._pauses.speech is None:
            return False
        self._decode()
        return True

    def finish(self) -> Transcription:
        """End the utterance; raises EngineFailed where the session is closed, or the model breaks."""
        self._check()
        result = self._decode()
        self.close()
        return result

    def close(self) -> None:
        self._closed = True
        self._pcm.clear()

    def _check(self) -> None:
        if self._closed:
            raise EngineFailed("whisper: the session is closed")

    def _decode(self) -> Transcription:
        """Transcribe the audio so far. The same audio is decoded only once."""
        speech = self._pauses.speech
        if speech is None:
            return Transcription("", self._language or "en", self._engine.name, 0.0)
        if self._early is None or self._heard != len(self._pcm):
            start = max(0, speech.start - MARGIN) * FRAME * SPEECH.frame_bytes
            end = (speech.end + MARGIN) * FRAME * SPEECH.frame_bytes
            samples = np.frombuffer(self._pcm[start:end], "<i2").astype(np.float32) / np.float32(32768)
            self._early = self._engine.transcribe(samples, self._language, self._names)
            self._heard = len(self._pcm)
        return self._early


def load(folder: Path, settings: Settings) -> Any:
    """Load the model on the configured device, or on the CPU where that does not work.

    :raises EngineUnavailable: the CPU does not work, either.
    """
    if settings.device != "cpu" and (settings.device == "cuda" or ctranslate2.get_cuda_device_count() > 0):
        try:
            model = WhisperModel(str(folder), device="cuda", compute_type=settings.compute_type, local_files_only=True)
            # A missing CUDA library is noticed only at its first use.
            list(model.transcribe(np.zeros(SPEECH.rate // 10, np.float32), language="en", max_new_tokens=1)[0])
        except (RuntimeError, ValueError) as error:
            log.warning("whisper: the GPU cannot be used (%s); the CPU does the work", error)
        else:
            log.info("whisper: %s on the GPU", folder.name)
            return model
    types = ctranslate2.get_supported_compute_types("cpu")
    wanted = settings.compute_type
    if wanted != "auto" and wanted not in types:
        log.warning("whisper: this CPU cannot do %s, only %s; auto is used", wanted, ", ".join(sorted(types)))
        wanted = "auto"
    threads = settings.cpu_threads or max(cores.spare(), min(2, cores.granted()))
    try:
        model = WhisperModel(str(folder), device="cpu", compute_type=wanted, cpu_threads=threads, local_files_only=True)
    except Exception as error:  # three libraries with their own error classes
        raise EngineUnavailable(f"whisper: {folder}: {error}; fetch the model again or give another folder") from error
    log.info("whisper: %s on the CPU, threads: %d", folder.name, threads)
    return model


def hints(request: AsrRequest, settings: Settings) -> Sequence[str]:
    """Words that the model is to lean towards, the most important first."""
    home = request.vocabulary
    language = request.language or settings.language or "en"
    of_home = settings.hotwords if home is None else likely_names(home, language)
    return [*dict.fromkeys((*request.names, *request.terms, *of_home))][:MOST_NAMES]
