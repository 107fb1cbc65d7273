"""LazyEngine: its answers before it is loaded, when it loads, and when it unloads."""

from collections.abc import Sequence
from typing import Any

import pytest

from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.engines.asr.lazy import UNLOAD_AFTER, LazyEngine, lazy, offered
from irene_wyoming.engines.base import (
    AsrRequest,
    AsrSession,
    EngineContext,
    EngineSpec,
    ModelInfo,
    Transcription,
    unknown_model,
)
from irene_wyoming.engines.worker import Worker
from irene_wyoming.errors import EngineFailed, EngineUnavailable, UnknownModel

MODEL = ModelInfo("echo-en", ("en",), "Says how much it heard", "Nobody", "https://example.org")


class EchoSession:
    def __init__(self) -> None:
        self.heard = 0

    def push(self, pcm: bytes) -> None:
        self.heard += len(pcm)

    def partial(self) -> str | None:
        return f"{self.heard} bytes"

    def finish(self) -> Transcription:
        return Transcription(f"{self.heard} bytes", "en", "echo")

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""


class Echo:
    """An AsrEngine that counts its requests."""

    name = "echo"
    format: AudioFormat = SPEECH

    def __init__(self) -> None:
        self.closed = 0

    def models(self) -> Sequence[ModelInfo]:
        return [MODEL]

    def session(self, request: AsrRequest) -> AsrSession:
        if request.model not in (None, MODEL.name):
            raise unknown_model(str(request.model), [MODEL])
        return EchoSession()

    def close(self) -> None:
        self.closed += 1


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class House:
    """A LazyEngine, the engines that it has made, and its clock."""

    def __init__(self, unload_after_s: float | None = 60.0) -> None:
        self.made: list[Echo] = []
        self.clock = Clock()
        self.broken = False
        self.engine = LazyEngine("echo", [MODEL], self.make, unload_after_s=unload_after_s, clock=self.clock)

    def make(self) -> Echo:
        if self.broken:
            raise EngineUnavailable("echo: its model is gone")
        self.made.append(Echo())
        return self.made[-1]


@pytest.fixture
def house() -> House:
    return House()


def test_it_describes_itself_without_loading(house: House) -> None:
    assert house.engine.models() == (MODEL,)
    assert (house.engine.name, house.engine.format, house.engine.loaded) == ("echo", SPEECH, False)
    assert house.made == []


def test_the_first_session_loads_and_the_next_ones_share(house: House) -> None:
    first, second = house.engine.session(AsrRequest()), house.engine.session(AsrRequest())
    first.push(bytes(4))
    second.push(bytes(6))
    assert (first.partial(), first.finish().text, second.finish().text) == ("4 bytes", "4 bytes", "6 bytes")
    assert len(house.made) == 1


def test_it_is_let_go_only_after_the_time_without_work(house: House) -> None:
    session = house.engine.session(AsrRequest())
    house.clock.now += 1000
    assert house.engine.idle_in() is None
    assert not house.engine.unload_if_idle()  # a session is open
    session.close()
    session.close()  # counts once
    assert house.engine.idle_in() == 60
    house.clock.now += 59
    assert not house.engine.unload_if_idle()
    house.clock.now += 1
    assert house.engine.unload_if_idle()
    assert house.made[0].closed == 1
    assert not house.engine.loaded
    assert house.engine.idle_in() is None


def test_one_that_was_let_go_loads_anew(house: House) -> None:
    house.engine.load()
    house.clock.now += 60
    assert house.engine.unload_if_idle()
    assert house.engine.session(AsrRequest()).finish().text == "0 bytes"
    assert len(house.made) == 2


def test_without_a_time_it_stays() -> None:
    house = House(unload_after_s=None)
    house.engine.load()
    house.clock.now += 1e9
    assert house.engine.idle_in() is None
    assert not house.engine.unload_if_idle()


def test_a_refused_request_leaves_no_session_behind(house: House) -> None:
    with pytest.raises(UnknownModel):
        house.engine.session(AsrRequest(model="other"))
    assert house.engine.idle_in() == 60


def test_one_that_cannot_be_loaded_says_so_until_it_can(house: House) -> None:
    house.broken = True
    with pytest.raises(EngineUnavailable, match="its model is gone"):
        house.engine.session(AsrRequest())
    assert [model.installed for model in house.engine.models()] == [False]
    house.broken = False
    house.engine.load()
    assert [model.installed for model in house.engine.models()] == [True]


def test_a_closed_one_can_be_closed_again_and_loads_nothing(house: House) -> None:
    house.engine.load()
    house.engine.close()
    house.engine.close()
    assert house.made[0].closed == 1
    with pytest.raises(EngineFailed, match="closed"):
        house.engine.load()


async def test_it_describes_itself_while_it_loads(house: House) -> None:
    async with Worker("asr") as worker:
        loading = worker.run(house.engine.load)
        assert house.engine.models() == (MODEL,)
        await loading
    assert house.engine.loaded


def spec(**fields: Any) -> EngineSpec:
    known: dict[str, Any] = {
        "name": "echo", "kind": "asr", "summary": "", "url": "", "author": "", "requires": (),
        "install": "pip install echo", "create": lambda *_: Echo(), "offers": lambda *_: [MODEL],
    }  # fmt: skip
    return EngineSpec(**(known | fields))


def test_what_an_engine_offers_without_its_package_is_not_installed() -> None:
    wanting = spec(requires=("no_such_module",))
    assert [model.installed for model in offered(wanting, {}, EngineContext()) or ()] == [False]
    engine = lazy(wanting, {}, EngineContext())
    assert engine is not None
    with pytest.raises(EngineUnavailable, match="no_such_module is not installed; pip install echo"):
        engine.load()


def test_an_engine_of_which_only_loading_tells_is_not_lazy() -> None:
    assert lazy(spec(offers=None), {}, EngineContext()) is None


def test_the_option_is_read_from_the_configuration() -> None:
    engine = lazy(spec(), {"unload_after_s": 5.0}, EngineContext())
    assert engine is not None
    engine.load()
    assert 0 < (engine.idle_in() or 0) <= 5


def test_when_memory_runs_short_a_model_without_work_goes_earlier() -> None:
    house = House(unload_after_s=None)
    assert not house.engine.unload_unused(0)  # it is not loaded
    session = house.engine.session(AsrRequest())
    house.clock.now += 1_000
    assert not house.engine.unload_unused(30)  # a session is open
    session.close()
    assert not house.engine.unload_unused(30)
    house.clock.now += 30
    assert house.engine.unload_unused(30)
    assert not house.engine.loaded


@pytest.mark.parametrize("value", [True, 0, -1, "5", 1e9])
def test_a_wrong_time_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="null or seconds"):
        UNLOAD_AFTER.check(value)
