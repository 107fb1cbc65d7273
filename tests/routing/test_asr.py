"""AsrRouter: whatever happens to a provider, the transcript comes from the next one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import pytest

from irene_wyoming.engines.base import AsrRequest, Transcription
from irene_wyoming.errors import LimitExceeded, NoProvider, UnknownModel, UnsupportedRequest
from irene_wyoming.routing.admission import Admission
from irene_wyoming.routing.asr import AsrRouter, Partial, Utterance
from irene_wyoming.routing.cascade import Cascade
from irene_wyoming.routing.policy import Breaker, LeastBusy, Ordered, Policy, RoundRobin
from irene_wyoming.routing.provider import Provider
from tests.conftest import until
from tests.routing.engines import FakeEngine, How, When, provider

PIECES = [bytes([number]) * 3200 for number in range(1, 6)]
Routed = Callable[..., Awaitable[AsrRouter]]


@pytest.fixture
async def routed() -> AsyncIterator[Routed]:
    """``await routed(engine, ...)``: a router of these engines, with short deadlines where one hangs."""
    made: list[tuple[FakeEngine, Provider]] = []

    async def make(
        *engines: FakeEngine,
        policy: Policy | None = None,
        cascade: Cascade | None = None,
        deadline_s: float = 5.0,
        admission: Admission | None = None,
    ) -> AsrRouter:
        for engine in engines:
            hangs = engine.when is not None and engine.how == How.HANG
            made.append((engine, await provider(engine, deadline_s=0.05 if hangs else deadline_s)))
        providers = [one for _, one in made[-len(engines) :]]
        return AsrRouter(providers, policy or Ordered(), admission or Admission(8, 8), cascade)

    yield make
    for engine, one in made:
        engine.release.set()
        await one.close()


def spoken(router: AsrRouter, request: AsrRequest | None = None) -> Utterance:
    utterance = router.utterance(request or AsrRequest())
    for pcm in PIECES:
        utterance.push(pcm)
    utterance.end()
    return utterance


async def answer(utterance: Utterance) -> Transcription:
    async with asyncio.timeout(10), aclosing(utterance.heard()) as heard:
        found = [one async for one in heard if isinstance(one, Transcription)]
    (result,) = found
    return result


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize("how", How)
async def test_the_next_provider_hears_the_whole_utterance(routed: Routed, when: When, how: How) -> None:
    engines = [FakeEngine("broken", when=when, how=how), FakeEngine("steady")]
    result = await answer(spoken(await routed(*engines)))
    assert result.provider == "steady"
    assert engines[1].heard == [b"".join(PIECES)]


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize("how", How)
async def test_a_failure_while_the_person_still_speaks_loses_nothing(routed: Routed, when: When, how: How) -> None:
    engines = [FakeEngine("broken", when=when, how=how), FakeEngine("steady")]
    router = await routed(*engines)
    utterance = router.utterance(AsrRequest())
    task = asyncio.create_task(answer(utterance))
    for pcm in PIECES:
        utterance.push(pcm)
        await asyncio.sleep(0.02)  # the pace of speech
    utterance.end()
    assert (await task).provider == "steady"
    assert engines[1].heard == [b"".join(PIECES)]


async def test_where_all_fail_the_client_is_told(routed: Routed) -> None:
    router = await routed(FakeEngine("a", when=When.PUSH), FakeEngine("b", when=When.FINISH, how=How.HANG))
    with pytest.raises(NoProvider, match="last: b: no answer within"):
        await answer(spoken(router))


async def test_one_that_hangs_is_left_alone_and_asked_again_when_it_comes_back(routed: Routed) -> None:
    broken = FakeEngine("broken", when=When.PUSH, how=How.HANG)
    router = await routed(broken, FakeEngine("steady"))
    for _ in range(10):
        assert (await answer(spoken(router))).provider == "steady"
    assert broken.hanging == 1  # one utterance waited for it, the others did not
    broken.when = None
    broken.release.set()
    await until(lambda: broken.open == 0)
    assert not router.providers[0].standing.ready  # until its cool-down is over


async def test_a_thread_that_never_comes_back_is_left_behind_and_the_engine_made_anew() -> None:
    first, second = FakeEngine("lost", when=When.FINISH, how=How.HANG), FakeEngine("lost")
    engines = iter([first, second])
    one = Provider("lost", lambda: next(engines), 0.05, Breaker(3, 0.05, 0.05), patience_s=0.05, reload_s=0.01)
    await one.start()
    router = AsrRouter([one], Ordered(), Admission(8, 8))
    with pytest.raises(NoProvider):
        await answer(spoken(router))
    await until(lambda: one.standing.ready)
    assert (await answer(spoken(router))).provider == "lost"
    assert second.heard
    first.release.set()
    await one.close()


async def test_round_robin_shares_real_utterances_within_5_percent(routed: Routed) -> None:
    router = await routed(*(FakeEngine(name) for name in "abc"), policy=RoundRobin())
    shares = Counter([(await answer(spoken(router))).provider for _ in range(120)])
    assert shares == {"a": 40, "b": 40, "c": 40}


async def test_least_busy_goes_round_the_one_that_is_at_work(routed: Routed) -> None:
    router = await routed(FakeEngine("a"), FakeEngine("b"), policy=LeastBusy())
    speaking = router.utterance(AsrRequest())
    task = asyncio.create_task(answer(speaking))
    await until(lambda: router.providers[0].busy == 1)
    assert (await answer(spoken(router))).provider == "b"
    speaking.end()
    assert (await task).provider == "a"


async def test_a_request_goes_to_whoever_can_meet_it_and_costs_the_others_nothing(routed: Routed) -> None:
    router = await routed(FakeEngine("english"), FakeEngine("german", language="de"))
    for _ in range(5):
        assert (await answer(spoken(router, AsrRequest(language="de")))).provider == "german"
        assert (await answer(spoken(router, AsrRequest(model="german-model")))).provider == "german"
    assert router.providers[0].standing.ready


async def test_a_request_that_nobody_can_meet_is_refused(routed: Routed) -> None:
    router = await routed(FakeEngine("english"), FakeEngine("german", language="de"))
    with pytest.raises(UnsupportedRequest, match=r"'fr'.*english.*'fr'.*german"):
        await answer(spoken(router, AsrRequest(language="fr")))
    with pytest.raises(UnknownModel, match="english-model, german-model"):
        await answer(spoken(router, AsrRequest(model="nobody")))


async def test_partials_come_before_the_end(routed: Routed) -> None:
    router = await routed(FakeEngine("a", partials=("turn", "turn on", "turn on")))
    utterance = router.utterance(AsrRequest())
    async with asyncio.timeout(10), aclosing(utterance.heard()) as heard:
        utterance.push(PIECES[0])
        assert await anext(heard) == Partial("turn")
        utterance.push(PIECES[1])
        utterance.push(PIECES[2])
        assert await anext(heard) == Partial("turn on")
        utterance.end()
        assert isinstance(await anext(heard), Transcription)


@pytest.mark.parametrize(
    ("text", "confidence", "answered"),
    [("turn on", 0.9, "fast"), ("turn on", 0.5, "strong"), ("", 0.9, "strong"), ("turn on", None, "strong")],
)
async def test_a_cascade_asks_the_strong_one_only_where_the_fast_one_is_not_sure(
    routed: Routed, text: str, confidence: float | None, answered: str
) -> None:
    engines = [FakeEngine("fast", text=text, confidence=confidence), FakeEngine("strong")]
    router = await routed(*engines, cascade=Cascade(0.8))
    assert (await answer(spoken(router))).provider == answered


async def test_a_cascade_falls_back_on_what_the_fast_one_said(routed: Routed) -> None:
    engines = [FakeEngine("fast", text="turn on", confidence=0.6), FakeEngine("strong", when=When.PUSH)]
    result = await answer(spoken(await routed(*engines, cascade=Cascade(0.8))))
    assert (result.provider, result.text) == ("fast", "turn on")


async def test_too_many_at_once_are_told_at_once_and_the_others_wait_their_turn(routed: Routed) -> None:
    router = await routed(FakeEngine("a"), admission=Admission(1, 1))
    first, second = router.utterance(AsrRequest()), spoken(router)
    answers = [asyncio.create_task(answer(one)) for one in (first, second)]
    await until(lambda: router.providers[0].busy == 1)
    with pytest.raises(LimitExceeded, match="1 are heard and 1 wait"):
        await answer(spoken(router))
    assert not answers[1].done()
    first.end()
    assert [(await one).provider for one in answers] == ["a", "a"]
    assert (await answer(spoken(router))).provider == "a"


async def test_a_client_that_leaves_leaves_no_session_behind(routed: Routed) -> None:
    engine = FakeEngine("a")
    router = await routed(engine)
    task = asyncio.create_task(answer(router.utterance(AsrRequest())))
    await until(lambda: engine.open == 1)
    task.cancel()
    await asyncio.wait([task])
    await until(lambda: engine.open == 0)
    assert router.providers[0].busy == 0
