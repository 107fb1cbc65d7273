"""Provider: engines that load late, and processes that crash."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable

import pytest

from irene_wyoming.engines.asr.lazy import LazyEngine
from irene_wyoming.engines.asr.process import ProcessEngine
from irene_wyoming.engines.base import AsrEngine, AsrRequest, EngineContext, Transcription
from irene_wyoming.errors import EngineFailed, EngineUnavailable, NoProvider
from irene_wyoming.routing.admission import Admission
from irene_wyoming.routing.asr import AsrRouter
from irene_wyoming.routing.keeper import LEFT_BEHIND
from irene_wyoming.routing.policy import Breaker, Ordered
from irene_wyoming.routing.provider import Provider
from irene_wyoming.routing.utterance import Utterance
from tests.conftest import until
from tests.engines.asr import crashing
from tests.routing.engines import FakeEngine, How, When, provider


async def answer(utterance: Utterance) -> Transcription:
    utterance.push(bytes(3200))
    utterance.end()
    return await rest(utterance)


async def rest(utterance: Utterance) -> Transcription:
    async with asyncio.timeout(60):
        return await utterance.heard()


async def test_a_model_is_loaded_in_the_background_and_waited_for() -> None:
    may_load = threading.Event()

    def create() -> FakeEngine:
        may_load.wait(10)
        return FakeEngine("lazy")

    one = await lazily("lazy", create, Breaker(3, 60, 60))
    assert [model.name for model in one.models()] == ["lazy-model"]
    router = AsrRouter([one], Ordered(), Admission(8, 8))
    speaking = asyncio.create_task(answer(router.utterance(AsrRequest())))
    await asyncio.sleep(0)
    may_load.set()
    assert (await speaking).provider == "lazy"
    await one.close()


async def test_a_model_that_takes_too_long_to_load_is_not_waited_for_and_used_later() -> None:
    may_load = threading.Event()

    def create() -> FakeEngine:
        may_load.wait(10)
        return FakeEngine("lazy")

    lazy = LazyEngine("lazy", FakeEngine("lazy").models(), create)
    one = Provider("lazy", lambda: lazy, 0.05, Breaker(3, 60, 60))
    await one.start()
    steady = await provider(FakeEngine("steady"))
    router = AsrRouter([one, steady], Ordered(), Admission(8, 8))
    assert (await answer(router.utterance(AsrRequest()))).provider == "steady"
    may_load.set()
    await until(lambda: lazy.loaded)
    one.deadline_s = one.longest_s = 60
    assert (await answer(router.utterance(AsrRequest()))).provider == "lazy"
    await one.close()
    await steady.close()


async def test_threads_that_hang_are_left_behind_up_to_a_limit() -> None:
    engines = [FakeEngine("lost", when=When.FINISH, how=How.HANG) for _ in range(LEFT_BEHIND + 1)] + [
        FakeEngine("lost")
    ]
    made = iter(engines)
    one = Provider("lost", lambda: next(made), 0.3, Breaker(3, 0.01, 0.01), patience_s=0.01, reload_s=0.01)
    await one.start()
    router = AsrRouter([one], Ordered(), Admission(8, 8))
    for hanging in engines[:-1]:
        await until(lambda: one.standing.ready)
        with pytest.raises(NoProvider):
            await answer(router.utterance(AsrRequest()))
        assert hanging.hanging == 1
    assert not one.standing.ready  # nobody makes a fifth
    engines[1].when = None
    engines[1].release.set()
    await until(lambda: one.standing.ready)
    one.deadline_s = one.longest_s = 60  # the last one does not hang
    assert (await answer(router.utterance(AsrRequest()))).provider == "lost"
    assert engines[-1].heard
    for engine in engines:
        engine.release.set()
    await one.close()


async def lazily(name: str, create: Callable[[], AsrEngine], breaker: Breaker) -> Provider:
    """A started provider whose engine is made when the first command comes."""
    lazy = LazyEngine(name, FakeEngine(name).models(), create)
    started = Provider(name, lambda: lazy, 5.0, breaker)
    await started.start()
    return started


async def test_a_bug_while_a_model_is_loaded_is_the_providers_failure() -> None:
    def create() -> FakeEngine:
        raise IndexError("a bug")

    lazy = LazyEngine("lazy", FakeEngine("lazy").models(), create)
    one = Provider("lazy", lambda: lazy, 5.0, Breaker(3, 60, 60))
    await one.start()
    steady = await provider(FakeEngine("steady"))
    router = AsrRouter([one, steady], Ordered(), Admission(8, 8))
    assert (await answer(router.utterance(AsrRequest()))).provider == "steady"
    with pytest.raises(EngineFailed, match="IndexError: a bug"):
        await Provider("buggy", create, 5.0, Breaker(3, 60, 60)).start()
    await one.close()
    await steady.close()


async def test_a_process_killed_amid_an_utterance_is_replaced_and_the_utterance_saved() -> None:
    made: list[ProcessEngine] = []

    def make() -> ProcessEngine:
        made.append(ProcessEngine("crashing", crashing.create, {}, EngineContext()))
        return made[-1]

    one = Provider("crashing", make, 5.0, Breaker(3, 0.1, 0.1))
    await one.start()
    steady = await provider(FakeEngine("steady"))
    router = AsrRouter([one, steady], Ordered(), Admission(8, 8))
    utterance = router.utterance(AsrRequest())
    speaking = asyncio.create_task(rest(utterance))
    utterance.push(bytes(3200))
    await until(lambda: one.busy == 1)
    os.kill(made[0].pid, signal.SIGKILL)
    utterance.push(bytes(3200))
    utterance.end()
    assert (await speaking).provider == "steady"
    await until(lambda: one.standing.ready)
    assert (await answer(router.utterance(AsrRequest()))).text == str(made[1].pid)
    await one.close()
    await steady.close()
    assert not any(made_one.alive for made_one in made)


async def test_a_process_that_hangs_is_killed() -> None:
    made: list[ProcessEngine] = []

    def make() -> ProcessEngine:
        made.append(ProcessEngine("crashing", crashing.create, {"fault": "hang"}, EngineContext()))
        return made[-1]

    one = Provider("crashing", make, 0.3, Breaker(3, 60, 60))
    await one.start()
    steady = await provider(FakeEngine("steady"))
    router = AsrRouter([one, steady], Ordered(), Admission(8, 8))
    assert (await answer(router.utterance(AsrRequest()))).provider == "steady"
    await until(lambda: not made[0].alive)
    await one.close()
    await steady.close()


async def test_a_model_that_is_missing_is_told_once_and_not_with_each_command(caplog: pytest.LogCaptureFixture) -> None:
    def missing() -> AsrEngine:
        raise EngineUnavailable("no folder base")

    absent = await lazily("absent", missing, Breaker(1000, 0.0, 0.0))
    steady = await provider(FakeEngine("steady"))
    router = AsrRouter([absent, steady], Ordered(), Admission(8, 8))
    for _ in range(3):
        assert (await answer(router.utterance(AsrRequest()))).provider == "steady"
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert sorted(warnings) == ["asr: absent: no folder base", "asr: no folder base; trying steady"]
    await absent.close()
    await steady.close()
