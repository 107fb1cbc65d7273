"""Walk: chunks over TCP become a Detection. Real engines over real sockets."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import closing

import numpy as np
import pytest
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event, async_read_event
from wyoming.info import Describe, Info, SelectProgram
from wyoming.wake import Detect, Detection, NotDetected

from irene_wyoming.app.wake import wake_server
from irene_wyoming.audio.format import SPEECH
from irene_wyoming.bench.engines import wake_engine as load
from irene_wyoming.config.model import Config
from irene_wyoming.engines.base import Hit
from irene_wyoming.engines.wake.gate import GatedSession
from irene_wyoming.routing.wake import Seconding
from irene_wyoming.servers.arrival import Arrival
from irene_wyoming.servers.places import Guest
from irene_wyoming.servers.times import FINEST, REMEMBERED_S, Times
from irene_wyoming.servers.wake import WakeRole
from irene_wyoming.wire.framing import encode
from irene_wyoming.wire.hear import Recording, detect
from tests.conftest import until
from tests.servers.clients import answers, audio_start, chunks, converted, is_closed, read

Speech = Callable[[str], Recording]


@pytest.fixture
async def uri(configured: Callable[..., Config]) -> AsyncIterator[str]:
    async with wake_server(configured()) as service:
        yield service.address.uri


async def hear(uri: str, recording: Recording, ms: int = 20, names: list[str] | None = None) -> list[Event]:
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Detect(names=names).event())
        await client.write_event(audio_start(recording).event())
        for chunk in chunks(recording, ms):
            await client.write_event(chunk.event())
        return await answers(client)


@pytest.mark.parametrize("word", ["okay_nabu", "hey_jarvis", "alexa", "hey_mycroft", "hey_rhasspy"])
async def test_a_word_that_was_asked_for_is_detected(uri: str, speech: Speech, word: str) -> None:
    name = {"okay_nabu": "okay_nabu_rms", "hey_jarvis": "hey_jarvis_slt"}.get(word, f"{word}_slt")
    events = await hear(uri, speech(f"wake/{name}"), names=[word])
    assert [(event.type, event.data["name"]) for event in events] == [("detection", word)]
    assert 0.5 <= events[0].data["context"]["score"] <= 1


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("width", [2, 3])
@pytest.mark.parametrize("channels", [1, 2])
async def test_words_are_heard_in_every_format(uri: str, speech: Speech, rate: int, width: int, channels: int) -> None:
    recording = converted(speech("wake/okay_nabu_rms"), rate, width, channels)
    for ms in (10, 100, 1000):
        events = await hear(uri, recording, ms)
        assert [event.data.get("name") for event in events] == ["okay_nabu"], f"chunks of {ms} ms"


@pytest.mark.parametrize("name", ["okay_nabu", "hey_jarvis"])
async def test_recorded_human_voices_are_heard(uri: str, human: Speech, name: str) -> None:
    events = await hear(uri, human(name), names=[name])
    assert [event.data.get("name") for event in events] == [name]


async def test_the_timestamp_is_that_of_the_chunk_that_fired(uri: str, speech: Speech) -> None:
    recording = speech("wake/okay_nabu_rms")
    offset = 1_700_000_000_000
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(audio_start(recording).event())
        for chunk in chunks(recording, 80, timestamp=offset):  # one by one, so the ping tells which chunk fired
            await client.write_event(chunk.event())
            if events := await answers(client):
                assert events[0].data["timestamp"] == chunk.timestamp
                return
    pytest.fail("nothing was detected")


async def test_without_timestamps_the_server_counts_the_audio_itself(uri: str, speech: Speech) -> None:
    recording = converted(speech("wake/okay_nabu_rms"), 48_000, 2, 2)
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(audio_start(recording).event())
        for index, chunk in enumerate(chunks(recording, 80, timestamp=None)):
            await client.write_event(chunk.event())
            if events := await answers(client):
                assert events[0].data["timestamp"] == index * 80
                return
    pytest.fail("nothing was detected")


def test_timestamps_are_kept_for_as_long_as_they_are_asked_for_and_no_finer_than_they_matter() -> None:
    times = Times()
    assert times.at(1) == 0
    remembered = round(REMEMBERED_S * SPEECH.rate)
    for frame in range(1, 3 * remembered // 2 + 1):  # each a chunk of its own
        times.add(1, [(1.0, frame)])
    assert len(times) <= 2 * remembered / FINEST + 2
    now = 3 * remembered // 2
    for frame in range(now - remembered + FINEST, now + 1, 1001):
        assert abs(times.at(frame) - frame) < FINEST
    times.add(500, [])  # audio that a conversion had held back
    assert times.at(now + 500) == times.at(now)


@pytest.mark.parametrize("first", [None, 1_000_000])
@pytest.mark.parametrize(("rate", "apart_ms"), [(16_000, 0), (48_000, 20)])
async def test_chunks_that_arrive_together_keep_their_timestamps(
    uri: str, speech: Speech, first: int | None, rate: int, apart_ms: int
) -> None:
    """Converted audio is assigned to chunks by length, so a chunk may be taken for its neighbour. The engine gets so
    much at once that it is seconds behind.
    """
    spoken = speech("wake/okay_nabu_rms")
    recording = converted(Recording(spoken.format, bytes(6 * 32_000) + spoken.pcm), rate, 2, 1)
    sent = [chunk.event() for chunk in chunks(recording, 20, first)]
    alone: list[Event] = []
    async with AsyncClient.from_uri(uri) as client:
        for number, event in enumerate(sent):
            await client.write_event(event)
            if number >= 365 and (alone := await answers(client)):  # just before the word is heard
                break
    _, host, port = uri.replace("//", "").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    with closing(writer):
        writer.write(b"".join(encode(event) for event in sent))
        together = await asyncio.wait_for(async_read_event(reader), 60)
    assert together is not None
    assert abs(together.data["timestamp"] - alone[0].data["timestamp"]) <= apart_ms


@pytest.mark.parametrize("data", [{}, {"names": None}, {"names": []}, {"names": None, "context": None, "more": 1}])
async def test_without_names_the_default_word_is_listened_for(
    uri: str, speech: Speech, data: dict[str, object]
) -> None:
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Event("detect", data))
        for word in ("wake/alexa_slt", "wake/okay_nabu_rms"):
            for chunk in chunks(speech(word), 20):
                await client.write_event(chunk.event())
        assert [event.data["name"] for event in await answers(client)] == ["okay_nabu"]


async def test_without_detect_the_default_word_is_listened_for(uri: str, speech: Speech) -> None:
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(audio_start(speech("wake/okay_nabu_rms")).event())
        for chunk in chunks(speech("wake/okay_nabu_rms"), 20):
            await client.write_event(chunk.event())
        assert [event.data["name"] for event in await answers(client)] == ["okay_nabu"]


async def test_no_other_word_is_reported_than_those_asked_for(uri: str, speech: Speech) -> None:
    assert await hear(uri, speech("wake/alexa_slt"), names=["okay_nabu", "hey_jarvis"]) == []


async def test_an_unknown_word_gives_an_error_that_names_the_known_ones_and_closes(uri: str) -> None:
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Detect(names=["okay_computer"]).event())
        error = Error.from_event(await read(client))
        assert error.code == "unknown-model"
        assert "'okay_computer'" in error.text
        assert "okay_nabu, hey_jarvis, alexa, hey_mycroft, hey_rhasspy" in error.text
        assert await is_closed(client)


async def test_audio_stop_after_nothing_was_heard_gives_not_detected(uri: str, speech: Speech) -> None:
    async with AsyncClient.from_uri(uri) as client:
        for _ in range(2):
            await client.write_event(audio_start(speech("wake/alexa_slt")).event())
            for chunk in chunks(speech("wake/alexa_slt"), 20):
                await client.write_event(chunk.event())
            await client.write_event(AudioStop().event())
            event = await read(client)
            assert NotDetected.is_type(event.type)


async def test_what_came_closest_to_a_word_is_told(
    configured: Callable[..., Config], speech: Speech, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    strict = configured(WAKE__MODELS="{okay_nabu: {threshold: 0.99}}")
    async with wake_server(strict) as server:
        words, closest = await detect(server.address, speech("wake/okay_nabu_rms"), ["okay_nabu", "alexa"])
    assert words == []
    assert closest is not None
    assert closest.name == "okay_nabu"
    assert 0.5 < closest.score < 0.99
    assert 500 < closest.timestamp_ms < 2_500
    near = f"closest was okay_nabu, score {closest.score:.2f} at {closest.timestamp_ms / 1000:.1f} s"
    assert [r.levelname for r in caplog.records if r.getMessage().endswith(near)] == ["INFO"]


async def test_a_stream_without_audio_tells_nothing_of_the_one_before(uri: str, speech: Speech) -> None:
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Detect(names=["hey_jarvis"]).event())
        for chunk in chunks(speech("wake/alexa_slt"), 20):
            await client.write_event(chunk.event())
        for context in ({"closest": "hey_jarvis"}, {}):
            await client.write_event(AudioStop().event())
            told = NotDetected.from_event(await read(client)).context or {}
            assert told.items() >= context.items()
        assert told == {}


async def test_other_speech_is_no_news(
    configured: Callable[..., Config], speech: Speech, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with wake_server(configured()) as server:
        words, closest = await detect(server.address, speech("wake/alexa_slt"), ["hey_jarvis"])
    assert words == []
    assert closest is not None
    assert closest.score < 0.2
    told = [r for r in caplog.records if "closest was hey_jarvis" in r.getMessage()]
    assert [r.levelname for r in told] == ["DEBUG"]


async def test_a_repeated_detect_on_one_connection_does_not_hear_the_old_word_again(uri: str, speech: Speech) -> None:
    word = chunks(speech("wake/okay_nabu_rms"), 20)
    rest = len(word) - 8
    async with AsyncClient.from_uri(uri) as client:  # as wyoming-satellite 1.0.0: no audio-start, one connection
        for _ in range(3):
            await client.write_event(Detect(names=[]).event())
            for chunk in word:
                await client.write_event(chunk.event())
            assert [Detection.from_event(event).name for event in await answers(client)] == ["okay_nabu"]
            await client.write_event(Detect(names=[]).event())
            for chunk in word[rest:]:  # the echo of the word that was just heard
                await client.write_event(chunk.event())
            assert await answers(client) == []


async def test_describe_in_the_midst_of_audio_is_answered_and_disturbs_nothing(uri: str, speech: Speech) -> None:
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Detect(names=None).event())
        word = chunks(speech("wake/okay_nabu_rms"), 20)
        for chunk in word[: len(word) // 2]:
            await client.write_event(chunk.event())
        await client.write_event(Describe().event())
        assert Info.is_type((await read(client)).type)
        for chunk in word[len(word) // 2 :]:
            await client.write_event(chunk.event())
        assert [event.data["name"] for event in await answers(client)] == ["okay_nabu"]


async def test_a_program_can_be_selected(uri: str, speech: Speech) -> None:
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(SelectProgram(name="microwakeword").event())
        await client.write_event(Detect(names=["alexa"]).event())
        for chunk in chunks(speech("wake/alexa_slt"), 20):
            await client.write_event(chunk.event())
        assert [event.data["name"] for event in await answers(client)] == ["alexa"]
        await client.write_event(Detect(names=["hey_rhasspy"]).event())  # only openwakeword has this word
        assert (await read(client)).data["code"] == "unknown-model"


async def test_a_detection_says_how_loud_the_word_was_so_that_a_hub_can_choose_among_rooms(
    uri: str, speech: Speech
) -> None:
    near = speech("wake/okay_nabu_rms")
    samples = np.frombuffer(near.pcm, "<i2")
    noise = np.random.default_rng(2).normal(size=len(samples)) * 30
    far = Recording(near.format, (samples / 10 + noise).astype("<i2").tobytes())
    (first,), (second,) = await hear(uri, near), await hear(uri, far)
    assert first.data["context"]["level"] == pytest.approx(second.data["context"]["level"] + 20, abs=4)
    assert first.data["context"]["snr"] > second.data["context"]["snr"] + 10 > 20


WORDS = "{okay_nabu: {threshold: 1.0}}"


@pytest.mark.parametrize(
    ("models", "satellites", "context", "heard"),
    [
        (WORDS, "{}", None, 0),
        (WORDS, "{127.0.0.0/8: {threshold: 0.5}}", None, 1),
        ("{}", "{127.0.0.1: {min_level_dbfs: -1}}", None, 0),
        ("{}", "{127.0.0.1: {min_level_dbfs: -1, models: {okay_nabu: {min_level_dbfs: -60}}}}", None, 1),
        (WORDS, "{kitchen: {threshold: 0.5}}", None, 0),
        (WORDS, "{kitchen: {threshold: 0.5}}", {"satellite": "kitchen"}, 1),
    ],
)
async def test_words_are_heard_as_it_is_set_for_them_and_for_the_satellite(
    configured: Callable[..., Config],
    speech: Speech,
    models: str,
    satellites: str,
    context: dict[str, str] | None,
    heard: int,
) -> None:
    async with (
        wake_server(configured(WAKE__MODELS=models, WAKE__SATELLITES=satellites)) as service,
        AsyncClient.from_uri(service.address.uri) as client,
    ):
        await client.write_event(Detect(names=["okay_nabu"], context=context).event())
        for chunk in chunks(speech("wake/okay_nabu_rms"), 20):
            await client.write_event(chunk.event())
        assert len(await answers(client)) == heard


async def test_a_satellite_may_not_call_itself_something_that_is_no_name(uri: str) -> None:
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Detect(context={"satellite": ["kitchen"]}).event())
        assert (await read(client)).data["code"] == "protocol-error"


@pytest.mark.parametrize("frames", [160, 320, 1000])
@pytest.mark.parametrize("program", ["openwakeword", "microwakeword"])
async def test_a_word_is_reported_as_soon_as_the_chunk_that_completes_its_step_is_there(
    uri: str, speech: Speech, program: str, frames: int
) -> None:
    pcm = speech("wake/okay_nabu_rms").pcm
    hit = await asyncio.to_thread(heard_by, program, pcm)
    size, enough = frames * SPEECH.frame_bytes, -(-hit.frame // frames)
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(SelectProgram(name=program).event())
        await client.write_event(Detect(names=["okay_nabu"]).event())
        for number in range(enough):
            if number == enough - 1:
                assert await answers(client) == []
            part = pcm[number * size : (number + 1) * size]
            await client.write_event(AudioChunk(16_000, 2, 1, part, timestamp=number).event())
        (event,) = await answers(client)
        assert event.data["timestamp"] == enough - 1


def heard_by(program: str, pcm: bytes) -> Hit:
    """The hit of the engine alone, without a server."""
    with closing(load(program)) as engine:
        (hit,) = engine.session(["okay_nabu"]).push(pcm)
        return hit


async def test_a_conversation_that_is_over_is_gone(uri: str, speech: Speech) -> None:
    """The conversation is freed at once. What waits for Python's search for unreachable objects comes to megabytes."""
    kinds = (WakeRole, Arrival, Guest, GatedSession, Seconding)

    def left() -> set[str]:
        return {type(thing).__name__ for thing in gc.get_objects() if type(thing) in kinds}

    gc.collect()
    gc.disable()
    try:
        async with AsyncClient.from_uri(uri) as client:
            for chunk in chunks(speech("wake/okay_nabu_rms"), 20):
                await client.write_event(chunk.event())
            assert await answers(client)
            assert left() >= {"WakeRole", "Arrival", "Guest"}
        await until(lambda: not left())
    finally:
        gc.enable()


async def test_a_satellite_that_sends_faster_than_it_speaks_does_not_slow_another(uri: str, speech: Speech) -> None:
    """One satellite sends two minutes of audio at once; the other's word is heard before most of that."""
    word = speech("wake/okay_nabu_rms")
    async with AsyncClient.from_uri(uri) as greedy, AsyncClient.from_uri(uri) as other:
        chunk = AudioChunk(16_000, 2, 1, bytes(32_000)).event()

        async def flood() -> None:
            for _ in range(120):
                await greedy.write_event(chunk)
            await answers(greedy)

        flooding = asyncio.create_task(flood())
        await greedy.write_event(Detect().event())
        await other.write_event(audio_start(word).event())
        for part in chunks(word, 20):
            await other.write_event(part.event())
        assert [event.data["name"] for event in await answers(other)] == ["okay_nabu"]
        assert not flooding.done()
        flooding.cancel()
        await asyncio.wait([flooding])


async def test_an_unknown_program_is_refused(uri: str) -> None:
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(SelectProgram(name="porcupine").event())
        error = Error.from_event(await read(client))
        assert error.code == "unknown-model"
        assert "irene-wake, openwakeword, microwakeword" in error.text


async def test_the_first_program_lists_every_word_in_full(uri: str) -> None:
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Describe().event())
        event = await read(client)
    assert all(event.data[kind] == [] for kind in ("asr", "tts", "handle", "intent", "mic", "snd"))
    assert "satellite" not in event.data
    first = event.data["wake"][0]
    assert [model["name"] for model in first["models"]] == [
        "okay_nabu", "hey_jarvis", "alexa", "hey_mycroft", "hey_rhasspy",
    ]  # fmt: skip
    for artifact in (*event.data["wake"], *first["models"]):
        assert artifact["name"]
        assert artifact["installed"] is True
        assert set(artifact["attribution"]) == {"name", "url"}
    for model in first["models"]:
        assert model["languages"]
        assert model["phrase"]


async def test_a_client_that_leaves_early_leaves_nothing_behind(
    configured: Callable[..., Config], speech: Speech
) -> None:
    async with wake_server(configured()) as service:
        for _ in range(5):
            async with AsyncClient.from_uri(service.address.uri) as client:
                await client.write_event(Detect(names=None).event())
                for chunk in chunks(speech("wake/okay_nabu_rms"), 20)[:20]:
                    await client.write_event(chunk.event())
        await until(lambda: service.connections == 0)


async def test_audio_of_another_format_is_refused_where_resampling_is_off(
    configured: Callable[..., Config], speech: Speech
) -> None:
    async with wake_server(configured(WAKE__ALLOW_RESAMPLING="false")) as service:
        assert [e.data["name"] for e in await hear(service.address.uri, speech("wake/okay_nabu_rms"))] == ["okay_nabu"]
        async with AsyncClient.from_uri(service.address.uri) as client:
            await client.write_event(AudioStart(rate=48_000, width=2, channels=2).event())
            error = Error.from_event(await read(client))
    assert error.code == "unsupported-format"
    assert "48000 Hz 16 bit stereo" in error.text
    assert "allow_resampling" in error.text


async def test_strict_validation_refuses_what_contradicts_the_audio_start(configured: Callable[..., Config]) -> None:
    async with wake_server(configured(WAKE__STRICT_VALIDATION="true")) as service:
        for chunk in (
            AudioChunk(rate=16_000, width=2, channels=2, audio=bytes(640)),
            AudioChunk(rate=16_000, width=2, channels=1, audio=bytes(641)),
        ):
            async with AsyncClient.from_uri(service.address.uri) as client:
                await client.write_event(AudioStart(rate=16_000, width=2, channels=1).event())
                await client.write_event(chunk.event())
                assert (await read(client)).data["code"] == "audio-error"


async def test_a_change_of_format_in_the_midst_of_a_stream_is_followed(uri: str, speech: Speech) -> None:
    word = speech("wake/okay_nabu_rms")
    half = len(word.pcm) // 4 * 2
    first = Recording(word.format, word.pcm[:half])
    second = converted(Recording(word.format, word.pcm[half:]), 48_000, 3, 2)
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(audio_start(first).event())
        for chunk in (*chunks(first, 20), *chunks(second, 20)):
            await client.write_event(chunk.event())
        assert [event.data["name"] for event in await answers(client)] == ["okay_nabu"]
