"""The measurements of the wake server measure the right thing; the figures themselves are for the bench."""

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from irene_wyoming.app.wake import wake_server
from irene_wyoming.bench import wake
from irene_wyoming.bench.serving import serving
from irene_wyoming.config.model import Config
from irene_wyoming.household.satellites import PERIOD_S, Track, word_ends
from irene_wyoming.wire.hear import Recording

Speech = Callable[[str], Recording]


@pytest.fixture
def track(speech: Speech) -> Track:
    return Track.of("okay_nabu", speech("wake/okay_nabu_rms").pcm)


def test_a_track_is_one_word_and_quiet_and_knows_where_the_word_ends() -> None:
    tone = np.rint(np.sin(np.arange(8_000) / 4) * 10_000).astype("<i2")
    quiet = np.zeros(8_000, "<i2")
    track = Track.of("tone", np.concatenate((quiet, tone, quiet)).tobytes())
    assert track.word_end_s == 1.0
    assert len(track.pcm) == PERIOD_S * 32_000
    assert b"".join(track.chunks(30)) == track.pcm
    assert list(word_ends(track, 5.1)) == [1.0, 5.0]
    rare = Track.of("tone", np.concatenate((quiet, tone, quiet)).tobytes(), 20)
    assert list(word_ends(rare, 22)) == [1.0, 21.0]


def test_a_spread_is_taken_from_the_sorted_times() -> None:
    found = wake.spread(n / 1_000 for n in range(99, -1, -1))
    assert (found.p50_ms, found.p95_ms, found.p99_ms, found.tries) == (50, 95, 99, 100)
    assert wake.spread([]).p50_ms is None


async def test_every_word_that_is_heard_is_counted_once_with_its_delay(
    configured: Callable[..., Config], track: Track
) -> None:
    async with wake_server(configured()) as service:
        row = await wake.at(service.address, "here", "microwakeword", track, 2, PERIOD_S, 20)
    assert (row.spoken, row.heard, row.false) == (2, 2, 0)
    assert row.delay.p50_ms is not None
    assert row.delay.tries == 2
    assert row.describe is not None
    assert row.describe.tries > 1
    assert row.cpu_ms_per_s is None


async def test_a_server_started_for_a_measurement_tells_its_time_and_memory_and_is_ended(track: Track) -> None:
    async with serving("wake", {"default_models": "[alexa]"}) as server:
        before = await asyncio.to_thread(server.family.cpu_s)
        await wake.conversations(server.address, "microwakeword", track, 3)
        assert await asyncio.to_thread(server.family.cpu_s) > before > 0
        assert await asyncio.to_thread(server.family.resident_bytes) > 10_000_000
    assert server.process.returncode is not None
    assert await asyncio.to_thread(server.family.resident_bytes) == 0
