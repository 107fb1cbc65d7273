"""ProcessEngine: real processes that crash, hang and grow."""

import threading
from collections.abc import Callable, Iterator

import pytest

from irene_wyoming.engines.asr.guided.spec import SPEC
from irene_wyoming.engines.asr.process import ProcessEngine
from irene_wyoming.engines.base import AsrRequest, EngineContext
from irene_wyoming.errors import EngineFailed, EngineUnavailable, UnsupportedRequest
from irene_wyoming.wire.hear import Recording
from tests.engines.asr import crashing

Start = Callable[..., ProcessEngine]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[ProcessEngine] = []

    def make(fault: str = "", memory_mb: int | None = None) -> ProcessEngine:
        engine = ProcessEngine("crashing", crashing.create, {"fault": fault}, EngineContext(), memory_mb)
        started.append(engine)
        return engine

    yield make
    for engine in started:
        engine.close()


def test_an_engine_works_in_another_process_as_in_this_one(speech: Callable[[str], Recording]) -> None:
    options = {name: option.default for name, option in SPEC.options.items()}
    engine = ProcessEngine("guided", SPEC.create, options, EngineContext())
    try:
        here = SPEC.create(options, EngineContext())
        assert (engine.format, list(engine.models())) == (here.format, list(here.models()))
        for one in (engine, here):
            session = one.session(AsrRequest())
            session.push(speech("asr/turn_on_the_living_room_light").pcm)
            assert session.finish().text == "turn on the living room light"
            session.close()
            session.close()
        with pytest.raises(UnsupportedRequest, match="'de'"):
            engine.session(AsrRequest(language="de"))
    finally:
        engine.close()


def test_sessions_do_not_mix_and_a_bug_costs_one_of_them_only(start: Start) -> None:
    engine = start("bug")
    one, other = engine.session(AsrRequest()), engine.session(AsrRequest())
    with pytest.raises(EngineFailed, match="IndexError: a bug"):
        one.push(bytes(2))
    assert engine.alive
    assert other.finish().text == str(engine.pid)


@pytest.mark.parametrize(("fault", "says"), [("crash", "signal 11"), ("leak", "beyond 120 MB")])
def test_a_process_that_ends_fails_its_calls_and_says_how_it_ended(start: Start, fault: str, says: str) -> None:
    engine = start(fault, memory_mb=120)
    session = engine.session(AsrRequest())
    with pytest.raises(EngineFailed, match=says):
        session.push(bytes(2))
    assert not engine.alive
    session.close()
    with pytest.raises(EngineFailed):
        engine.session(AsrRequest())


def test_a_call_that_hangs_fails_when_the_process_is_killed(start: Start) -> None:
    engine = start("hang")
    session = engine.session(AsrRequest())
    killer = threading.Timer(0.1, engine.kill)
    killer.start()
    with pytest.raises(EngineFailed, match="signal 9"):
        session.push(bytes(2))
    killer.join()


def test_an_engine_that_cannot_be_loaded_says_why(start: Start) -> None:
    with pytest.raises(EngineUnavailable, match="its model is not there"):
        start("missing")
    with pytest.raises(EngineFailed, match="signal 9"):
        start("crash at load")


def test_a_closed_engine_can_be_closed_again_and_opens_nothing(start: Start) -> None:
    engine = start()
    engine.close()
    engine.close()
    with pytest.raises(EngineFailed, match="closed"):
        engine.session(AsrRequest())
