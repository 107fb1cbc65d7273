"""The engine: an utterance is collected, written to a file, and read by a program."""

import subprocess
import tempfile
import wave
from collections.abc import Sequence

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.base import AsrRequest, ModelInfo, Transcription, unknown_model
from irene_wyoming.errors import EngineFailed, UnsupportedRequest

LONGEST_S = 30.0
"""Seconds for decoding one utterance. The server gives up before that, but nothing else would end the program."""


class CommandEngine:
    """An AsrEngine."""

    name = "command"
    format = SPEECH

    def __init__(self, command: Sequence[str], language: str) -> None:
        self._command = command
        self._language = language

    def models(self) -> Sequence[ModelInfo]:
        return [ModelInfo("command", (self._language,), "A program", "you", "https://example.org/command-engine")]

    def session(self, request: AsrRequest) -> "Utterance":
        """:raises UnknownModel, UnsupportedRequest: another model or language than there is."""
        if request.model not in (None, "command"):
            raise unknown_model(str(request.model), self.models())
        language = request.language or self._language
        if language.partition("-")[0] != self._language:
            raise UnsupportedRequest(f"language {language!r}: the program is set up for {self._language}")
        return Utterance(self._command, language)

    def close(self) -> None:
        """Nothing to give back."""


class Utterance:
    """An AsrSession. The audio is bounded by the server's own limit for one utterance."""

    def __init__(self, command: Sequence[str], language: str) -> None:
        self._command = command
        self._language = language
        self._pcm: bytearray | None = bytearray()  # None: closed

    def push(self, pcm: bytes) -> None:
        """:raises EngineFailed: the session is closed."""
        if len(pcm) % SPEECH.frame_bytes:
            raise ValueError(f"{len(pcm)} bytes are not whole frames")
        self._heard().extend(pcm)

    def partial(self) -> None:
        """Nothing is known before the end."""

    def finish(self) -> Transcription:
        """:raises EngineFailed: the session is closed, or the program fails."""
        pcm = bytes(self._heard())
        self.close()
        return Transcription(self._read(pcm) if any(pcm) else "", self._language, CommandEngine.name)

    def close(self) -> None:
        self._pcm = None

    def _heard(self) -> bytearray:
        if self._pcm is None:
            raise EngineFailed("command: the session is closed")
        return self._pcm

    def _read(self, pcm: bytes) -> str:
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            with wave.open(file, "wb") as sound:
                sound.setparams((SPEECH.channels, SPEECH.width, SPEECH.rate, 0, "NONE", ""))
                sound.writeframes(pcm)
            file.flush()
            command = [*self._command, file.name]
            try:
                done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LONGEST_S)
            except (OSError, subprocess.SubprocessError) as error:
                raise EngineFailed(f"command: {command[0]}: {error}") from error
        return " ".join(done.stdout.split())
