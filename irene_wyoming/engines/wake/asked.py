"""AskedRecogniser: has another process of this program look at wake words, over a unix socket, so that the model is in
memory once.

One look is one connection: ``look`` with phrases and audio there, ``looked`` or ``error`` back. A process that is
started anew is found again without any state, and a look that nobody waits for any more ends with its connection.
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
"""Environment variable: the path of the socket at which looks are asked for. Not set: each process loads a model."""

LOOK, LOOKED = "look", "looked"
NUMBERS = ("llr", "absolute", "per_token", "prior")

AT_ONCE = 16
"""Looks that are asked for at the same time; the others wait here, where they cost no connection."""

CONNECT_S = 1.0
"""For a process on this machine to take the connection: it may be loading a model, or be short of CPU time."""

ANSWER_S = 30.0
"""For a look at a recording. Who speaks live is not kept waiting for so long: the second look has its own patience."""

MOST_AUDIO = 10 * SPEECH.rate * SPEECH.frame_bytes
"""Bytes of one look, 10 s: three times what any asks for."""

MOST_PHRASES = 64
"""Phrases of one look: a typed word is one, a packaged word has up to ten spellings."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A Look, as it came over the socket."""

    phrase: str | None
    llr: float
    absolute: float
    per_token: float
    open_text: str
    prior: float


class AskedRecogniser:
    """For the event loop's thread.

    :param path: of the socket.
    """

    def __init__(self, path: str) -> None:
        self._address = Address(path=path)
        self._turn = asyncio.Semaphore(AT_ONCE)

    ready = True
    """The other process loads the model by itself; until it has, it says so."""

    def prepare(self) -> None:
        """Nothing: the other process does it."""

    async def look(self, audio: bytes, phrases: Sequence[str]) -> Look:
        """:raises EngineUnavailable: the other process is not there, or has no recogniser.
        :raises EngineBusy: too many ask it.
        :raises EngineFailed: it breaks, or does not answer.
        """
        try:
            async with self._turn, asyncio.timeout(ANSWER_S), connect(self._address, CONNECT_S) as connection:
                await connection.write(question(audio, phrases))
                event = await connection.read()
        except TimeoutError:
            raise EngineFailed(f"the speech-to-text server has not looked within {ANSWER_S:g} s") from None
        except ServerUnavailable as error:
            raise EngineUnavailable("the speech-to-text server, which looks, is not there or starts anew") from error
        except (OSError, ProtocolError) as error:
            raise EngineFailed(f"the speech-to-text server, which looks, has broken off: {error}") from error
        if event is None:
            raise EngineFailed("the speech-to-text server, which looks, has broken off")
        return answer(event)

    async def close(self) -> None:
        """Nothing to give back."""


def question(audio: bytes, phrases: Sequence[str]) -> Event:
    return Event(LOOK, {"phrases": list(phrases)}, audio)


def asked(event: Event) -> tuple[bytes, tuple[str, ...]]:
    """The audio and the phrases of a question.

    :raises ProtocolError: it is none.
    """
    phrases = tuple(names(event.data, "phrases"))
    audio = event.payload or b""
    if event.type != LOOK or not 1 <= len(phrases) <= MOST_PHRASES:
        raise ProtocolError(f"expected {LOOK} with 1 to {MOST_PHRASES} phrases")
    if not audio or len(audio) > MOST_AUDIO or len(audio) % SPEECH.frame_bytes:
        raise ProtocolError(f"expected up to {MOST_AUDIO} bytes of 16 bit audio, not {len(audio)}")
    return audio, phrases


def told(look: Look) -> Event:
    """A look as an event; JSON has no infinities, null stands for them."""
    numbers = {key: getattr(look, key) for key in NUMBERS}
    finite = {key: value if math.isfinite(value) else None for key, value in numbers.items()}
    return Event(LOOKED, {"phrase": look.phrase, "open_text": look.open_text, **finite})


def answer(event: Event) -> Answer:
    """What an answer says.

    :raises EngineUnavailable, EngineBusy, EngineFailed: as it says, or it is no answer.
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
    """:raises ProtocolError: it is no number."""
    value = data.get(key)
    if value is None:
        return -math.inf
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProtocolError(f"{key}: expected a number")
    return float(value)
