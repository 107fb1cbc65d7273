"""Mending: a provider's transcripts are matched to the home before anybody sees them."""

import asyncio
import gc
import threading
import weakref

import pytest

from irene_wyoming.engines.base import AsrRequest, Transcription
from irene_wyoming.heap import lasting
from irene_wyoming.language.snap import Snap
from irene_wyoming.language.vocabulary import Name, Vocabulary
from irene_wyoming.routing.admission import Admission
from irene_wyoming.routing.asr import AsrRouter
from irene_wyoming.routing.mending import Mending
from irene_wyoming.routing.policy import Breaker, Ordered
from irene_wyoming.routing.provider import Provider
from tests.routing.engines import FakeEngine

LAMP = Vocabulary((Name("Living Room Lamp", "entity", "light"),))


async def heard(text: str, request: AsrRequest, mending: Mending | None) -> Transcription:
    one = Provider("fake", lambda: FakeEngine("fake", text), 60.0, Breaker(3, 60, 60), mending=mending)
    await one.start()
    utterance = AsrRouter([one], Ordered(), Admission(8, 8)).utterance(request)
    utterance.push(bytes(3200))
    utterance.end()
    async with asyncio.timeout(60):
        said = await utterance.heard()
    await one.close()
    return said


@pytest.fixture(scope="module")
def mending() -> Mending:
    return Mending(Snap.NAMES, LAMP, (), "en")


async def test_a_misheard_name_is_mended(mending: Mending) -> None:
    said = await heard("Turn on the living room lamb.", AsrRequest(), mending)
    assert said.text == "Turn on the Living Room Lamp."
    assert said.kind == "command"
    assert said.details == {"snapped": "name", "heard": "Turn on the living room lamb."}
    assert said.confidence is not None


async def test_names_of_the_request_are_known(mending: Mending) -> None:
    names = Vocabulary((Name("Aquarium", "entity", "light"),))
    said = await heard("turn on the aquariam", AsrRequest(vocabulary=names), mending)
    assert said.text == "turn on the Aquarium"


async def test_new_names_are_made_ready_before_anybody_says_one() -> None:
    class Watched(Mending):
        def expect(self, names: Vocabulary | None, language: str | None = None) -> None:
            super().expect(names, language)
            ready.set()

    ready = threading.Event()
    mending = Watched(Snap.NAMES, LAMP, (), "en")
    one = Provider("fake", lambda: FakeEngine("fake"), 60.0, Breaker(3, 60, 60), mending=mending)
    await one.start()
    one.expect(Vocabulary((Name("Aquarium", "entity", "light"),)))
    assert await asyncio.to_thread(ready.wait, 60)
    await one.close()
    one.expect(LAMP)  # one that is gone has nothing to get ready


@pytest.mark.parametrize("text", ["I went to the market.", ""])
async def test_other_speech_stays_as_it_is(mending: Mending, text: str) -> None:
    said = await heard(text, AsrRequest(), mending)
    assert (said.text, said.kind, dict(said.details)) == (text, None, {})


async def test_nothing_is_mended_where_that_is_off() -> None:
    said = await heard("turn on the living room lamb", AsrRequest(), None)
    assert (said.text, said.kind) == ("turn on the living room lamb", None)


def test_a_command_of_the_engine_is_left_alone(mending: Mending) -> None:
    said = Transcription("turn on the living room lamb", "en", "guided", 0.9, "command")
    assert mending.mended(said, None) is said


def test_a_language_without_templates_costs_nothing(mending: Mending) -> None:
    said = Transcription("ŝaltu la lampon", "eo", "whisper")
    assert mending.mended(said, None) is said


def test_new_names_are_kept_out_of_the_garbage_collectors_rounds_and_old_ones_are_freed() -> None:
    class Home:
        def __init__(self) -> None:
            self.itself = self

    with lasting():
        old = Home()
        gone = weakref.ref(old)
    assert gc.isenabled()
    frozen = gc.get_freeze_count()
    assert frozen > 0
    del old
    with lasting():
        pass
    assert gone() is None
    gc.unfreeze()
