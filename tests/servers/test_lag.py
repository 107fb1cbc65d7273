"""Audio that the engines cannot keep up with."""

import asyncio
import threading
from collections.abc import Callable, Sequence

import pytest
from wyoming.wake import Detection

from irene_wyoming import metrics
from irene_wyoming.audio.format import SPEECH
from irene_wyoming.config.model import Config
from irene_wyoming.engines.base import Hit, ModelInfo, WakeSession
from irene_wyoming.engines.worker import Worker
from irene_wyoming.servers.hearing import Hearing
from irene_wyoming.servers.lag import Sender
from irene_wyoming.servers.satellites import Satellites
from irene_wyoming.servers.wake_service import Listener, WakeService


@pytest.mark.parametrize("kept_s", [0.0, 1.0, 2.0])
def test_who_speaks_is_live_whatever_he_had_kept_before(kept_s: float) -> None:
    sender = Sender(3.0)
    sender.arrived(kept_s, 0.0)
    for step in range(1, 1000):
        sender.arrived(0.1, step * 0.1)
    assert sender.live


def test_a_network_that_stalls_makes_no_recording_of_a_stream() -> None:
    sender = Sender(3.0)
    sender.arrived(0.1, 0.0)
    for _ in range(100):
        sender.arrived(0.1, 10.0)
    assert sender.live


def test_who_sends_faster_than_anybody_speaks_sends_a_recording_to_its_end() -> None:
    sender = Sender(3.0)
    for _ in range(30):
        sender.arrived(0.1, 0.01)
    assert not sender.live
    sender.arrived(0.1, 1000.0)
    assert not sender.live


class Stuck:
    """A WakeEngine and its only session, which hears nothing until the test lets it go on."""

    name = "stuck"
    format = SPEECH
    needs = 1

    def __init__(self) -> None:
        self.let = threading.Event()
        self.heard = 0

    def models(self) -> Sequence[ModelInfo]:
        return [ModelInfo("word", ("en",), "A word", "us", "")]

    def session(self, *_: object, **__: object) -> WakeSession:
        return self

    def push(self, pcm: bytes) -> Sequence[Hit]:
        self.let.wait(30)
        self.heard += len(pcm)
        return [Hit("word", 1.0, SPEECH.frames(self.heard))]

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""


def stale_seconds() -> float:
    (family,) = metrics.STALE_SECONDS.collect()
    return next(sample.value for sample in family.samples if sample.name.endswith("_total"))


async def test_live_audio_that_waits_for_too_long_is_dropped_counted_and_told(
    configured: Callable[..., Config], caplog: pytest.LogCaptureFixture
) -> None:
    engine = Stuck()
    reports: list[Detection | Exception] = []
    before = stale_seconds()
    async with Worker("stuck") as worker:
        service = WakeService(
            {"stuck": engine},
            ["word"],
            configured().wake.audio,
            "fast",
            worker,
            Satellites({}, {}),
            max_lag_s=0.3,
        )
        hearing = Hearing(service, engine, Listener({"word": "word"}, "10.0.0.7"), reports.append)
        await hearing.open(lambda: None)
        given = 0
        async with asyncio.timeout(30):
            while "dropped" not in caplog.text:  # at the pace of a satellite
                await hearing.listen(bytes(640), [(1.0, given)])
                given += 640
                await asyncio.sleep(0.02)
        assert "10.0.0.7: 0." in caplog.text
        engine.let.set()
        await hearing.heard()
        assert engine.heard < given
        assert stale_seconds() - before == pytest.approx((given - engine.heard) / 32_000)
        hearing.close()
    told = reports[-1]
    assert isinstance(told, Detection)
    assert told.timestamp == given - 640  # its place in the client's time, dropped audio included
