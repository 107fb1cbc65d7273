"""AsrRouter: after any failure of a provider, the transcript comes from the next one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.base import AsrRequest, Transcription
from irene_wyoming.errors import EngineUnavailable, LimitExceeded, NoProvider, UnknownModel, UnsupportedRequest
from irene_wyoming.routing.admission import Admission
from irene_wyoming.routing.asr import AsrRouter
from irene_wyoming.routing.cascade import Cascade
from irene_wyoming.routing.policy import Breaker, LeastBusy, Ordered, Policy, RoundRobin
from irene_wyoming.routing.provider import Provider
from irene_wyoming.routing.silence import Sound
from irene_wyoming.routing.utterance import Utterance
from tests.conftest import until
from tests.routing.engines import EagerEngine, FakeEngine, How, SlowEngine, When, provider

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
    async with asyncio.timeout(60):
        return await utterance.heard()


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
        await asyncio.sleep(0.02)  # at the pace of speech
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
    one.deadline_s = one.longest_s = 60  # the new engine does not hang
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
    told: asyncio.Queue[str] = asyncio.Queue()
    task = asyncio.create_task(utterance.heard(told.put))
    async with asyncio.timeout(60):
        utterance.push(PIECES[0])
        assert await told.get() == "turn"
        utterance.push(PIECES[1])
        utterance.push(PIECES[2])
        assert await told.get() == "turn on"
        assert not task.done()
        utterance.end()
        assert isinstance(await task, Transcription)
    assert told.empty()


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


async def test_too_many_at_once_are_told_at_once_and_the_others_wait_their_turn() -> None:
    engine = FakeEngine("a", when=When.FINISH, how=How.HANG)
    one = await provider(engine)
    router = AsrRouter([one], Ordered(), Admission(1, 1))
    answers = [asyncio.create_task(answer(spoken(router))) for _ in range(2)]
    await until(lambda: engine.hanging == 1)
    with pytest.raises(LimitExceeded, match="1 are heard and 1 wait"):
        await answer(spoken(router))
    talking = router.utterance(AsrRequest())
    late = asyncio.create_task(answer(talking))
    await until(lambda: one.busy == 3)  # an utterance whose speaker still talks takes no place
    with pytest.raises(LimitExceeded, match="1 are heard and 1 wait"):
        talking.end()
    late.cancel()
    assert not answers[1].done()
    engine.when = None
    engine.release.set()
    assert [(await one).provider for one in answers] == ["a", "a"]
    assert (await answer(spoken(router))).provider == "a"
    await one.close()


async def test_those_who_fall_silent_keep_nobody_from_being_heard(routed: Routed) -> None:
    router = await routed(FakeEngine("a"), admission=Admission(1, 0))
    silent = [router.utterance(AsrRequest()) for _ in range(4)]
    for utterance in silent:
        utterance.push(PIECES[0])
    waiting = [asyncio.create_task(answer(utterance)) for utterance in silent]
    await until(lambda: router.providers[0].busy == 4)
    assert (await answer(spoken(router))).provider == "a"
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)


async def test_a_client_that_leaves_leaves_no_session_behind(routed: Routed) -> None:
    engine = FakeEngine("a")
    router = await routed(engine)
    task = asyncio.create_task(answer(router.utterance(AsrRequest())))
    await until(lambda: engine.open == 1)
    task.cancel()
    await asyncio.wait([task])
    await until(lambda: engine.open == 0)
    assert router.providers[0].busy == 0


async def test_many_at_once_on_one_slow_engine_are_answered_one_by_one_in_order() -> None:
    engine = SlowEngine("slow")
    one = await provider(engine, deadline_s=0.01, longest_s=60)
    router = AsrRouter([one], Ordered(), Admission(8, 8))
    answered: list[int] = []

    def as_many(found: list[int], count: int) -> Callable[[], bool]:
        return lambda: len(found) == count

    async def ask(number: int) -> None:
        await answer(spoken(router))
        answered.append(number)

    asking = [asyncio.create_task(ask(number)) for number in range(6)]
    for number in range(6):
        await until(lambda: engine.hanging == 1)
        await asyncio.sleep(0.02)  # longer than the deadline for handing over
        assert answered == list(range(number))
        engine.permits.release()
        await until(as_many(answered, number + 1))
    await asyncio.gather(*asking)
    assert answered == list(range(6))
    assert one.standing.ready
    await one.close()


async def test_one_that_had_to_wait_too_long_is_handed_over_and_nobody_is_blamed() -> None:
    slow = SlowEngine("slow")
    providers = [await provider(slow, deadline_s=0.05, longest_s=60), await provider(FakeEngine("steady"))]
    router = AsrRouter(providers, Ordered(), Admission(8, 8))
    alone = AsrRouter(providers[:1], Ordered(), Admission(8, 8))
    first = asyncio.create_task(answer(spoken(alone)))
    await until(lambda: slow.hanging == 1)
    assert (await answer(spoken(router))).provider == "steady"
    assert providers[0].standing.ready
    slow.permits.release()
    assert (await first).provider == "slow"
    for one in providers:
        await one.close()


async def test_the_next_provider_is_no_help_where_it_does_not_know_the_language() -> None:
    slow = SlowEngine("slow")
    providers = [
        await provider(slow, deadline_s=0.01, longest_s=60),
        await provider(FakeEngine("german", language="de")),
    ]
    router = AsrRouter(providers, Ordered(), Admission(8, 8))
    asking = asyncio.create_task(answer(spoken(router, AsrRequest(language="en"))))
    await until(lambda: slow.hanging == 1)
    await asyncio.sleep(0.05)
    slow.permits.release()
    assert (await asking).provider == "slow"
    for one in providers:
        await one.close()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


PAUSED = [Sound.SPEECH, Sound.SPEECH, Sound.PAUSE, Sound.SILENCE, Sound.SILENCE]


async def test_at_a_pause_an_idle_engine_decodes_ahead_and_not_again_at_the_end() -> None:
    clock, engine = Clock(), EagerEngine("eager")
    one = await provider(engine)
    router = AsrRouter([one], Ordered(), Admission(8, 8), clock=clock)
    utterance = router.utterance(AsrRequest())
    task = asyncio.create_task(answer(utterance))
    for pcm, sound in zip(PIECES, PAUSED, strict=True):
        clock.now += SPEECH.seconds(len(pcm))
        utterance.push(pcm, sound)
        if sound is Sound.PAUSE:
            await until(lambda: engine.decoded == [3 * 3200])
    utterance.end()
    await task
    assert engine.decoded == [3 * 3200]
    await one.close()


async def test_who_goes_on_after_a_pause_is_heard_whole() -> None:
    clock, engine = Clock(), EagerEngine("eager")
    one = await provider(engine)
    router = AsrRouter([one], Ordered(), Admission(8, 8), clock=clock)
    utterance = router.utterance(AsrRequest())
    task = asyncio.create_task(answer(utterance))
    clock.now += SPEECH.seconds(len(PIECES[0]))
    utterance.push(PIECES[0], Sound.PAUSE)
    await until(lambda: engine.decoded == [3200])
    utterance.push(PIECES[1], Sound.SILENCE)
    utterance.push(PIECES[2], Sound.SPEECH)
    utterance.end()
    await task
    assert engine.decoded == [3200, 3 * 3200]
    assert engine.heard == [b"".join(PIECES[:3])]
    await one.close()


async def test_a_recording_is_decoded_once_at_its_end() -> None:
    engine = EagerEngine("eager")
    one = await provider(engine)
    router = AsrRouter([one], Ordered(), Admission(8, 8), clock=Clock())
    utterance = router.utterance(AsrRequest())
    task = asyncio.create_task(answer(utterance))
    for pcm, sound in zip(PIECES, PAUSED, strict=True):
        utterance.push(pcm, sound)
        await until(lambda: one.resting == 1)
    utterance.end()
    await task
    assert engine.decoded == [5 * 3200]
    await one.close()


async def test_nothing_is_decoded_ahead_while_somebody_waits() -> None:
    clock, engine = Clock(), EagerEngine("eager")
    one = await provider(engine)
    router = AsrRouter([one], Ordered(), Admission(8, 8), clock=clock)
    utterance = router.utterance(AsrRequest())
    task = asyncio.create_task(answer(utterance))
    for pcm in PIECES[:2]:
        clock.now += SPEECH.seconds(len(pcm))
        utterance.push(pcm, Sound.SPEECH)
    await until(lambda: one.resting == 1)
    engine.may_push.clear()
    clock.now += SPEECH.seconds(len(PIECES[2]))
    utterance.push(PIECES[2], Sound.PAUSE)
    await until(lambda: one.resting == 0)
    other = asyncio.create_task(answer(spoken(router)))
    await until(lambda: one.busy == 2)
    engine.may_push.set()
    await other
    utterance.end()
    await task
    assert engine.decoded == [5 * 3200, 3 * 3200]
    await one.close()


async def test_an_utterance_that_waits_behind_a_hang_is_answered_by_the_engine_made_anew() -> None:
    first, second = FakeEngine("lost", when=When.FINISH, how=How.HANG), FakeEngine("lost")
    engines = iter([first, second])
    one = Provider(
        "lost", lambda: next(engines), 0.01, Breaker(3, 60, 60), longest_s=0.3, patience_s=0.0, reload_s=0.01
    )
    await one.start()
    router = AsrRouter([one], Ordered(), Admission(8, 8))
    hanging = asyncio.create_task(answer(spoken(router)))
    await until(lambda: first.hanging == 1)
    late = router.utterance(AsrRequest())
    waiting = asyncio.create_task(answer(late))
    late.push(PIECES[0])
    with pytest.raises(NoProvider, match="no answer within"):
        await hanging
    one.deadline_s = one.longest_s = 60  # the new engine does not hang
    late.end()
    assert (await waiting).provider == "lost"
    assert second.heard == [PIECES[0]]
    first.release.set()
    await one.close()


async def test_those_who_wait_are_told_when_the_engine_cannot_be_made_anew() -> None:
    first = FakeEngine("lost", when=When.FINISH, how=How.HANG)
    made = iter([first])

    def make() -> FakeEngine:
        for engine in made:
            return engine
        raise EngineUnavailable("its model is gone")

    one = Provider("lost", make, 0.01, Breaker(3, 60, 60), longest_s=0.3, patience_s=0.0, reload_s=0.01)
    await one.start()
    router = AsrRouter([one], Ordered(), Admission(8, 8))
    hanging = asyncio.create_task(answer(spoken(router)))
    await until(lambda: first.hanging == 1)
    waiting = asyncio.create_task(answer(router.utterance(AsrRequest())))
    with pytest.raises(NoProvider, match="no answer within"):
        await hanging
    with pytest.raises(NoProvider, match="cannot be started anew: its model is gone"):
        await waiting
    first.release.set()
    await one.close()


async def test_a_hang_of_one_who_has_left_is_noticed() -> None:
    first, second = FakeEngine("lost", when=When.FINISH, how=How.HANG), FakeEngine("lost")
    engines = iter([first, second])
    one = Provider("lost", lambda: next(engines), 0.05, Breaker(3, 60, 60), patience_s=0.0, reload_s=0.01)
    await one.start()
    router = AsrRouter([one], Ordered(), Admission(8, 8))
    leaving = asyncio.create_task(answer(spoken(router)))
    await until(lambda: first.hanging == 1)
    leaving.cancel()
    one.deadline_s = one.longest_s = 60  # the new engine does not hang
    await until(lambda: one.standing.ready and one.engine is second)
    assert (await answer(spoken(router))).provider == "lost"
    first.release.set()
    await one.close()
