"""Walk: chunks over TCP become a Transcript. The real engine over real sockets."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
from prometheus_client import REGISTRY
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, SelectProgram

from irene_wyoming.app.asr import asr_server
from irene_wyoming.audio.format import SPEECH
from irene_wyoming.config.model import Config
from irene_wyoming.servers import asr
from irene_wyoming.wire.client import describe
from irene_wyoming.wire.hear import Recording
from tests.conftest import until
from tests.models import VOSK
from tests.servers.clients import audio_start, chunks, converted, is_closed, read, read_any
from tests.speech_around import with_silence

Speech = Callable[[str], Recording]
COMMAND = "turn on the living room light"


@pytest.fixture
async def uri(configured: Callable[..., Config]) -> AsyncIterator[str]:
    async with asr_server(configured()) as service:
        yield service.address.uri


def wav(text: str) -> str:
    return f"asr/{text.replace(' ', '_')}"


async def transcribe(uri: str, recording: Recording, ms: int = 20, request: Event | None = None) -> Event:
    """Send an utterance and return the answer; the server then closes the connection."""
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(request or Transcribe(language="en").event())
        await client.write_event(audio_start(recording).event())
        for chunk in chunks(recording, ms, timestamp=None):
            await client.write_event(chunk.event())
        await client.write_event(AudioStop().event())
        event = await read(client)
        assert await is_closed(client)
        return event


@pytest.mark.parametrize(
    "text", [COMMAND, "set the bedroom brightness to fifty percent", "set a timer for five minutes"]
)
async def test_a_command_is_transcribed(uri: str, speech: Speech, text: str) -> None:
    event = await transcribe(uri, speech(wav(text)))
    assert Transcript.from_event(event).text == text
    assert event.data["language"] == "en"


@pytest.mark.parametrize(
    "text",
    ["the light of the moon was very bright", "we need to talk about the kitchen", "she turned around and walked away"],
)
async def test_speech_that_is_no_command_comes_as_it_was_said_or_not_at_all(
    uri: str, speech: Speech, text: str
) -> None:
    transcript = Transcript.from_event(await transcribe(uri, speech(wav(text))))
    assert transcript.text.split()[-1].casefold() == f"{text.split()[-1]}."
    assert transcript.context is not None
    assert transcript.context["kind"] == "open"
    commands = Transcribe(language="en", context={"answer": "command"}).event()
    transcript = Transcript.from_event(await transcribe(uri, speech(wav(text)), request=commands))
    assert transcript.text == ""
    assert transcript.context is not None
    assert transcript.context["reason"] == "no command"


async def test_a_wake_word_is_no_command(uri: str, speech: Speech) -> None:
    transcript = Transcript.from_event(await transcribe(uri, speech("wake/okay_nabu_rms")))
    assert transcript.context is not None
    assert transcript.context.get("kind") != "command"


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("width", [2, 3])
@pytest.mark.parametrize("channels", [1, 2])
async def test_commands_are_understood_in_every_format(
    uri: str, speech: Speech, rate: int, width: int, channels: int
) -> None:
    recording = converted(speech(wav(COMMAND)), rate, width, channels)
    for ms in (10, 100, 1000):
        assert Transcript.from_event(await transcribe(uri, recording, ms)).text == COMMAND, f"chunks of {ms} ms"


async def test_a_command_of_a_recorded_human_voice(uri: str, human: Speech) -> None:
    assert Transcript.from_event(await transcribe(uri, human("living_room_light_en"))).text == COMMAND


@pytest.mark.parametrize("name", ["okay_nabu", "hey_jarvis"])
async def test_wake_words_of_recorded_human_voices_are_no_commands(uri: str, human: Speech, name: str) -> None:
    transcript = Transcript.from_event(await transcribe(uri, human(name)))
    assert (transcript.context or {}).get("kind") != "command"


@pytest.mark.parametrize(
    "request_event",
    [
        Event("transcibe", {"language": "en"}),
        Event("transcribe", {"language": None, "name": None, "context": None, "more": 1}),
        Event("transcribe", {"language": "en-GB", "name": "moonshine-tiny-en"}),
        Event("transcribe", {}),
    ],
)
async def test_requests_as_hubs_send_them(uri: str, speech: Speech, request_event: Event) -> None:
    event = await transcribe(uri, speech(wav(COMMAND)), request=request_event)
    assert Transcript.from_event(event).text == COMMAND


async def test_audio_without_a_request_is_transcribed(uri: str, speech: Speech) -> None:
    async with AsyncClient.from_uri(uri) as client:
        for chunk in chunks(speech(wav(COMMAND)), 20):
            await client.write_event(chunk.event())
        await client.write_event(AudioStop().event())
        assert Transcript.from_event(await read(client)).text == COMMAND


async def test_silence_and_nothing_give_an_empty_transcript_at_once(uri: str) -> None:
    form = AudioStart(rate=16_000, width=2, channels=1)
    for pcm in (b"", bytes(32_000)):
        async with AsyncClient.from_uri(uri) as client:
            await client.write_event(Transcribe().event())
            await client.write_event(form.event())
            await client.write_event(Event("audio-chunk", form.event().data, pcm))
            await client.write_event(AudioStop().event())
            assert Transcript.from_event(await read(client)).text == ""


@pytest.mark.parametrize(
    ("request_event", "code", "says"),
    [
        (Transcribe(language="de").event(), "unsupported-request", "'de'"),
        (Transcribe(name="whisper-tiny").event(), "unknown-model", "moonshine-tiny-en"),
        (SelectProgram(name="vosk").event(), "unknown-model", "irene-asr, guided"),
    ],
)
async def test_a_request_that_cannot_be_met_gives_an_error_and_closes(
    uri: str, speech: Speech, request_event: Event, code: str, says: str
) -> None:
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(request_event)
        for chunk in chunks(speech(wav(COMMAND)), 20)[:3]:
            await client.write_event(chunk.event())
        error = Error.from_event(await read(client))
        assert error.code == code
        assert says in error.text
        assert await is_closed(client)


async def test_an_utterance_without_end_is_refused(configured: Callable[..., Config]) -> None:
    server = asr_server(configured(ASR__MAX_UTTERANCE_S="1"))
    async with server as service, AsyncClient.from_uri(service.address.uri) as client:
        await client.write_event(Transcribe().event())
        form = AudioStart(rate=16_000, width=2, channels=1)
        await client.write_event(Event("audio-chunk", form.event().data, bytes(40_000)))
        assert (await read(client)).data["code"] == "limit-exceeded"


async def test_an_utterance_that_comes_in_drops_for_ever_is_refused(
    configured: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asr, "PAUSE_S", 0.5)
    server = asr_server(configured(ASR__MAX_UTTERANCE_S="1"))
    async with server as service, AsyncClient.from_uri(service.address.uri) as client:
        answer = asyncio.create_task(read(client))
        while not answer.done():
            form = AudioStart(rate=16_000, width=2, channels=1)
            await client.write_event(form.event())
            await client.write_event(Event("audio-chunk", form.event().data, bytes(2)))
            await asyncio.wait([answer], timeout=0.1)
        assert answer.result().data["text"] == "the utterance has not come within 1.5 s"


async def test_a_client_that_falls_silent_is_told_and_dropped(configured: Callable[..., Config]) -> None:
    server = asr_server(configured(ASR__LIMITS__IDLE_TIMEOUT_S="0.1"))
    async with server as service, AsyncClient.from_uri(service.address.uri) as client:
        await client.write_event(Transcribe().event())
        assert (await read(client)).data["code"] == "limit-exceeded"


async def test_people_who_speak_at_once_are_all_understood(uri: str, speech: Speech) -> None:
    texts = [COMMAND, "set the bedroom brightness to fifty percent", "set a timer for five minutes", COMMAND]
    events = await asyncio.gather(*(transcribe(uri, speech(wav(text))) for text in texts))
    assert [Transcript.from_event(event).text for event in events] == texts


async def test_describe_in_the_midst_of_audio_is_answered(uri: str, speech: Speech) -> None:
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Transcribe().event())
        utterance = chunks(speech(wav(COMMAND)), 20)
        for chunk in utterance[:10]:
            await client.write_event(chunk.event())
        await client.write_event(Describe().event())
        program = (await read(client)).data["asr"][0]
        assert program["models"][0]["languages"] == ["en"]
        for chunk in utterance[10:]:
            await client.write_event(chunk.event())
        await client.write_event(AudioStop().event())
        assert Transcript.from_event(await read(client)).text == COMMAND


async def test_a_client_that_leaves_early_leaves_nothing_behind(
    configured: Callable[..., Config], speech: Speech
) -> None:
    async with asr_server(configured()) as service:
        for _ in range(5):
            async with AsyncClient.from_uri(service.address.uri) as client:
                await client.write_event(Transcribe().event())
                for chunk in chunks(speech(wav(COMMAND)), 20)[:30]:
                    await client.write_event(chunk.event())
        await until(lambda: service.connections == 0)
        assert Transcript.from_event(await transcribe(service.address.uri, speech(wav(COMMAND)))).text == COMMAND


async def test_names_of_the_home_are_understood(configured: Callable[..., Config], speech: Speech) -> None:
    async with asr_server(
        configured(ASR__VOCABULARY__AREAS="[living room]", ASR__VOCABULARY__DEVICES="[lamp]")
    ) as service:
        text = Transcript.from_event(await transcribe(service.address.uri, speech(wav(COMMAND)))).text
        other = Transcript.from_event(
            await transcribe(service.address.uri, speech(wav("set the bedroom brightness to fifty percent")))
        ).text
    assert (text, other) == (COMMAND, "Set the bedroom brightness to fifty per cent.")  # no command: no such room


@pytest.mark.parametrize("asked", [{"language": "en"}, {"language": "en", "stream": True}])
async def test_every_client_gets_a_stream_around_the_transcript(
    uri: str, speech: Speech, asked: dict[str, object]
) -> None:
    recording = speech(wav(COMMAND))
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Event("transcribe", asked))
        for chunk in chunks(recording, 20):
            await client.write_event(chunk.event())
        await client.write_event(AudioStop().event())
        events = [await read_any(client) for _ in range(4)]
        assert await is_closed(client)
    assert [event.type for event in events] == [
        "transcript-start",
        "transcript-chunk",
        "transcript",
        "transcript-stop",
    ]
    assert events[1].data["text"] == events[2].data["text"] == COMMAND


async def test_every_program_is_told_with_whether_it_can_be_used(configured: Callable[..., Config]) -> None:
    config = configured(ASR__PROVIDERS__REMOTE="{enabled: true, uri: 'http://127.0.0.1:9/v1', api_key_env: NO_SUCH}")
    async with asr_server(config) as service, AsyncClient.from_uri(service.address.uri) as client:
        await client.write_event(Describe().event())
        programs = {program["name"]: program for program in (await read(client)).data["asr"]}
        assert list(programs) == ["irene-asr", "guided", "remote"]
        assert [program["installed"] for program in programs.values()] == [True, True, False]
        assert programs["irene-asr"]["requires_external_vad"]
        await client.write_event(SelectProgram(name="remote").event())
        error = Error.from_event(await read(client))
        assert (error.code, "NO_SUCH" in error.text) == ("engine-unavailable", True)


async def test_an_early_transcript_reaches_a_client_that_still_sends(
    configured: Callable[..., Config], speech: Speech
) -> None:
    recording = speech(wav(COMMAND))
    spoken = Recording(recording.format, with_silence(recording.pcm, tail_s=20))
    async with (
        asr_server(configured(ASR__ENDPOINTING__ENABLED="true")) as service,
        AsyncClient.from_uri(service.address.uri) as client,
    ):
        await client.write_event(Transcribe(language="en", vad_sensitivity="aggressive").event())
        for chunk in chunks(spoken, 100):
            await client.write_event(chunk.event())
        events = [await read(client) for _ in range(3)]  # and no audio-stop
        assert [event.type for event in events] == ["voice-started", "voice-stopped", "transcript"]
        assert events[2].data["text"] == COMMAND
        started, stopped = (event.data["timestamp"] for event in events[:2])
        assert 1000 <= started < stopped <= 1000 * (1 + recording.seconds)
        await client.write_event(chunks(spoken, 100)[0].event())
        await client.write_event(AudioStop().event())
        assert await is_closed(client)


async def test_a_hub_is_told_that_the_end_is_looked_for_here(configured: Callable[..., Config]) -> None:
    async with (
        asr_server(configured(ASR__ENDPOINTING__ENABLED="true")) as service,
        AsyncClient.from_uri(service.address.uri) as client,
    ):
        await client.write_event(Describe().event())
        assert all(not program["requires_external_vad"] for program in (await read(client)).data["asr"])


async def test_a_hub_is_asked_for_the_treatment_that_is_configured(configured: Callable[..., Config]) -> None:
    async with (
        asr_server(configured(ASR__PREFERS_AUTO_GAIN_ENABLED="false")) as service,
        AsyncClient.from_uri(service.address.uri) as client,
    ):
        await client.write_event(Describe().event())
        for program in (await read(client)).data["asr"]:
            assert not program["prefers_auto_gain_enabled"]
            assert program["prefers_noise_reduction_enabled"]


async def test_nobody_speaks_and_the_command_is_over_all_the_same(configured: Callable[..., Config]) -> None:
    config = configured(ASR__ENDPOINTING__ENABLED="true", ASR__ENDPOINTING__TIMEOUT_S="1")
    silence = Recording(SPEECH, bytes(64_000))
    async with asr_server(config) as service, AsyncClient.from_uri(service.address.uri) as client:
        for chunk in chunks(silence, 100):
            await client.write_event(chunk.event())
        assert Transcript.from_event(await read(client)).text == ""


async def test_who_still_talks_keeps_nobody_from_being_heard(configured: Callable[..., Config], speech: Speech) -> None:
    config = configured(ASR__ADMISSION__AT_ONCE="1", ASR__ADMISSION__WAITING="0")
    recording = speech(wav(COMMAND))
    async with asr_server(config) as service, AsyncClient.from_uri(service.address.uri) as first:
        for chunk in chunks(recording, 20):
            await first.write_event(chunk.event())
        await first.write_event(Describe().event())
        await read(first)
        assert Transcript.from_event(await transcribe(service.address.uri, recording)).text == COMMAND
        await first.write_event(AudioStop().event())
        assert Transcript.from_event(await read(first)).text == COMMAND


@pytest.fixture
def with_vosk(configured: Callable[..., Config]) -> Callable[..., Config]:
    """``with_vosk("vosk")``: that provider first, then the other one of guided and a small real vosk model."""
    pytest.importorskip("vosk", reason="vosk is not installed")

    def make(first: str, **changes: str) -> Config:
        return configured(
            ASR__PROVIDERS__VOSK=f"{{enabled: true, model: {VOSK}}}", ASR__DEFAULT_PROVIDER=first, **changes
        )

    return make


@pytest.mark.parametrize("provider", ["guided", "vosk"])
async def test_home_assistants_order_of_events(with_vosk: Callable[..., Config], speech: Speech, provider: str) -> None:
    """Its audio has chunks of 10 ms without timestamps, and it reads nothing before its audio-stop."""
    async with asr_server(with_vosk(provider)) as service:
        for text in (COMMAND, "set a timer for five minutes"):
            recording = speech(wav(text))
            spoken = Recording(recording.format, with_silence(recording.pcm))
            assert Transcript.from_event(await transcribe(service.address.uri, spoken, 10)).text == text


async def test_words_come_while_the_person_speaks(with_vosk: Callable[..., Config], speech: Speech) -> None:
    spoken = chunks(speech(wav(COMMAND)), 100)
    async with (
        asr_server(with_vosk("vosk")) as service,
        AsyncClient.from_uri(service.address.uri) as client,
    ):
        await client.write_event(Event("transcribe"))
        for chunk in spoken:
            await client.write_event(chunk.event())
        start, words = await read_any(client), await read_any(client)  # and no audio-stop yet
        assert (start.type, words.type) == ("transcript-start", "transcript-chunk")
        await client.write_event(AudioStop().event())
        text = words.data["text"]
        while (event := await read_any(client)).type == "transcript-chunk":
            text += event.data["text"]
        assert Transcript.from_event(event).text == text == COMMAND
        assert (await read_any(client)).type == "transcript-stop"
        assert await is_closed(client)


async def test_a_cascade_answers_commands_from_the_grammar_and_gives_the_rest_to_the_strong_model(
    with_vosk: Callable[..., Config], speech: Speech, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "irene_wyoming.routing")
    config = with_vosk("guided", ASR__POLICY="cascade", ASR__CASCADE_CONFIDENCE="0.6")
    async with asr_server(config) as service:
        await transcribe(service.address.uri, speech(wav(COMMAND)))  # while the model is still being loaded, perhaps
        caplog.clear()
        assert Transcript.from_event(await transcribe(service.address.uri, speech(wav(COMMAND)))).text == COMMAND
        assert not any("vosk:" in message for message in caplog.messages), caplog.messages
        event = await transcribe(service.address.uri, speech(wav("she turned around and walked away")))
        assert any("vosk:" in message for message in caplog.messages)
        assert Transcript.from_event(event).text  # the small model makes a command of everything


async def test_what_the_strong_model_of_a_cascade_hears_is_matched_to_the_home_and_counted(
    with_vosk: Callable[..., Config], speech: Speech
) -> None:
    config = with_vosk(
        "guided",
        ASR__POLICY="cascade",
        ASR__CASCADE_CONFIDENCE="1",
        ASR__VOCABULARY__AREAS="[Living Room]",
        ASR__PROVIDERS__VOSK__SNAP="sentences",
    )
    before = agreed()
    async with asr_server(config) as service:
        for _ in range(2):  # the first one while the model is still being loaded, perhaps
            event = await transcribe(service.address.uri, speech(wav(COMMAND)))
    assert Transcript.from_event(event).text == "turn on the Living Room light"
    assert event.data["context"]["snapped"] == "right"
    assert agreed() > before


def agreed() -> float:
    """The metric of how often both providers of a cascade agreed."""
    return REGISTRY.get_sample_value("irene_cascade_total", {"answered": "strong", "agreement": "same"}) or 0.0


async def test_every_programs_models_can_be_asked_for(with_vosk: Callable[..., Config], speech: Speech) -> None:
    async with asr_server(with_vosk("guided")) as service, AsyncClient.from_uri(service.address.uri) as client:
        await client.write_event(Describe().event())
        first = (await read(client)).data["asr"][0]
        names = [model["name"] for model in first["models"]]
        assert names == ["moonshine-tiny-en", VOSK.name]
        for name in names:
            request = Transcribe(name=name).event()
            event = await transcribe(service.address.uri, speech(wav(COMMAND)), request=request)
            assert Transcript.from_event(event).text == COMMAND


async def test_an_audio_stop_without_audio_gives_an_empty_transcript(uri: str) -> None:
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Transcribe(language="en").event())
        await client.write_event(AudioStop().event())
        assert Transcript.from_event(await read(client)).text == ""
        assert await is_closed(client)


async def test_16_who_fall_silent_in_a_command_keep_nobody_from_being_heard(
    configured: Callable[..., Config], speech: Speech
) -> None:
    recording = speech(wav(COMMAND))
    config = configured(ASR__LIMITS__IDLE_TIMEOUT_S="2")
    async with asr_server(config) as service, AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(AsyncClient.from_uri(service.address.uri)) for _ in range(16)]
        for client in silent:
            await client.write_event(Transcribe().event())
            for chunk in chunks(recording, 20)[:10]:
                await client.write_event(chunk.event())
        assert Transcript.from_event(await transcribe(service.address.uri, recording)).text == COMMAND
        for client in silent:
            error = Error.from_event(await read(client))
            assert (error.code, error.text) == ("limit-exceeded", "nothing was sent for 2 s")


async def test_every_program_is_said_to_stream(configured: Callable[..., Config]) -> None:
    async with asr_server(configured()) as service:
        programs = (await describe(service.address)).asr
    assert [program.supports_transcript_streaming for program in programs] == [True, True]
