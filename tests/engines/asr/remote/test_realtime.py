"""The remote engine over OpenAI's realtime API: three kinds of servers, and misbehaving ones."""

import asyncio
import json
import logging
import re
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from irene_wyoming.app.asr import asr_server
from irene_wyoming.bench.serving import free_port
from irene_wyoming.config.load import load
from irene_wyoming.engines.asr.remote.api import DEFAULT_MODEL
from irene_wyoming.engines.asr.remote.realtime import MESSAGE_BYTES, dialect
from irene_wyoming.engines.base import AsrEngine, AsrRequest
from irene_wyoming.errors import EngineFailed
from irene_wyoming.language.vocabulary import TypedNames
from tests.conftest import ENVIRONMENT
from tests.engines.asr.conftest import MakeRemote
from tests.engines.asr.elsewhere import (
    LIGHT,
    TIMER,
    ElsewhereContract,
    fails_in_words,
    heard,
    push_all,
    recording,
)
from tests.engines.asr.remote.realtime_server import (
    CREATED,
    HEARD,
    Behave,
    Conversation,
    Standin,
    ends,
    realtime_server,
    understands,
)
from tests.engines.asr.remote.servers import WAIT_S, in_thread, on_a_loop, patience, wait_for

KEY = "sk-not-to-be-seen-0123456789"


@pytest.fixture(params=["openai", "speaches", "vllm"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def standin(kind: str, guided: AsrEngine) -> Iterator[Standin]:
    with on_a_loop(realtime_server(understands(kind, guided))) as standin:
        yield standin


class TestContract(ElsewhereContract):
    @pytest.fixture
    def engine(self, make_remote: MakeRemote, guided: AsrEngine) -> Iterator[AsrEngine]:
        with on_a_loop(realtime_server(understands("openai", guided))) as standin:
            yield make_remote(uri=standin.uri, languages=["en"], response_timeout_s=WAIT_S)


def test_each_kind_of_server_is_spoken_to_as_it_wants(make_remote: MakeRemote, standin: Standin, kind: str) -> None:
    engine = make_remote(uri=standin.uri, model="large", vocabulary=TypedNames(devices=("lamp",)))
    assert [heard(engine, text) for text in (LIGHT, TIMER)] == [LIGHT, TIMER]
    talk = standin.talks[0]
    assert dict(talk.request.query) == {"intent": "transcription", "model": "large"}
    hearing = {"model": "large", "language": "en", "prompt": "lamp"}
    commit = {"type": "input_audio_buffer.commit"}
    nested = {
        "input": {"format": {"type": "audio/pcm", "rate": 24_000}, "transcription": hearing, "turn_detection": None}
    }
    sessions: dict[str, dict[str, Any]] = {
        "openai": {"type": "transcription", "audio": nested},
        "speaches": {"input_audio_transcription": hearing, "turn_detection": None},
    }
    if kind == "vllm":
        assert talk.received == [{"type": "session.update", "model": "large"}, commit, {**commit, "final": True}]
    else:
        assert talk.received == [{"type": "session.update", "session": sessions[kind]}, commit]
    seconds = len(talk.pcm) / 2 / (16_000 if kind == "vllm" else 24_000)
    assert seconds == pytest.approx(len(recording(LIGHT)) / 32_000, abs=0.001)


def test_a_model_that_takes_no_prompt_gets_none(make_remote: MakeRemote, guided: AsrEngine) -> None:
    with on_a_loop(realtime_server(understands("openai", guided))) as standin:
        engine = make_remote(uri=standin.uri, model="gpt-realtime-whisper", vocabulary=TypedNames(devices=("lamp",)))
        assert heard(engine, LIGHT) == LIGHT
    (update, _) = standin.talks[0].received
    assert "prompt" not in update["session"]["audio"]["input"]["transcription"]


def test_the_region_of_a_language_is_left_out() -> None:
    (update,) = dialect(CREATED["speaches"], "large", "de", "").before
    assert update["session"]["input_audio_transcription"] == {"model": "large", "language": "de"}


def test_the_text_grows_while_the_person_speaks(make_remote: MakeRemote) -> None:
    go_on = threading.Event()

    async def behave(talk: Conversation) -> None:
        await talk.socket.send_json(CREATED["openai"])
        await talk.hear(lambda found: found["type"] == "input_audio_buffer.append")
        for delta in ("Turn ", "on"):
            await talk.say(f"{HEARD}.delta", item_id="a", delta=delta)
        await asyncio.get_running_loop().run_in_executor(None, go_on.wait, WAIT_S)
        await talk.hear(lambda found: ends(found, vllm=False))
        await talk.say("input_audio_buffer.committed", item_id="a")
        await talk.say(f"{HEARD}.completed", item_id="a", transcript="Turn on the light.")
        await talk.hear()

    with on_a_loop(realtime_server(behave)) as standin:
        session = make_remote(uri=standin.uri).session(AsrRequest())
        session.push(bytes(6_400))
        wait_for(lambda: session.partial() == "Turn on")
        go_on.set()
        assert session.finish().text == "Turn on the light."


def test_what_a_server_hears_in_pieces_is_joined(make_remote: MakeRemote) -> None:
    """A server may look for pauses itself, although it was told not to."""

    async def behave(talk: Conversation) -> None:
        await talk.socket.send_json(CREATED["openai"])
        await talk.hear(lambda found: found["type"] == "input_audio_buffer.append")
        await talk.say("input_audio_buffer.committed", item_id="a")
        await talk.say(f"{HEARD}.completed", item_id="a", transcript="Turn on")
        await talk.say("input_audio_buffer.committed", item_id="b")
        await talk.hear(lambda found: ends(found, vllm=False))
        await talk.say(f"{HEARD}.completed", item_id="b", transcript="the light.")
        await talk.hear()

    with on_a_loop(realtime_server(behave)) as standin:
        session = make_remote(uri=standin.uri).session(AsrRequest())
        push_all(session, bytes(64_000))
        wait_for(lambda: session.partial() == "Turn on")
        assert session.finish().text == "Turn on the light."


def test_too_little_audio_to_ask_about_gives_an_empty_transcript(make_remote: MakeRemote, standin: Standin) -> None:
    engine = make_remote(uri=standin.uri)
    assert engine.session(AsrRequest()).finish().text == ""
    session = engine.session(AsrRequest())
    session.push(bytes(1_600))
    assert session.finish().text == ""


def test_it_offers_the_configured_model_while_the_server_answers(make_remote: MakeRemote, standin: Standin) -> None:
    (model,) = make_remote(uri=standin.uri, languages=["de"]).models()
    assert (model.name, model.languages, model.installed) == (DEFAULT_MODEL, ("de",), True)
    (model,) = make_remote(uri=f"ws://127.0.0.1:{free_port()}/v1").models()
    assert not model.installed


def test_the_key_is_sent_and_never_told(
    make_remote: MakeRemote, guided: AsrEngine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with on_a_loop(realtime_server(understands("openai", guided), KEY)) as standin:
        engine = make_remote(uri=standin.uri, api_key=KEY)
        assert heard(engine, LIGHT) == LIGHT
        assert engine.models()[0].installed
        wrong = make_remote(uri=standin.uri, api_key=f"{KEY}x")
        assert not wrong.models()[0].installed
        with pytest.raises(EngineFailed, match=r"refuses the API key, or wants one \(HTTP 401\)"):
            heard(wrong, LIGHT)
    assert KEY not in caplog.text


def test_a_server_that_quotes_the_key_is_not_believed(make_remote: MakeRemote) -> None:
    async def behave(talk: Conversation) -> None:
        await talk.say("error", error={"type": "invalid_request_error", "message": f"no quota for {KEY}"})
        await talk.hear()

    with on_a_loop(realtime_server(behave)) as standin:
        fails_in_words(make_remote(uri=standin.uri, api_key=KEY), r"says: no quota for \*\*\*$", bytes(64_000))


def test_a_certificate_is_checked_unless_switched_off(
    make_remote: MakeRemote, guided: AsrEngine, certificate: Path
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with on_a_loop(realtime_server(understands("openai", guided), tls=tls)) as standin:
        fails_in_words(make_remote(uri=standin.uri), "certificate verify failed.*; verify_tls: false", bytes(64_000))
        assert heard(make_remote(uri=standin.uri, verify_tls=False), LIGHT) == LIGHT


# Servers that misbehave


def says(*messages: str | bytes, after: bool = True, close: bool = False) -> Behave:
    """Send these messages as they are, after the end of the audio or before it."""

    async def behave(talk: Conversation) -> None:
        await talk.socket.send_json(CREATED["openai"])
        if after:
            await talk.hear(lambda found: ends(found, vllm=False))
        for message in messages:
            await (talk.socket.send_bytes(message) if isinstance(message, bytes) else talk.socket.send_str(message))
        if close:
            await talk.socket.close(code=aiohttp.WSCloseCode.INTERNAL_ERROR, message=b"out of\nmemory")
        else:
            await talk.hear()

    return behave


def said(kind: str, **content: Any) -> str:
    return json.dumps({"type": kind, **content})


async def silent(talk: Conversation) -> None:
    await talk.hear()


async def never_reads(talk: Conversation) -> None:
    await talk.socket.send_json(CREATED["openai"])
    await asyncio.Event().wait()


async def breaks_off(talk: Conversation) -> None:
    await talk.socket.send_json(CREATED["openai"])
    await talk.hear(lambda found: found["type"] == "input_audio_buffer.append")
    assert talk.request.transport is not None
    talk.request.transport.abort()


async def talks_for_ever(talk: Conversation) -> None:
    await talk.socket.send_json(CREATED["openai"])
    while True:
        await talk.say(f"{HEARD}.delta", item_id="a", delta="and " * 100)


FAULTS: dict[str, tuple[Behave, str]] = {
    "silent from the start": (silent, "no transcript within"),
    "silent after the audio": (says(), "no transcript within"),
    "never reads": (never_reads, "no transcript within"),
    "closes": (says(close=True), "ended the connection without a transcript: out of memory"),
    "closes in the midst": (says(after=False, close=True), "ended the connection without a transcript"),
    "breaks off": (breaks_off, "ended the connection without a transcript|remote: ws"),
    "an error": (says(said("error", error={"type": "server_error", "message": "CUDA"})), "says: CUDA$"),
    "an error in the midst": (says(said("error", error={"message": "x"}), after=False), "says: x$"),
    "an error of vLLM": (says(said("error", error="no model", code="x")), "says: no model$"),
    "an error without words": (says(said("error")), "says: "),
    "an error as long as a book": (says(said("error", error="a" * 9_999)), "says: a{200}$"),
    "a transcription that failed": (says(said(f"{HEARD}.failed", error={"message": "x"})), "says: x$"),
    "no JSON": (says("<html>"), "something that is no JSON"),
    "what nests": (says("[" * 100_000), "something that is no JSON"),
    "a list": (says("[]"), "something that is no message"),
    "bytes": (says(b"\x00\x01"), "remote: ws"),
    "no transcript in it": (says(said(f"{HEARD}.completed", item_id="a")), "without a text"),
    "a list as transcript": (says(said(f"{HEARD}.completed", transcript=[1])), "without a text"),
    "null as a part": (says(said(f"{HEARD}.delta", delta=None)), "without a text"),
    "a book as transcript": (says(said("transcription.done", text="a" * 100_000)), "100000 characters"),
    "a message too large": (says("a" * (MESSAGE_BYTES + 1)), "remote: ws"),
    "parts for ever": (talks_for_ever, "characters; at most|more than|no transcript within"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_the_other_side_does_ends_in_words_within_the_deadline(make_remote: MakeRemote, fault: str) -> None:
    behave, words = FAULTS[fault]
    with on_a_loop(realtime_server(behave)) as standin:
        fails_in_words(make_remote(uri=standin.uri, response_timeout_s=patience(words)), words, bytes(64_000))


def test_nobody_there_is_no_connection(make_remote: MakeRemote) -> None:
    fails_in_words(
        make_remote(uri=f"ws://127.0.0.1:{free_port()}/v1"), "no connection: Connection refused$", bytes(64_000)
    )


@pytest.mark.parametrize("fault", ["silent after the audio", "closes in the midst", "an error"])
def test_where_a_server_fails_the_next_provider_answers(
    make_remote: MakeRemote, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    behave, words = FAULTS[fault]
    with on_a_loop(realtime_server(behave)) as standin:
        asr = {"DEFAULT_PROVIDER": "remote", "FALLBACK_PROVIDERS": "[guided]"}
        remote = {"ENABLED": "true", "URI": standin.uri, "RESPONSE_TIMEOUT_S": "0.3"}
        settings = {f"IRENE_WYOMING__ASR__{key}": value for key, value in asr.items()}
        settings |= {f"IRENE_WYOMING__ASR__PROVIDERS__REMOTE__{key}": value for key, value in remote.items()}
        with in_thread(asr_server(load(None, {**ENVIRONMENT, **settings}))) as house:
            assert heard(make_remote(uri=house, response_timeout_s=60), LIGHT) == LIGHT
    assert re.search(f"{words.removesuffix('$')}.*; trying guided", caplog.text)
