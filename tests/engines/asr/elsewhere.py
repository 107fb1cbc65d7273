"""Shared parts of the tests of engines that decode elsewhere: recordings, the contract, and faults."""

import threading

import pytest

from irene_wyoming.engines.base import AsrEngine, AsrRequest, AsrSession
from irene_wyoming.errors import EngineFailed
from tests.conftest import SPEECH_DIR, read_wav
from tests.engines.contract import AsrEngineContract

LIGHT = "turn on the living room light"
TIMER = "set a timer for five minutes"

LONGEST_MESSAGE = 300
"""Most characters of an error message, so that it fits into a log line and onto a screen."""


def recording(text: str) -> bytes:
    """The recording of one of these commands, 16 kHz 16 bit mono."""
    return read_wav(SPEECH_DIR / "asr" / f"{text.replace(' ', '_')}.wav").pcm


def push_all(session: AsrSession, pcm: bytes, step: int = 3_200) -> None:
    """Give a session all audio, ``step`` bytes at a time."""
    for start in range(0, len(pcm), step):
        session.push(pcm[start : start + step])


def heard(engine: AsrEngine, text: str, request: AsrRequest | None = None) -> str:
    """The engine's transcript of a command's recording."""
    session = engine.session(request or AsrRequest())
    push_all(session, recording(text))
    return session.finish().text


def fails_in_words(engine: AsrEngine, words: str, pcm: bytes) -> None:
    """Check that an utterance fails with a short message that names the engine and matches ``words``.

    An engine without a deadline would never end here.
    """
    session = engine.session(AsrRequest())

    def speak() -> None:
        push_all(session, pcm)
        session.finish()

    with pytest.raises(EngineFailed, match=words) as failed:
        speak()
    assert str(failed.value).startswith(engine.name)
    assert len(str(failed.value)) < LONGEST_MESSAGE


class ElsewhereContract(AsrEngineContract):
    """The contract of engines that decode elsewhere. The other side understands LIGHT and TIMER."""

    @pytest.fixture
    def said(self) -> str:
        return LIGHT

    @pytest.fixture
    def speech(self) -> bytes:
        return recording(LIGHT)

    def test_people_who_speak_at_once_are_all_understood(self, engine: AsrEngine) -> None:
        sessions = {text: engine.session(AsrRequest()) for text in (LIGHT, TIMER)}
        for text, session in sessions.items():
            push_all(session, recording(text))
        assert {text: session.finish().text for text, session in sessions.items()} == {LIGHT: LIGHT, TIMER: TIMER}

    def test_an_utterance_given_up_half_way_leaves_no_trace(self, engine: AsrEngine) -> None:
        given_up = engine.session(AsrRequest())
        push_all(given_up, recording(TIMER)[:40_000])
        given_up.close()
        given_up.close()
        assert heard(engine, LIGHT) == LIGHT

    def test_a_closed_engine_leaves_no_thread_and_opens_nothing(self, engine: AsrEngine) -> None:
        session = engine.session(AsrRequest())
        engine.close()
        assert not [thread for thread in threading.enumerate() if thread.name.startswith(engine.name)]
        for call in (lambda: engine.session(AsrRequest()), lambda: session.push(bytes(2)), session.finish):
            with pytest.raises(EngineFailed, match="closed"):
                call()
        assert engine.models()
        session.close()
