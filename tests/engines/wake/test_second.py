"""The second look: its decisions, and that it fails open. A fake recogniser, a real thread."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from math import inf

import numpy as np
import pytest

from irene_wyoming.engines.registry import phrase_scorer
from irene_wyoming.engines.wake import spellings
from irene_wyoming.engines.wake.proposals import Proposed
from irene_wyoming.engines.wake.recogniser import OwnRecogniser
from irene_wyoming.engines.wake.second import LATE_IN_A_ROW, MOST_WAITING, Outcome, SecondLook
from irene_wyoming.engines.wake.spellings import PACKAGED, Phrase, phrase_of, typed
from irene_wyoming.errors import EngineFailed, EngineUnavailable
from tests.conftest import until
from tests.engines.wake.scorer import Found, Recogniser
from tests.engines.wake.speech import synthesised

WORD = Phrase(("word", "wort"), least=-6.0, usual=-10.0, absolute=-16.0)
PHRASES = (("word", WORD),)


@pytest.fixture
def recogniser() -> Recogniser:
    return Recogniser()


@pytest.fixture
async def second(recogniser: Recogniser) -> AsyncIterator[SecondLook]:
    second = SecondLook(OwnRecogniser(lambda: recogniser))
    yield second
    recogniser.gate.set()
    await second.close()


def proposed(*, usual: bool = False) -> Proposed:
    return Proposed("word", 0.4, 16_000, usual=usual, audio=bytes(64_000))


async def loaded(second: SecondLook) -> None:
    second.prepare()
    await until(lambda: second.ready)


async def test_while_it_loads_a_live_usual_word_does_not_wait(second: SecondLook) -> None:
    verdict = await second.judge(proposed(usual=True), PHRASES, live=True)
    assert (verdict.told, verdict.outcome) == (True, Outcome.BUSY)


async def test_a_word_that_was_said_is_told(second: SecondLook, recogniser: Recogniser) -> None:
    verdict = await second.judge(proposed(), PHRASES, live=True)
    assert (verdict.told, verdict.outcome, verdict.word) == (True, Outcome.ACCEPTED, "word")
    ((samples, phrases),) = recogniser.looks
    assert samples > 32_000  # with some silence behind
    assert phrases == ("word", "wort")


@pytest.mark.parametrize(
    ("found", "usual", "told"),
    [
        (Found(llr=-5.9), False, True),
        (Found(llr=-6.1), False, False),
        (Found(llr=-6.1), True, True),
        (Found(llr=-10.1), True, False),
        (Found(phrase="wort", llr=-2.0), False, True),
        (Found(llr=-2.0, absolute=-17.0), False, False),
        (Found(phrase=None, llr=-inf, absolute=-inf, per_token=-inf), True, False),
    ],
)
async def test_a_sure_first_stage_is_believed_more_readily(
    second: SecondLook, recogniser: Recogniser, found: Found, usual: bool, told: bool
) -> None:
    recogniser.found = found
    await loaded(second)
    assert (await second.judge(proposed(usual=usual), PHRASES, live=True)).told is told


@pytest.mark.parametrize("usual", [True, False])
async def test_where_too_many_wait_the_first_stage_decides(
    second: SecondLook, recogniser: Recogniser, usual: bool, caplog: pytest.LogCaptureFixture
) -> None:
    recogniser.gate.clear()
    waiting = [asyncio.create_task(second.judge(proposed(), PHRASES, live=False)) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    verdict = await second.judge(proposed(usual=usual), PHRASES, live=True)
    assert (verdict.told, verdict.outcome) == (usual, Outcome.BUSY)
    assert "without a second look, above their usual threshold: too many words at once" in caplog.text
    recogniser.gate.set()
    assert all(verdict.told for verdict in await asyncio.gather(*waiting))


@pytest.mark.parametrize("usual", [True, False])
async def test_while_the_engines_are_behind_the_first_stage_decides_at_once(
    second: SecondLook, recogniser: Recogniser, usual: bool, caplog: pytest.LogCaptureFixture
) -> None:
    await loaded(second)
    second.rest()
    for _ in range(3):
        verdict = await second.judge(proposed(usual=usual), PHRASES, live=True)
        assert (verdict.told, verdict.outcome) == (usual, Outcome.SHED)
    assert caplog.text.count("above their usual threshold: this machine is behind") == 1
    assert not recogniser.looks
    assert (await second.judge(proposed(), PHRASES, live=False)).outcome == Outcome.ACCEPTED  # a recording can wait


async def test_after_some_that_took_too_long_the_next_words_do_not_wait(
    second: SecondLook, recogniser: Recogniser
) -> None:
    await loaded(second)
    recogniser.gate.clear()
    late = [second.judge(proposed(usual=True), PHRASES, live=True) for _ in range(LATE_IN_A_ROW)]
    assert {verdict.outcome for verdict in await asyncio.gather(*late)} == {Outcome.BUSY}
    verdict = await second.judge(proposed(usual=True), PHRASES, live=True)
    assert (verdict.told, verdict.outcome) == (True, Outcome.SHED)


async def test_a_live_usual_word_does_not_wait_for_long(second: SecondLook, recogniser: Recogniser) -> None:
    await loaded(second)
    recogniser.gate.clear()
    verdict = await second.judge(proposed(usual=True), PHRASES, live=True)
    assert (verdict.told, verdict.outcome) == (True, Outcome.BUSY)


async def test_a_word_that_nobody_would_tell_otherwise_waits_for_its_look(
    second: SecondLook, recogniser: Recogniser
) -> None:
    await loaded(second)
    recogniser.gate.clear()
    waiting = asyncio.create_task(second.judge(proposed(), PHRASES, live=True))
    assert (await second.judge(proposed(usual=True), PHRASES, live=True)).outcome == Outcome.BUSY
    recogniser.gate.set()
    assert (await waiting).outcome == Outcome.ACCEPTED


async def test_a_recogniser_that_breaks_or_is_not_there_lets_usual_words_through(
    second: SecondLook, recogniser: Recogniser, caplog: pytest.LogCaptureFixture
) -> None:
    recogniser.failure = EngineFailed("guided: broken")
    await loaded(second)
    assert (await second.judge(proposed(usual=True), PHRASES, live=True)).told
    assert not (await second.judge(proposed(), PHRASES, live=True)).told

    def nowhere() -> Recogniser:
        raise EngineUnavailable("no model here")

    missing = SecondLook(OwnRecogniser(nowhere))
    await loaded(missing)
    verdict = await missing.judge(proposed(usual=True), PHRASES, live=True)
    assert (verdict.told, verdict.outcome) == (True, Outcome.MISSING)
    assert "no model here" in caplog.text
    await missing.close()


async def test_it_loads_before_it_is_needed_and_once(recogniser: Recogniser) -> None:
    loaded: list[str] = []

    def load() -> Recogniser:
        loaded.append(threading.current_thread().name)
        return recogniser

    second = SecondLook(OwnRecogniser(load))
    second.prepare()
    second.prepare()
    await until(lambda: bool(loaded))
    await second.judge(proposed(), PHRASES, live=True)
    assert loaded == ["second look"]
    await second.close()


def test_every_packaged_word_is_spelled() -> None:
    from irene_wyoming.engines.wake.words import PHRASES as WORDS

    assert PACKAGED.keys() == WORDS.keys()
    assert phrase_of("hey_zelda", "Hey Zelda") == Phrase(("hey zelda",))
    assert phrase_of("hey_zelda", "Hey Zelda", ["hey sell da"]) == spellings.learned(["hey sell da"])
    assert phrase_of("x", None) is None
    assert spellings.typed("computer").spellings == ("computer",)


def test_of_a_common_phrase_more_is_asked() -> None:
    said = Found(llr=-3.0, absolute=-9.0, per_token=-2.0)
    for usual in (True, False):
        assert typed("view glass").margin(replace(said, prior=-24.0), usual=usual) > 0
        assert typed("hello there").margin(replace(said, prior=-15.0), usual=usual) < 0
    assert Phrase(("hey travis",)).margin(replace(said, prior=-5.0), usual=False) > 0  # has a model


def test_the_real_recogniser_tells_words_apart() -> None:
    scorer = phrase_scorer()()
    samples = np.frombuffer(synthesised("alexa_slt"), "<i2").astype(np.float32)[-32_000:] / 32_768
    said = scorer.look(samples, PACKAGED["alexa"].spellings, 12.0)
    assert PACKAGED["alexa"].margin(said, usual=False) > 0
    assert typed("alexa").margin(said, usual=False) > 0
    other = scorer.look(samples, PACKAGED["okay_nabu"].spellings, 12.0)
    assert PACKAGED["okay_nabu"].margin(other, usual=True) < 0
