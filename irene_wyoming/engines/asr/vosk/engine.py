"""Vosk: an AsrEngine on the Vosk library, which decodes Kaldi models while the audio arrives."""

import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.base import AsrRequest, ModelInfo, Transcription, unknown_model
from irene_wyoming.errors import ConfigError, EngineFailed, EngineUnavailable, UnsupportedRequest
from irene_wyoming.language.likely import likely_names
from irene_wyoming.language.spoken import spoken_forms
from irene_wyoming.language.vocabulary import Vocabulary
from irene_wyoming.models.check import check, takes_grammar
from irene_wyoming.tags import primary

try:
    import vosk
except OSError as error:  # its shared library needs one that the system lacks
    raise EngineUnavailable(f"vosk: the library cannot be loaded: {error}") from error

log = logging.getLogger(__name__)

ONLY_ASSERTIONS = -3
"""Level of Kaldi's log on standard error. Errors are raised; a failed assertion ends the process and should be seen."""

UNKNOWN = ("[unk]", "<unk>")
"""The models' words for unknown words."""


FRAMES_PER_CHUNK = 12
"""Frames of 10 ms that the network computes at once. Kaldi's 20 tell the first word 0.11 s later for 12 % less work."""


@contextmanager
def prompt(folder: Path) -> Iterator[Path]:
    """A folder like a model's whose network computes less audio at once; the model's own where its files say so."""
    settings = folder / "conf" / "model.conf"
    told = settings.read_text("utf-8", errors="replace") if settings.is_file() else "frames-per-chunk"
    if "frames-per-chunk" in told:
        yield folder
        return
    with TemporaryDirectory(prefix="vosk-") as made:
        quick = Path(made)
        for part in folder.iterdir():
            if part.name != "conf":
                (quick / part.name).symlink_to(part.resolve())
        shutil.copytree(folder / "conf", quick / "conf")
        text = f"{told.rstrip()}\n--frames-per-chunk={FRAMES_PER_CHUNK}\n"
        (quick / "conf" / "model.conf").write_text(text, "utf-8")
        yield quick


class Vosk:
    """An engine with a Kaldi model.

    :param grammar: phrases to listen for instead of open speech. Names and terms of requests, and names of the home,
        are added.
    :raises EngineUnavailable: the folder has no complete model.
    :raises ConfigError: there is a grammar, and the model cannot take one.
    """

    name = "vosk"
    format = SPEECH

    def __init__(self, folder: Path, info: ModelInfo, grammar: Sequence[str] = ()) -> None:
        check("vosk", folder)
        if grammar and not takes_grammar(folder):
            raise ConfigError(
                f"asr.providers.vosk.grammar: the model {folder.name} has a fixed graph (HCLG.fst) and cannot be given "
                "a grammar; remove the grammar or take a model with graph/HCLr.fst, such as most small ones"
            )
        vosk.SetLogLevel(ONLY_ASSERTIONS)
        try:
            with prompt(folder) as quick:
                self._model: Any = vosk.Model(str(quick))
        except Exception as error:  # the library has no error class of its own
            raise EngineUnavailable(f"vosk: {folder}: {error}; fetch the model again or give another folder") from error
        self._info = info
        self._grammar = self._known(grammar)
        self._home = lru_cache(maxsize=2)(self._told)
        if grammar and not self._grammar:
            raise ConfigError(f"asr.providers.vosk.grammar: the model {folder.name} knows no phrase of it")

    def models(self) -> Sequence[ModelInfo]:
        return [self._info]

    def session(self, request: AsrRequest) -> "VoskSession":
        """Open a session; raises UnknownModel or UnsupportedRequest for another model or language."""
        if self._model is None:
            raise EngineFailed("vosk: the engine is closed")
        if request.model not in (None, self._info.name):
            raise unknown_model(str(request.model), [self._info])
        spoken = self._info.languages[0]
        if request.language and primary(request.language) != spoken:
            raise UnsupportedRequest(f"language {request.language!r}: the model {self._info.name} knows {spoken} only")
        return VoskSession(self._recognizer(request), request.language or spoken)

    def close(self) -> None:
        self._model = None

    def _recognizer(self, request: AsrRequest) -> Any:
        if not self._grammar:  # an open model cannot lean towards names
            return vosk.KaldiRecognizer(self._model, SPEECH.rate)
        names = self._known([name.lower() for name in (*request.names, *request.terms)])
        wanted = [*dict.fromkeys((*self._grammar, *names, *self._home(request.vocabulary)))]
        wanted += [word for word in UNKNOWN if self._model.vosk_model_find_word(word) >= 0]
        return vosk.KaldiRecognizer(self._model, SPEECH.rate, json.dumps(wanted))

    def _told(self, names: Vocabulary | None) -> list[str]:
        """The home's names in all spoken forms whose words the model knows."""
        spoken = self._info.languages[0]
        told = () if names is None else likely_names(names, spoken)
        ways = dict.fromkeys(way for name in told for way in spoken_forms(name, spoken))
        return [way for way in ways if all(self._model.vosk_model_find_word(word) >= 0 for word in way.split())]

    def _known(self, phrases: Sequence[str]) -> list[str]:
        """The phrases whose words the model all knows."""
        known = []
        for phrase in phrases:
            missing = [word for word in phrase.split() if self._model.vosk_model_find_word(word) < 0]
            if missing:
                log.warning("vosk: %r is left out: the model does not know %s", phrase[:80], ", ".join(missing)[:80])
            else:
                known.append(phrase)
        return known


class VoskSession:
    """One utterance. A longer pause ends a part of it; the parts are joined."""

    def __init__(self, recognizer: Any, language: str) -> None:
        recognizer.SetWords(True)  # for the confidence
        self._recognizer = recognizer
        self._language = language
        self._parts: list[str] = []
        self._sure: list[float] = []  # confidence of each word

    def push(self, pcm: bytes) -> None:
        """Add audio; raises EngineFailed where the session is closed, or the decoder breaks."""
        recognizer = self._open()
        if len(pcm) % SPEECH.frame_bytes:
            raise ValueError(f"{len(pcm)} bytes are not whole frames of {SPEECH}")
        try:
            if recognizer.AcceptWaveform(pcm):
                self._keep(recognizer.Result())
        except Exception as error:  # the library has no error class of its own
            raise EngineFailed(f"vosk: {error}") from error

    def partial(self) -> str | None:
        so_far = json.loads(self._open().PartialResult()).get("partial", "")
        return joined([*self._parts, so_far])

    def finish(self) -> Transcription:
        """End the utterance; raises EngineFailed where the session is closed."""
        self._keep(self._open().FinalResult())
        self.close()
        sure = sum(self._sure) / len(self._sure) if self._sure else 0.0
        return Transcription(joined(self._parts), self._language, Vosk.name, min(sure, 1.0))

    def close(self) -> None:
        self._recognizer = None

    def _open(self) -> Any:
        if self._recognizer is None:
            raise EngineFailed("vosk: the session is closed")
        return self._recognizer

    def _keep(self, result: str) -> None:
        heard = json.loads(result)
        self._parts.append(heard.get("text", ""))
        self._sure += [word["conf"] for word in heard.get("result", ()) if word["word"] not in UNKNOWN]


def joined(parts: Sequence[str]) -> str:
    return " ".join(word for part in parts for word in part.split() if word not in UNKNOWN)
