"""Faults within utterances, over real sockets: every client gets an answer, and the server recovers.

The quick tier injects a few dozen. For as many as you like::

IRENE_WYOMING_TEST_FAULTS=1000 pytest tests/servers/test_asr_faults.py
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

import pytest
from wyoming.asr import Transcribe
from wyoming.audio import AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event

from irene_wyoming.app.asr import Providers
from irene_wyoming.app.engines import context
from irene_wyoming.audio.format import Quality
from irene_wyoming.config.model import Config
from irene_wyoming.engines.asr.process import ProcessEngine
from irene_wyoming.engines.asr.sherpa.spec import SPEC as SHERPA
from irene_wyoming.engines.base import AsrEngine, AsrRequest, EngineContext
from irene_wyoming.routing.admission import Admission
from irene_wyoming.routing.asr import AsrRouter
from irene_wyoming.routing.policy import Breaker, Ordered
from irene_wyoming.routing.provider import Provider
from irene_wyoming.servers.arrival import Client
from irene_wyoming.servers.asr import AsrRole, AsrService
from irene_wyoming.servers.handler import Handler
from irene_wyoming.servers.info import Kept, asr_info
from irene_wyoming.servers.service import Service
from irene_wyoming.wire.connection import Connection
from irene_wyoming.wire.hear import Recording
from tests.conftest import until
from tests.engines.asr import crashing
from tests.models import sherpa
from tests.routing.engines import FakeEngine, FakeSession, How, SlowEngine, When
from tests.servers.clients import STREAM, WAIT_S, audio_start, chunks, read

FAULTS = int(os.environ.get("IRENE_WYOMING_TEST_FAULTS", "30"))
DEADLINE_S = 0.1
AT_ONCE = 8
COMMAND = "turn on the living room light"


class FaultyEngine(FakeEngine):
    """Fails in a random way in each utterance."""

    def __init__(self, name: str, random: Random) -> None:
        super().__init__(name, hangs_s=1.5 * DEADLINE_S)
        self._random = random
        self.faults: Counter[str] = Counter()

    def session(self, request: AsrRequest) -> FakeSession:
        self.when = self._random.choice(list(When))
        self.how = self._random.choices(list(How), weights=(3, 3, 1))[0]  # a hang keeps it from failing in other ways
        self.faults[f"{self.how} at {self.when}"] += 1
        return super().session(request)


@asynccontextmanager
async def server(config: Config, providers: Sequence[Provider], waiting: int = AT_ONCE) -> AsyncIterator[Service]:
    """Run a server with the test's own providers, which are closed with it."""
    async with AsyncExitStack() as stack:
        for provider in providers:
            stack.push_async_callback(provider.close)
            if not provider.models():
                await provider.start()
        router = AsrRouter(providers, Ordered(), Admission(1 if not waiting else AT_ONCE, waiting))
        service = AsrService({"all": router}, {}, "en", config.asr.audio, Quality.HIGH, None, 60, WAIT_S)
        info = Kept(lambda: asr_info({"all": router.models()}))

        async def serve(wire: Connection, client: Client) -> None:
            await Handler(
                wire, client, lambda other: AsrRole(service, other, client.host), info, config.asr.limits
            ).run()

        yield await stack.enter_async_context(Service("asr", config.asr.address, config.asr.limits, serve))


def provider(make: Callable[[], AsrEngine], deadline_s: float = DEADLINE_S) -> Provider:
    return Provider("faulty", make, deadline_s, Breaker(1000, 0.01, 0.01), patience_s=60)


async def guided(config: Config) -> Provider:
    """The real engine, started, as the last resort."""
    providers = Providers(config.asr, context(config))
    await providers.start()
    return providers.started[0]


async def converse(uri: str, events: Sequence[Event], random: Random) -> str:
    """One utterance of a client that may misbehave; returns how it ended."""
    fault = random.choices(("none", "leaves", "garbage", "begins anew"), weights=(12, 1, 1, 1))[0]
    cut = random.randrange(1, len(events))
    async with asyncio.timeout(WAIT_S), AsyncClient.from_uri(uri) as client:
        for event in events[:cut]:
            await client.write_event(event)
        if fault == "leaves":
            return fault
        if fault == "garbage":  # the server answers with an error
            await client.write_event(Event("audio-chunk", {"rate": "none"}, b"\0"))
        else:
            for event in events[0 if fault == "begins anew" else cut :]:
                await client.write_event(event)
        while (answer := await client.read_event()) is not None and answer.type in STREAM:
            pass
        return "closed" if answer is None else answer.type


def said(recording: Recording) -> list[Event]:
    pieces = [chunk.event() for chunk in chunks(recording, 100, timestamp=None)]
    return [Transcribe(language="en").event(), audio_start(recording).event(), *pieces, AudioStop().event()]


async def test_no_fault_hangs_a_conversation(
    configured: Callable[..., Config], speech: Callable[[str], Recording]
) -> None:
    random = Random(5)
    faulty, steady = FaultyEngine("faulty", random), FakeEngine("steady")
    events = said(speech("asr/turn_on_the_living_room_light"))
    providers = [provider(lambda: faulty), Provider("steady", lambda: steady, WAIT_S, Breaker(3, 60, 60))]
    ends: Counter[str] = Counter()

    def injected() -> int:
        return faulty.faults.total() + ends["leaves"] + ends["error"]

    async with server(configured(), providers) as service:

        async def speak() -> None:
            while injected() < FAULTS:
                ends[await converse(service.address.uri, events, random)] += 1

        await asyncio.gather(*(speak() for _ in range(AT_ONCE)))
        await until(lambda: service.connections == 0)
        await until(lambda: faulty.open == steady.open == faulty.hanging == 0)
    assert set(ends) <= {"transcript", "leaves", "error"}  # an error only where the client itself sent garbage
    assert ends["transcript"] > ends.total() / 2


async def test_too_many_at_once_are_refused_in_words(
    configured: Callable[..., Config], speech: Callable[[str], Recording]
) -> None:
    slow = SlowEngine("slow")
    events = said(speech("asr/turn_on_the_living_room_light"))
    one = Provider("slow", lambda: slow, WAIT_S, Breaker(3, 60, 60))
    async with server(configured(), [one], waiting=0) as service:
        async with asyncio.timeout(WAIT_S), AsyncClient.from_uri(service.address.uri) as first:
            for event in events:
                await first.write_event(event)
            await until(lambda: slow.hanging == 1)
            async with AsyncClient.from_uri(service.address.uri) as second:
                for event in events:
                    await second.write_event(event)
                refusal = await read(second)
            assert Error.from_event(refusal).code == "limit-exceeded"
            assert "1 are heard and 0 wait already; try again" in Error.from_event(refusal).text
            slow.permits.release()
            answer = await read(first)
        assert answer.data["text"] == slow.text


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize("how", How)
async def test_a_thread_that_fails_amid_an_utterance_costs_nobody_the_transcript(
    configured: Callable[..., Config], speech: Callable[[str], Recording], when: When, how: How
) -> None:
    broken = FakeEngine("faulty", when=when, how=how, hangs_s=2 * DEADLINE_S)
    events = said(speech("asr/turn_on_the_living_room_light"))
    config = configured()
    rounds = max(1, FAULTS // 80)
    async with server(config, [provider(lambda: broken), await guided(config)]) as service:
        for _ in range(rounds):
            async with asyncio.timeout(WAIT_S), AsyncClient.from_uri(service.address.uri) as client:
                for event in events:
                    await client.write_event(event)
                answer = await read(client)
            assert answer.data["text"] == COMMAND
            await until(lambda: broken.hanging == 0)


@pytest.mark.parametrize("fault", ["killed", "crash", "hang", "bug"])
async def test_a_process_that_fails_amid_an_utterance_costs_nobody_the_transcript(
    configured: Callable[..., Config], speech: Callable[[str], Recording], fault: str
) -> None:
    made: list[ProcessEngine] = []

    def make() -> ProcessEngine:
        made.append(ProcessEngine("faulty", crashing.create, {"fault": fault}, EngineContext()))
        return made[-1]

    events = said(speech("asr/turn_on_the_living_room_light"))
    config = configured()
    faulty = provider(make, deadline_s=0.5)
    async with server(config, [faulty, await guided(config)]) as service:
        for _ in range(max(1, FAULTS // 250)):  # it is restarted after 1 s, then 2, then 4
            await until(lambda: faulty.standing.ready, 60)
            async with asyncio.timeout(WAIT_S), AsyncClient.from_uri(service.address.uri) as client:
                for event in events[:5]:
                    await client.write_event(event)
                if fault == "killed":
                    os.kill(made[-1].pid, signal.SIGKILL)
                for event in events[5:]:
                    await client.write_event(event)
                answer = await read(client)
            assert answer.data["text"] == COMMAND


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
async def test_sherpa_that_ends_or_hangs_amid_an_utterance_costs_nobody_the_transcript(
    configured: Callable[..., Config], speech: Callable[[str], Recording], fault: signal.Signals
) -> None:
    pytest.importorskip("sherpa_onnx", reason="sherpa-onnx is not installed")
    options = {name: option.default for name, option in SHERPA.options.items()}
    options |= {"model": str(sherpa("streaming-transducer-en")), "threads": 1}
    made: list[ProcessEngine] = []

    def make() -> ProcessEngine:
        made.append(ProcessEngine("faulty", SHERPA.create, options, EngineContext()))
        return made[-1]

    random, told = Random(fault), said(speech("asr/turn_on_the_living_room_light"))
    config = configured()
    faulty = Provider("faulty", make, 0.5, Breaker(1000, 0.01, 0.01), reload_s=0.01)
    async with server(config, [faulty, await guided(config)]) as service:
        for _ in range(max(1, FAULTS // 30)):
            await until(lambda: faulty.standing.ready, 60)
            cut = random.randrange(len(told))
            async with asyncio.timeout(WAIT_S), AsyncClient.from_uri(service.address.uri) as client:
                for event in told[:cut]:
                    await client.write_event(event)
                os.kill(made[-1].pid, fault)
                for event in told[cut:]:
                    await client.write_event(event)
                assert (await read(client)).data["text"] == COMMAND
            # A command that sherpa answers again ends the doubling of the time until it is started anew.
            await until(lambda: faulty.standing.ready, 60)
            async with asyncio.timeout(WAIT_S), AsyncClient.from_uri(service.address.uri) as client:
                for event in told:
                    await client.write_event(event)
                assert (await read(client)).data["text"] == COMMAND
