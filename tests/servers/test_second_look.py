"""Wake words with a second look, or without any model. Real engines, recogniser and sockets."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from wyoming.audio import AudioStart
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import SelectProgram
from wyoming.wake import Detect, Detection

from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from irene_wyoming.servers.service import Service
from irene_wyoming.wire.hear import Recording
from tests.engines.wake.models import OWN_WORD
from tests.servers.clients import answers, chunks

Speech = Callable[[str], Recording]


QUIET_MS = 4_000
"""Milliseconds of quiet before a word. Sent at once it makes the stream a recording, whose looks may wait."""


async def play(client: AsyncClient, recording: Recording, after_ms: int = 0) -> None:
    """Send quiet and then a recording, as a recording: the speed of this machine does not matter."""
    form = recording.format
    quiet, end = (
        bytes(form.rate * QUIET_MS // 1_000 * form.frame_bytes),
        bytes(form.rate * after_ms // 1_000 * form.frame_bytes),
    )
    await client.write_event(AudioStart(form.rate, form.width, form.channels).event())
    for chunk in chunks(Recording(form, quiet), QUIET_MS):
        await client.write_event(chunk.event())
    for chunk in chunks(Recording(form, recording.pcm + end), 20, QUIET_MS):
        await client.write_event(chunk.event())


async def heard_in(service: Service, recording: Recording, word: str) -> list[Event]:
    """All detections of a word in a recording, from a server that is asked for it."""
    async with AsyncClient.from_uri(service.address.uri) as client:
        await client.write_event(Detect(names=[word]).event())
        await play(client, recording)
        return await answers(client)


async def test_a_word_is_told_with_both_scores(
    configured: Callable[..., Config], speech: Speech, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with wake_server(configured(WAKE__VERIFY="auto")) as service:
        (event,) = await heard_in(service, speech("wake/alexa_slt"), "alexa")
    assert Detection.is_type(event.type)
    context = event.data["context"]
    assert 0.2 <= context["score"] <= 1
    assert context["llr"] >= -6
    assert context["absolute"] < 0
    assert QUIET_MS < event.data["timestamp"] < QUIET_MS + 3_000
    assert any("heard alexa (reached " in line and ", second look " in line for line in caplog.messages)


@pytest.mark.parametrize(("verify", "heard"), [("on", []), ("auto", ["hey_zelda"]), ("off", ["hey_zelda"])])
async def test_a_word_of_your_own_is_looked_at_where_it_is_said_so(
    configured: Callable[..., Config],
    speech: Speech,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    verify: str,
    heard: list[str],
) -> None:
    """This model hears "hey jarvis"; the recogniser looks for "hey zelda"."""
    caplog.set_level(logging.INFO)
    folder = tmp_path / "wake" / "openwakeword"
    folder.mkdir(parents=True)
    (folder / "hey_zelda.tflite").write_bytes(OWN_WORD)
    async with wake_server(configured(DATA_DIR=str(tmp_path), WAKE__VERIFY=verify)) as service:
        told = await heard_in(service, speech("wake/hey_jarvis_slt"), "hey_zelda")
    assert [event.data["name"] for event in told] == heard
    assert any("hey_zelda was not said" in line for line in caplog.messages) is (verify == "on")


async def test_one_word_may_be_looked_at_and_others_not(configured: Callable[..., Config], speech: Speech) -> None:
    models = "{alexa: {verify: auto}}"
    async with wake_server(configured(WAKE__VERIFY="off", WAKE__MODELS=models)) as service:
        for word, name, looked_at in (("alexa", "alexa_slt", True), ("okay_nabu", "okay_nabu_rms", False)):
            (event,) = await heard_in(service, speech(f"wake/{name}"), word)
            assert event.data["name"] == word
            assert ("llr" in event.data["context"]) is looked_at


async def test_what_a_user_asks_of_a_word_holds_for_proposals_too(
    configured: Callable[..., Config], speech: Speech
) -> None:
    models = "{alexa: {threshold: 1.0}}"
    async with wake_server(configured(WAKE__VERIFY="auto", WAKE__MODELS=models)) as service:
        assert await heard_in(service, speech("wake/alexa_slt"), "alexa") == []


async def test_a_word_that_is_only_typed_is_heard_under_its_name(
    configured: Callable[..., Config], speech: Speech
) -> None:
    async with (
        wake_server(configured(WAKE__TYPED="[Alexa, smart mirror]")) as service,
        AsyncClient.from_uri(service.address.uri) as client,
    ):
        for wanted, heard in ((["Alexa", "smart mirror"], ["Alexa"]), (["smart_mirror"], [])):
            await client.write_event(SelectProgram(name="typed").event())
            await client.write_event(Detect(names=wanted).event())
            await play(client, speech("wake/alexa_slt"), after_ms=1_000)
            told = await answers(client)
            assert [event.data["name"] for event in told] == heard
            assert all(event.data["context"]["score"] >= 0.5 for event in told)


async def test_a_word_that_is_typed_and_has_a_model_keeps_its_second_look(
    configured: Callable[..., Config], speech: Speech, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with wake_server(configured(WAKE__VERIFY="auto", WAKE__TYPED="[ok nabu, Alexa, view glass]")) as service:
        (event,) = await heard_in(service, speech("wake/alexa_slt"), "alexa")
    assert event.data["name"] == "alexa"
    assert event.data["context"]["llr"] > -10
    assert "wake.typed: 'Alexa': alexa is a model here" in caplog.text
    assert "wake.typed: 'ok nabu': okay_nabu is a model here" in caplog.text
    assert "view glass" not in caplog.text
