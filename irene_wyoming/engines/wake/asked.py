"""AskedRecogniser: asks another process for second looks over a unix socket, so that the model is in memory once.

One look is one connection: ``look`` with phrases and audio, answered by ``looked`` or ``error``. So a restarted process
is found again, and a look that nobody waits for ends with its connection.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.wake.spellings import Look
from irene_wyoming.errors import EngineBusy, EngineFailed, EngineUnavailable, ProtocolError, ServerUnavailable
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import complaint, connect
from irene_wyoming.wire.connection import Event
from irene_wyoming.wire.fields import names, text

PATH_VARIABLE = "IRENE_WYOMING_LOOKS"
"""Variable with the path of the socket for looks. Not set: each process loads a model."""

LOOK, LOOKED = "look", "looked"
NUMBERS = ("llr", "absolute", "per_token", "prior")

AT_ONCE = 16
"""Most looks asked for at the same time; others wait here, where they cost no connection."""

CONNECT_S = 1.0
"""Seconds for a process on this machine to accept the connection: it may be loading a model, or lack CPU time."""

ANSWER_S = 30.0
"""Seconds for a look at a recording. Looks for live streams have a shorter patience in SecondLook."""

MOST_AUDIO = 10 * SPEECH.rate * SPEECH.frame_bytes
"""Most bytes of audio in one look, 10 s: three times what any look needs."""

MOST_PHRASES = 64
"""Most phrases of one look: a typed word has one, a packaged word up to ten spellings."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A Look as received over the socket."""

    phrase: str | None
    llr: float
    absolute: float
    per_token: float
    open_text: str
    prior: float


class AskedRecogniser:
    """A recogniser in another process. For the event loop's thread.

    :param path: path of the socket.
    """

    def __init__(self, path: str) -> None:
        self._address = Address(path=path)
        self._turn = asyncio.Semaphore(AT_ONCE)

    ready = True
    """Always ready: the other process loads the model itself, and answers with an error until it has."""

    def prepare(self) -> None:
        """Do nothing: the other process prepares."""

    async def look(self, audio: bytes, phrases: Sequence[str]) -> Look:
        """Ask for a look.

        :raises EngineUnavailable: the other process is absent, or has no recogniser.
        :raises EngineBusy: it has too many questions.
        :raises EngineFailed: it fails, or does not answer.
        """
        try:
            async with self._turn, asyncio.timeout(ANSWER_S), connect(self._address, CONNECT_S) as connection:
                await connection.write(question(audio, phrases))
                event = await connection.read()
        except TimeoutError:
            raise EngineFailed(f"the speech-to-text server has not looked within {ANSWER_S:g} s") from None
        except ServerUnavailable as error:
            raise EngineUnavailable(
                "the speech-to-text server, which takes second looks, is absent or restarting"
            ) from error
        except (OSError, ProtocolError) as error:
            raise EngineFailed(f"the speech-to-text server, which looks, has broken off: {error}") from error
        if event is None:
            raise EngineFailed("the speech-to-text server, which looks, has broken off")
        return answer(event)

    async def close(self) -> None:
        """Do nothing: there is nothing to give back."""


def question(audio: bytes, phrases: Sequence[str]) -> Event:
    return Event(LOOK, {"phrases": list(phrases)}, audio)


def asked(event: Event) -> tuple[bytes, tuple[str, ...]]:
    """Read the audio and the phrases of a question.

    :raises ProtocolError: the event is no question.
    """
    phrases = tuple(names(event.data, "phrases"))
    audio = event.payload or b""
    if event.type != LOOK or not 1 <= len(phrases) <= MOST_PHRASES:
        raise ProtocolError(f"expected {LOOK} with 1 to {MOST_PHRASES} phrases")
    if not audio or len(audio) > MOST_AUDIO or len(audio) % SPEECH.frame_bytes:
        raise ProtocolError(f"expected up to {MOST_AUDIO} bytes of 16 bit audio, not {len(audio)}")
    return audio, phrases


def told(look: Look) -> Event:
    """Write a look as an event; null stands for infinity, which JSON lacks."""
    numbers = {key: getattr(look, key) for key in NUMBERS}
    finite = {key: value if math.isfinite(value) else None for key, value in numbers.items()}
    return Event(LOOKED, {"phrase": look.phrase, "open_text": look.open_text, **finite})


def answer(event: Event) -> Answer:
    """Read an answer.

    :raises EngineUnavailable, EngineBusy, EngineFailed: the answer reports it, or is none.
    """
    if (said := complaint(event)) is not None:
        kinds = {kind.code: kind for kind in (EngineUnavailable, EngineBusy)}
        raise kinds.get(str(event.data.get("code")), EngineFailed)(f"the speech-to-text server says: {said}")
    try:
        if event.type != LOOKED:
            raise ProtocolError(f"expected {LOOKED}")
        phrase = None if event.data.get("phrase") is None else text(event.data, "phrase")
        llr, absolute, per_token, prior = (logarithm(event.data, key) for key in NUMBERS)
        return Answer(phrase, llr, absolute, per_token, text(event.data, "open_text") or "", prior)
    except ProtocolError as error:
        raise EngineFailed(f"the speech-to-text server, which looks, answers with something else: {error}") from error


def logarithm(data: dict[str, Any], key: str) -> float:
    """Read a logarithm; raises ProtocolError where it is no number."""
    value = data.get(key)
    if value is None:
        return -math.inf
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProtocolError(f"{key}: expected a number")
    return float(value)
