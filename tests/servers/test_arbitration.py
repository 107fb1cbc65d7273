"""Arbitration: the nearest of several satellites that hear one word answers."""

import asyncio
import logging
from collections.abc import Callable

import numpy as np
import pytest
from wyoming.client import AsyncClient
from wyoming.wake import Detect

from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from irene_wyoming.engines.base import Hit
from irene_wyoming.servers.arbitration import DAY_S, Arbitration, Bid
from irene_wyoming.wire.hear import Recording
from tests.servers.clients import answers, chunks

Speech = Callable[[str], Recording]
WINDOW_S = 0.02


def bid(satellite: str, value: float, stream: int | None = None) -> Bid:
    return Bid(satellite, hash(satellite) if stream is None else stream, value)


def test_loud_clear_and_sure_is_near() -> None:
    near = Bid.of("kitchen", 1, Hit("word", 0.9, 0, -20.0, 25.0))
    far = Bid.of("hall", 2, Hit("word", 0.9, 0, -40.0, 8.0))
    assert near.value > far.value
    assert Bid.of("hall", 2, Hit("word", 0.9, 0)).value < far.value


async def test_a_word_that_one_satellite_alone_hears_is_told_at_once() -> None:
    arbitration = Arbitration(3600.0)
    for _ in range(2):
        own = bid("kitchen", 1.0)
        assert await arbitration.winner("word", own) is own


async def test_the_best_bid_within_the_window_answers() -> None:
    arbitration = Arbitration(WINDOW_S, always=True)
    bids = [bid("hall", 3.0), bid("kitchen", 9.0), bid("bath", 5.0)]
    best = await asyncio.gather(*(arbitration.winner("word", one) for one in bids))
    assert {one.satellite for one in best} == {"kitchen"}
    other = bid("hall", 1.0)
    assert await arbitration.winner("another", other) is other


async def test_who_hears_a_word_just_after_it_was_told_does_not_answer_and_is_waited_for_from_then_on() -> None:
    now = 0.0
    arbitration = Arbitration(WINDOW_S, clock=lambda: now)
    first, second = bid("kitchen", 1.0), bid("hall", 9.0)
    assert await arbitration.winner("word", first) is first
    now += WINDOW_S / 2
    assert await arbitration.winner("word", second) is first
    now += 60
    both = await asyncio.gather(arbitration.winner("word", first), arbitration.winner("word", second))
    assert list(both) == [second, second]


async def test_a_day_later_nobody_is_waited_for() -> None:
    now = 0.0
    arbitration = Arbitration(3600.0, clock=lambda: now)
    kitchen, hall = bid("kitchen", 1.0), bid("hall", 9.0)
    assert await arbitration.winner("word", kitchen) is kitchen
    now += DAY_S + 3700
    assert await arbitration.winner("word", hall) is hall


async def test_streams_of_one_hub_are_told_apart() -> None:
    arbitration = Arbitration(WINDOW_S, always=True)
    one, two = bid("192.168.1.5", 1.0, 1), bid("192.168.1.5", 2.0, 2)
    both = await asyncio.gather(arbitration.winner("word", one), arbitration.winner("word", two))
    assert list(both) == [two, two]


async def test_the_nearer_of_two_satellites_is_told(
    configured: Callable[..., Config], speech: Speech, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    near = speech("wake/okay_nabu_rms")
    samples = np.frombuffer(near.pcm, "<i2")
    noise = np.random.default_rng(2).normal(size=len(samples)) * 30
    far = Recording(near.format, (samples / 10 + noise).astype("<i2").tobytes())
    wanted = configured(WAKE__ARBITRATION="{window_ms: 2000, always: true}")

    async def hear(uri: str, name: str, recording: Recording) -> list[str]:
        async with AsyncClient.from_uri(uri) as client:
            await client.write_event(Detect(names=["okay_nabu"], context={"satellite": name}).event())
            for chunk in chunks(recording, 20):
                await client.write_event(chunk.event())
            return [event.data["name"] for event in await answers(client)]

    async with wake_server(wanted) as service:
        uri = service.address.uri
        kitchen, hall = await asyncio.gather(hear(uri, "kitchen", near), hear(uri, "hall", far))
    assert (kitchen, hall) == (["okay_nabu"], [])
    assert any("hall heard okay_nabu (" in line and "kitchen answers" in line for line in caplog.messages)
