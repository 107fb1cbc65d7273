"""Plays speech from the page to the servers of this machine."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from irene_wyoming.app.page_doctor import PageDoctor
from irene_wyoming.audio.format import SPEECH
from irene_wyoming.errors import LimitExceeded, ProtocolError, ServerUnavailable
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.hear import Recording, detect, transcribe

MAX_S = 30.0
"""Most seconds of speech: a command takes 2 to 5; 30 are 1 MB."""

TIMEOUT_S = 60.0
"""Seconds from the end of the audio to the result."""


class Tryout:
    """One utterance from the page: collected, then played to a server as a client does."""

    def __init__(self, what: str, address: Address, doctor: PageDoctor) -> None:
        """:param what: ``command`` or ``word``.
        :param doctor: asked for the reason where nothing was heard.
        """
        self._what = what
        self._address = address
        self._doctor = doctor
        self._pcm = bytearray()

    def push(self, pcm: bytes) -> None:
        """Add audio at 16 kHz, 16 bit, mono.

        :raises LimitExceeded: it lasts too long.
        :raises ProtocolError: it ends within a sample.
        """
        if len(pcm) % SPEECH.frame_bytes:
            raise ProtocolError("the page sent half a sample")
        if SPEECH.seconds(len(self._pcm) + len(pcm)) > MAX_S:
            raise LimitExceeded(f"that is longer than {MAX_S:g} s")
        self._pcm += pcm

    async def finish(self) -> Mapping[str, Any]:
        """Play the audio to the server and return its answer.

        :raises ServerUnavailable, ProtocolError: the server does not answer, or refuses.
        """
        recording = Recording(SPEECH, bytes(self._pcm))
        try:
            async with asyncio.timeout(TIMEOUT_S):
                found = await (self._command(recording) if self._what == "command" else self._words(recording))
        except TimeoutError:
            raise LimitExceeded(f"there was no answer within {TIMEOUT_S:g} s") from None
        why = None
        if not (found.get("text") or found.get("words")):
            with suppress(ServerUnavailable):  # the result is shown all the same
                why = await self._doctor.why(self._what, self._address, recording)
        return {**found, "seconds": round(recording.seconds, 1), "why": why}

    async def _command(self, recording: Recording) -> Mapping[str, Any]:
        text = await transcribe(self._address, recording)
        return {"text": text.text, "delay_s": round(text.delay_s, 2)}

    async def _words(self, recording: Recording) -> Mapping[str, Any]:
        words, missed = await detect(self._address, recording)
        return {
            "words": [{"word": word.name, "score": word.score} for word in words],
            "closest": None if missed is None else {"word": missed.name, "score": missed.score},
        }

    async def close(self) -> None:
        """Do nothing: connections are closed already."""
