import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from prometheus_client import REGISTRY

from irene_wyoming.audio.chunk import AudioChunk
from irene_wyoming.audio.format import SPEECH, AudioFormat, Quality
from irene_wyoming.errors import CaptureError
from irene_wyoming.stream.fanout import Subscription
from irene_wyoming.stream.feed import Feed, FeedState
from tests.servers.clients import WAIT_S

CD = AudioFormat(44_100, 2, 2)


class Take:
    """One opening of a source: silence in 20 ms chunks, until the test changes it."""

    def __init__(
        self,
        audio_format: AudioFormat = SPEECH,
        chunks: int = 10**9,
        fault: Exception | None = None,
        gap_at: int | None = None,
    ) -> None:
        """:param gap_at: number of the chunk before which a second is lost."""
        self.format = audio_format
        self._chunks = chunks
        self._fault = fault
        self._gap_at = gap_at

    async def __aiter__(self) -> AsyncIterator[AudioChunk]:
        frames = self.format.rate // 50
        for n in range(self._chunks):
            await asyncio.sleep(0)
            lost = 0 if self._gap_at is None or n < self._gap_at else 50  # chunks
            pcm = bytes(frames * self.format.frame_bytes)
            yield AudioChunk(self.format, pcm, (n + lost) * frames, (n + lost) * 20)
        if self._fault is not None:
            raise self._fault


class ScriptedSource:
    """A source that plays the next take at each opening, the last one over and over; an exception cannot be opened."""

    name = "test microphone"

    def __init__(self, *takes: Take | Exception, close: Callable[[], None] = lambda: None) -> None:
        self._takes = takes
        self._close = close
        self.opened = 0
        self.open_now = 0
        self.changed = asyncio.Condition()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Take]:
        take = self._takes[min(self.opened, len(self._takes) - 1)]
        await self._count(1)
        try:
            if isinstance(take, Exception):
                raise take
            yield take
        finally:
            await self._count(-1)
            self._close()

    async def openings(self, count: int) -> None:
        async with asyncio.timeout(WAIT_S), self.changed:
            await self.changed.wait_for(lambda: self.opened >= count)

    async def closed(self) -> None:
        async with asyncio.timeout(WAIT_S), self.changed:
            await self.changed.wait_for(lambda: self.open_now == 0)

    async def _count(self, step: int) -> None:
        async with self.changed:
            self.opened += step > 0
            self.open_now += step
            assert self.open_now <= 1, "a device has one owner"
            self.changed.notify_all()


@asynccontextmanager
async def feeding(source: ScriptedSource, *, linger_s: float = 0.0) -> AsyncIterator[Feed]:
    feed = Feed(source, linger_s=linger_s, buffer_ms=2000, retry_s=0.001, retry_max_s=0.004)
    try:
        yield feed
    finally:
        await feed.close()
        assert source.open_now == 0


async def hear(subscription: Subscription[AudioChunk], count: int) -> list[AudioChunk]:
    async with asyncio.timeout(WAIT_S):
        return [await anext(subscription) for _ in range(count)]


async def test_the_source_opens_with_the_first_listener_and_closes_after_the_last() -> None:
    source = ScriptedSource(Take())
    async with feeding(source) as feed:
        assert (feed.status.state, source.opened) == (FeedState.IDLE, 0)
        async with feed.listen(SPEECH, Quality.HIGH, 320) as one, feed.listen(SPEECH, Quality.HIGH, 320) as two:
            await hear(one, 3)
            await hear(two, 3)
            assert (feed.listeners, source.opened) == (2, 1)
            assert (feed.status.state, feed.status.format) == (FeedState.RUNNING, SPEECH)
        await source.closed()
        assert feed.listeners == 0
    assert source.opened == 1


async def test_a_listener_that_comes_back_within_the_linger_time_finds_the_source_open() -> None:
    source = ScriptedSource(Take())
    async with feeding(source, linger_s=60) as feed:
        for _ in range(3):
            async with feed.listen(SPEECH, Quality.HIGH, 320) as audio:
                await hear(audio, 2)
        assert (source.opened, source.open_now, feed.status.state) == (1, 1, FeedState.RUNNING)


async def test_a_listener_that_comes_while_the_source_is_being_closed_hears_it_again() -> None:
    source = ScriptedSource(Take())
    async with feeding(source) as feed:
        async with feed.listen(SPEECH, Quality.HIGH, 320) as audio:
            await hear(audio, 1)
        async with source.changed:  # the source cannot finish closing
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            listening = feed.listen(SPEECH, Quality.HIGH, 320)
            audio = await listening.__aenter__()
        await hear(audio, 3)
        await listening.__aexit__(None, None, None)
        assert source.opened == 2


async def test_listeners_get_the_format_that_they_asked_for_in_whole_chunks() -> None:
    async with (
        feeding(ScriptedSource(Take(CD))) as feed,
        feed.listen(SPEECH, Quality.HIGH, 512) as mono,
        feed.listen(CD, Quality.HIGH, 882) as stereo,
    ):
        for chunk in await hear(mono, 5):
            assert (chunk.format, chunk.frames) == (SPEECH, 512)
        for chunk in await hear(stereo, 5):
            assert (chunk.format, chunk.frames) == (CD, 882)


async def test_buffer_ms_bounds_what_a_listener_that_never_reads_costs() -> None:
    async with (
        feeding(ScriptedSource(Take())) as feed,
        feed.listen(SPEECH, Quality.HIGH, 320) as lazy,
        feed.listen(SPEECH, Quality.HIGH, 320) as keen,
    ):
        await hear(keen, 500)
        assert (lazy.capacity, lazy.queued) == (100, 100)
        assert lazy.dropped > 300
        assert keen.dropped == 0


async def test_a_listener_that_leaves_in_the_midst_disturbs_nobody() -> None:
    async with feeding(ScriptedSource(Take())) as feed, feed.listen(SPEECH, Quality.HIGH, 320) as stays:
        leaver = asyncio.create_task(_listen_for_ever(feed))
        await hear(stays, 50)
        leaver.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaver
        heard = await hear(stays, 50)
        assert [chunk.start for chunk in heard] == list(range(heard[0].start, heard[0].start + 50 * 320, 320))
        assert feed.listeners == 1


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged of the source. An engine that another test began to load may log, too."""
    return [line for line in caplog.messages if line.startswith("test microphone: ")]


async def drain(audio: Subscription[AudioChunk]) -> None:
    async for _ in audio:
        pass


async def _listen_for_ever(feed: Feed) -> None:
    async with feed.listen(SPEECH, Quality.HIGH, 320) as audio:
        await drain(audio)


@pytest.mark.parametrize(
    "broken",
    [
        CaptureError("no such device"),
        Take(chunks=0),
        Take(chunks=3),
        Take(chunks=3, fault=CaptureError("unplugged")),
        Take(CD, chunks=3, fault=CaptureError("unplugged")),
    ],
    ids=["cannot be opened", "ends at once", "ends", "breaks", "comes back in another format"],
)
async def test_a_listener_just_waits_while_the_source_recovers(broken: Take | Exception) -> None:
    source = ScriptedSource(broken, broken, broken, Take())
    async with feeding(source) as feed, feed.listen(SPEECH, Quality.HIGH, 320) as audio:
        await source.openings(4)
        heard = await hear(audio, 20)
        assert {(chunk.format, chunk.frames) for chunk in heard} == {(SPEECH, 320)}
        starts = [chunk.start for chunk in heard]
        assert starts == sorted(set(starts))
        assert feed.status.state is FeedState.RUNNING


async def test_a_failure_that_lasts_is_said_once_and_retried_quietly(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    source = ScriptedSource(CaptureError("no microphone: connect one"))
    async with feeding(source) as feed:
        async with feed.listen(SPEECH, Quality.HIGH, 320):
            await source.openings(10)
            assert feed.status.state is FeedState.FAILED
        await source.closed()
        async with feed.listen(SPEECH, Quality.HIGH, 320):  # the next listener changes nothing
            await source.openings(12)
    said = lines(caplog)
    assert said == ["test microphone: no microphone: connect one; trying again while somebody listens"]
    assert feed.status.reason == "no microphone: connect one"


async def test_each_change_of_state_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    gone, busy = CaptureError("unplugged"), CaptureError("busy")
    source = ScriptedSource(gone, gone, busy, busy, Take(chunks=5, fault=gone), gone, Take())
    async with feeding(source) as feed, feed.listen(SPEECH, Quality.HIGH, 320) as audio:
        await source.openings(7)
        await hear(audio, 10)
    said = lines(caplog)
    assert [line.split(";")[0].removeprefix("test microphone: ") for line in said] == [
        "unplugged",
        "busy",
        "16000 Hz 16 bit mono",
        "unplugged",
        "16000 Hz 16 bit mono",
    ]


async def test_a_bug_in_a_source_ends_its_listeners_and_the_next_one_opens_it_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = ScriptedSource(Take(chunks=3, fault=ZeroDivisionError("a bug")), Take())
    async with feeding(source) as feed:
        async with feed.listen(SPEECH, Quality.HIGH, 320) as audio, asyncio.timeout(WAIT_S):
            assert len([chunk async for chunk in audio]) == 3
        assert feed.status.state is FeedState.FAILED
        assert "ZeroDivisionError" in caplog.text
        async with feed.listen(SPEECH, Quality.HIGH, 320) as audio:
            await hear(audio, 3)


async def test_probing_says_whether_the_source_runs() -> None:
    async with feeding(ScriptedSource(Take(CD))) as feed, asyncio.timeout(WAIT_S):
        status = await feed.probe()
        assert (status.state, status.format) == (FeedState.RUNNING, CD)


async def test_probing_a_source_that_fails_says_why_and_sees_it_recover() -> None:
    source = ScriptedSource(CaptureError("busy"), Take())
    async with feeding(source, linger_s=60) as feed, asyncio.timeout(WAIT_S):
        assert (await feed.probe()).reason == "busy"
        async with feed.listen(SPEECH, Quality.HIGH, 320) as audio:
            await hear(audio, 1)
        assert (await feed.probe()).state is FeedState.RUNNING


def counted(name: str) -> float:
    return REGISTRY.get_sample_value(f"irene_capture_{name}_total") or 0


async def test_openings_breaks_and_gaps_are_counted() -> None:
    before = {name: counted(name) for name in ("opened", "broken", "overruns")}
    gone = CaptureError("unplugged")
    source = ScriptedSource(gone, Take(chunks=5, fault=gone, gap_at=3), Take(chunks=5, fault=gone), gone, Take())
    async with feeding(source) as feed, feed.listen(SPEECH, Quality.HIGH, 320) as audio:
        await source.openings(5)
        await hear(audio, 11)
    after = {name: counted(name) - value for name, value in before.items()}
    assert after == {"opened": 3, "broken": 2, "overruns": 1}


async def test_closing_ends_the_listeners_and_the_source() -> None:
    source = ScriptedSource(Take())
    async with feeding(source) as feed, feed.listen(SPEECH, Quality.HIGH, 320) as audio:
        await hear(audio, 1)
        await feed.close()
        await feed.close()
        assert source.open_now == 0
        async with asyncio.timeout(WAIT_S):
            await drain(audio)
        async with feed.listen(SPEECH, Quality.HIGH, 320) as late:
            assert [chunk async for chunk in late] == []
    assert source.opened == 1


async def test_a_feed_that_nobody_ever_heard_closes() -> None:
    async with feeding(ScriptedSource(Take())) as feed:
        assert feed.status.state is FeedState.IDLE


async def test_a_source_that_fails_while_it_is_closed_stays_closed() -> None:
    def fail() -> None:
        raise CaptureError("lost while closing")

    source = ScriptedSource(Take(), close=fail)
    async with feeding(source) as feed, feed.listen(SPEECH, Quality.HIGH, 320) as audio:
        await hear(audio, 1)
    assert source.opened == 1


async def test_a_feed_whose_task_is_cancelled_from_outside_ends_its_listeners() -> None:
    source = ScriptedSource(Take())
    async with feeding(source) as feed, feed.listen(SPEECH, Quality.HIGH, 320) as audio:
        await hear(audio, 1)
        for task in asyncio.all_tasks():
            if task.get_name().startswith("feed "):
                task.cancel()
        async with asyncio.timeout(WAIT_S):
            await drain(audio)
    assert source.opened == 1
