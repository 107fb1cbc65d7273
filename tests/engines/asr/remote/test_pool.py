"""The remote engine with several addresses: who is asked, who answers, who is left alone for a while."""

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from prometheus_client import REGISTRY

from irene_wyoming.bench.serving import free_port
from irene_wyoming.engines.asr.elsewhere import Utterance
from irene_wyoming.engines.asr.remote.pool import LATE_IN_A_ROW, Member, Pool
from irene_wyoming.engines.base import AsrEngine, AsrRequest, ModelInfo, Transcription
from irene_wyoming.errors import EngineFailed
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
from tests.engines.asr.remote.api_server import Api
from tests.engines.asr.remote.servers import WAIT_S, ScriptedServer, sends_and_ends, until_gone, wait_for
from tests.engines.asr.remote.test_http import answer, posts

# Whole servers


class TestContract(ElsewhereContract):
    @pytest.fixture
    def engine(self, make_remote: MakeRemote, api: Api, house: str) -> AsrEngine:
        """An engine with no server at its first address."""
        return make_remote(uri=[nobody("http"), api.uri, house], hedge_s=None, response_timeout_s=WAIT_S)


def nobody(scheme: str) -> str:
    path = "" if scheme == "tcp" else "/v1"
    return f"{scheme}://127.0.0.1:{free_port()}{path}"


@pytest.mark.parametrize("first", ["tcp", "http", "ws"])
def test_nobody_at_the_first_address_costs_nothing(
    make_remote: MakeRemote, api: Api, first: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine = make_remote(uri=[nobody(first), api.uri])
    assert [heard(engine, text) for text in (LIGHT, TIMER)] == [LIGHT, TIMER]
    assert [model.installed for model in engine.models()] == [True]
    assert f"{first}://127.0.0.1" in caplog.text


def hedges(answered: str) -> float:
    return REGISTRY.get_sample_value("irene_remote_hedges_total", {"answered": answered}) or 0.0


@pytest.mark.parametrize("scheme", ["tcp", "http"])
def test_where_one_is_late_the_second_answers_and_the_first_is_let_go(
    make_remote: MakeRemote, api: Api, house: str, scheme: str
) -> None:
    let_go = threading.Event()

    def goes(connection: socket.socket) -> None:
        until_gone(connection)
        let_go.set()

    before = hedges("second")
    behave = goes if scheme == "tcp" else posts(then=goes)
    with ScriptedServer(behave) as silent:
        first = f"{scheme}://127.0.0.1:{silent.port}" + ("/v1" if scheme == "http" else "")
        engine = make_remote(
            uri=[first, house if scheme == "tcp" else api.uri],
            connect_timeout_s=0.5,
            hedge_s=0.1,
            response_timeout_s=60,
        )
        let_go.clear()  # forget the looks made when the engine was made
        assert heard(engine, LIGHT, AsrRequest(language="en")) == LIGHT
        wait_for(let_go.is_set)
    assert hedges("second") == before + 1


def test_a_server_that_goes_while_somebody_speaks_is_replaced_by_one_that_hears_all_of_it(
    make_remote: MakeRemote, api: Api
) -> None:
    """The second server gets the utterance from its start."""
    with ScriptedServer(sends_and_ends(b"")) as broken:
        engine = make_remote(uri=[f"tcp://127.0.0.1:{broken.port}", api.uri])
        assert heard(engine, LIGHT) == LIGHT
    assert len(api.requests) == 1


def test_when_all_fail_the_last_says_why(make_remote: MakeRemote) -> None:
    with ScriptedServer(posts(answer(b'{"error": "busy"}', "503 X"))) as busy:
        engine = make_remote(uri=[nobody("tcp"), f"http://127.0.0.1:{busy.port}/v1"])
        fails_in_words(engine, "HTTP 503: busy|Connection refused", bytes(64_000))


def test_when_all_are_silent_the_deadline_counts(make_remote: MakeRemote) -> None:
    with ScriptedServer(posts()) as one, ScriptedServer(posts()) as other:
        engine = make_remote(
            uri=[f"http://127.0.0.1:{each.port}/v1" for each in (one, other)], hedge_s=0.1, response_timeout_s=0.3
        )
        fails_in_words(engine, r"no transcript within 0\.3 s of the end of the audio", bytes(64_000))


def test_what_they_understand_is_offered_together(make_remote: MakeRemote, house: str, api: Api) -> None:
    engine = make_remote(uri=[house, api.uri], languages=["de"])
    offered = {model.name: model.languages for model in engine.models()}
    assert (offered["moonshine-tiny-en"], offered["whisper-1"]) == (("en",), ("de",))
    assert heard(engine, LIGHT, AsrRequest(model="whisper-1", language="de")) == LIGHT
    assert api.requests[0]["model"] == "whisper-1"


# Servers that the test controls


class Far:
    """A server whose answers a test releases one by one."""

    def __init__(self, *models: ModelInfo) -> None:
        self.offered: Sequence[ModelInfo] = models or (model("base", "en"),)
        self.down = False
        self.looks = 0
        self.waiting: list[asyncio.Future[str]] = []
        self.cancelled = 0

    async def models(self) -> Sequence[ModelInfo]:
        self.looks += 1
        if self.down:
            raise EngineFailed("far: no connection")
        return self.offered

    async def transcribe(self, request: AsrRequest, language: str, utterance: Utterance) -> Transcription:
        del request
        if self.down:
            raise EngineFailed("far: no connection")
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        try:
            text = await future
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return Transcription(f"{text} {len(b''.join([piece async for piece in utterance]))}", language, "far")

    async def close(self) -> None: ...


def model(name: str, *languages: str) -> ModelInfo:
    return ModelInfo(name, languages=languages, description=name, author="somebody", url="https://example.org")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def far() -> list[Far]:
    return [Far(), Far(), Far()]


@pytest.fixture
async def pool(far: list[Far], clock: Clock) -> AsyncIterator[Pool]:
    async with pool_of(far, clock) as pool:
        yield pool


@asynccontextmanager
async def pool_of(far: Sequence[Far], clock: Clock, hedge_s: float | None = 0.01) -> AsyncIterator[Pool]:
    members = [Member(number, f"tcp://far{number}", server, clock) for number, server in enumerate(far, 1)]
    yield Pool("remote", members, hedge_s=hedge_s, patience_s=60, probe_every_s=0.01)
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def speak(pool: Pool, *, ended: bool = True) -> "tuple[asyncio.Task[Transcription], Utterance]":
    utterance = Utterance()
    utterance.put(bytes(64))
    if ended:
        utterance.put(None)
    return asyncio.ensure_future(pool.transcribe(AsrRequest(), "en", utterance)), utterance


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  # the state sends no event
            await asyncio.sleep(0.001)


async def answered(task: Awaitable[Transcription], far: Far, text: str) -> str:
    far.waiting[-1].set_result(text)
    return (await task).text


async def test_the_least_busy_is_asked(pool: Pool, far: list[Far]) -> None:
    tasks = [speak(pool, ended=False) for _ in range(5)]
    await until(lambda: [len(one.waiting) for one in far] == [2, 2, 1])
    for task, _ in tasks:
        task.cancel()
    await until(lambda: sum(one.cancelled for one in far) == 5)


async def test_a_late_one_may_still_be_the_first_to_answer(pool: Pool, far: list[Far]) -> None:
    before = hedges("first")
    task, _ = speak(pool)
    await until(lambda: len(far[1].waiting) == 1)
    assert await answered(task, far[0], "from the first") == "from the first 64"
    await until(lambda: far[1].cancelled == 1)
    assert hedges("first") == before + 1
    assert not far[2].waiting  # one hedge, however long it takes


async def test_before_the_end_of_the_audio_nobody_is_late(pool: Pool, far: list[Far]) -> None:
    task, utterance = speak(pool, ended=False)
    await until(lambda: len(far[0].waiting) == 1)
    for _ in range(20):
        await asyncio.sleep(0.002)
    assert not far[1].waiting
    utterance.put(bytes(36))
    utterance.put(None)
    await until(lambda: len(far[1].waiting) == 1)
    assert await answered(task, far[1], "all of it") == "all of it 100"


async def test_without_hedging_the_first_is_waited_for(far: list[Far], clock: Clock) -> None:
    async with pool_of(far, clock, hedge_s=None) as pool:
        task, _ = speak(pool)
        await until(lambda: len(far[0].waiting) == 1)
        for _ in range(20):
            await asyncio.sleep(0.002)
        assert not far[1].waiting
        assert await answered(task, far[0], "late") == "late 64"


async def test_one_that_fails_is_left_alone_until_it_answers_a_probe_and_has_rested(
    pool: Pool, far: list[Far], clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    far[0].down = True
    task, _ = speak(pool)
    await until(lambda: len(far[1].waiting) == 1)
    assert await answered(task, far[1], "from the second") == "from the second 64"
    assert "far: no connection; asking tcp://far2" in caplog.text
    assert REGISTRY.get_sample_value("irene_remote_up", {"address": "1"}) == 0
    await until(lambda: far[0].looks > 1)  # probed in the background, again and again
    far[0].down = False
    await until(lambda: "tcp://far1 answers again" in caplog.text)
    assert REGISTRY.get_sample_value("irene_remote_up", {"address": "1"}) == 1
    looks = far[0].looks
    task, _ = speak(pool, ended=False)
    await until(lambda: len(far[1].waiting) == 2)  # the first rests
    task.cancel()
    clock.now = 5
    task, _ = speak(pool, ended=False)
    await until(lambda: len(far[0].waiting) == 1)
    assert far[0].looks == looks  # no probes while all servers are awake


async def test_one_that_is_late_again_and_again_is_left_alone(pool: Pool, far: list[Far]) -> None:
    for number in range(1, LATE_IN_A_ROW + 1):
        task, _ = speak(pool)
        await until(lambda number=number: len(far[1].waiting) == number)  # type: ignore[misc]
        assert await answered(task, far[1], "second") == "second 64"
    assert len(far[0].waiting) == LATE_IN_A_ROW
    task, _ = speak(pool, ended=False)
    await until(lambda: len(far[1].waiting) == LATE_IN_A_ROW + 1)
    assert len(far[0].waiting) == LATE_IN_A_ROW


async def test_when_nobody_is_awake_all_are_asked_all_the_same(pool: Pool, far: list[Far]) -> None:
    for one in far:
        one.down = True
    with pytest.raises(EngineFailed, match="no connection"):
        await pool.models()
    far[2].down = False
    task, _ = speak(pool)
    await until(lambda: len(far[2].waiting) == 1)
    assert await answered(task, far[2], "third") == "third 64"


async def test_who_does_not_know_the_language_or_the_model_is_not_asked(clock: Clock) -> None:
    far = [Far(model("small", "en")), Far(model("large", "de", "en"), model("small", "fr"))]
    async with pool_of(far, clock) as pool:
        assert {one.name: one.languages for one in await pool.models()} == {
            "small": ("en", "fr"),
            "large": ("de", "en"),
        }
        for request, language in ((AsrRequest(), "de-DE"), (AsrRequest(model="large"), "en")):
            utterance = Utterance()
            task = asyncio.ensure_future(pool.transcribe(request, language, utterance))
            await until(lambda: len(far[1].waiting) > 0)
            assert not far[0].waiting
            task.cancel()
            far[1].waiting.clear()


def test_audio_that_nobody_has_taken_yet_is_not_lost(make_remote: MakeRemote, api: Api) -> None:
    session = make_remote(uri=[nobody("http"), api.uri]).session(AsrRequest())
    push_all(session, recording(LIGHT), 32_000)
    assert session.finish().text == LIGHT
