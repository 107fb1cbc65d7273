"""Wake words that are looked at twice, or have no model at all. Real engines, recogniser and sockets."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from wyoming.audio import AudioStart
from wyoming.client import AsyncClient
from wyoming.info import SelectProgram
from wyoming.wake import Detect, Detection

from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from irene_wyoming.wire.hear import Recording, detect
from tests.conftest import until
from tests.engines.wake.models import OWN_WORD
from tests.servers.clients import answers, chunks

Speech = Callable[[str], Recording]


async def test_a_word_is_told_with_both_scores(
    configured: Callable[..., Config], speech: Speech, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with (
        wake_server(configured(WAKE__VERIFY="auto")) as service,
        AsyncClient.from_uri(service.address.uri) as client,
    ):
        await client.write_event(Detect(names=["alexa"]).event())
        await client.write_event(AudioStart(16_000, 2, 1).event())
        await until(lambda: "looks twice" in caplog.text)
        for chunk in chunks(speech("wake/alexa_slt"), 20):
            await client.write_event(chunk.event())
        (event,) = await answers(client)
        assert Detection.is_type(event.type)
        context = event.data["context"]
        assert 0.2 <= context["score"] <= 1
        assert context["llr"] >= -6
        assert context["absolute"] < 0
        assert 0 < event.data["timestamp"] < 3_000
    assert any("heard alexa (reached " in line and ", second look " in line for line in caplog.messages)


def after_quiet(spoken: Recording) -> Recording:
    """So long that it is taken for a recording, which waits until the recogniser is loaded."""
    return Recording(spoken.format, bytes(spoken.format.rate * 2 * 4) + spoken.pcm)


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
    async with wake_server(configured(DATA_DIR=str(tmp_path), WAKE__VERIFY=verify)) as server:
        words, _ = await detect(server.address, after_quiet(speech("wake/hey_jarvis_slt")), ["hey_zelda"])
    assert [word.name for word in words] == heard
    assert any("hey_zelda was not said" in line for line in caplog.messages) is (verify == "on")


async def test_one_word_may_be_looked_at_and_others_not(configured: Callable[..., Config], speech: Speech) -> None:
    models = "{alexa: {verify: auto}}"
    async with wake_server(configured(WAKE__VERIFY="off", WAKE__MODELS=models)) as server:
        for word, name in (("alexa", "alexa_slt"), ("okay_nabu", "okay_nabu_rms")):
            words, _ = await detect(server.address, speech(f"wake/{name}"), [word])
            assert [found.name for found in words] == [word]


async def test_what_a_user_asks_of_a_word_holds_for_proposals_too(
    configured: Callable[..., Config], speech: Speech
) -> None:
    models = "{alexa: {threshold: 1.0}}"
    async with wake_server(configured(WAKE__VERIFY="auto", WAKE__MODELS=models)) as server:
        words, _ = await detect(server.address, speech("wake/alexa_slt"), ["alexa"])
    assert words == []


async def test_a_word_that_is_only_typed_is_heard_under_its_name(
    configured: Callable[..., Config], speech: Speech
) -> None:
    spoken = after_quiet(speech("wake/alexa_slt"))
    recording = Recording(spoken.format, spoken.pcm + bytes(2 * spoken.format.rate))
    async with (
        wake_server(configured(WAKE__TYPED="[Alexa, smart mirror]")) as service,
        AsyncClient.from_uri(service.address.uri) as client,
    ):
        for wanted, heard in ((["Alexa", "smart mirror"], ["Alexa"]), (["smart_mirror"], [])):
            await client.write_event(SelectProgram(name="typed").event())
            await client.write_event(Detect(names=wanted).event())
            for chunk in chunks(recording, 20):
                await client.write_event(chunk.event())
            told = await answers(client)
            assert [event.data["name"] for event in told] == heard
            assert all(event.data["context"]["score"] >= 0.5 for event in told)


async def test_a_word_that_is_typed_and_has_a_model_keeps_its_second_look(
    configured: Callable[..., Config], speech: Speech, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with (
        wake_server(configured(WAKE__VERIFY="auto", WAKE__TYPED="[ok nabu, Alexa, view glass]")) as service,
        AsyncClient.from_uri(service.address.uri) as client,
    ):
        await client.write_event(Detect(names=["alexa"]).event())
        for chunk in chunks(after_quiet(speech("wake/alexa_slt")), 20):
            await client.write_event(chunk.event())
        (event,) = await answers(client)
    assert event.data["name"] == "alexa"
    assert event.data["context"]["llr"] > -10
    assert "wake.typed: 'Alexa': alexa is a model here" in caplog.text
    assert "wake.typed: 'ok nabu': okay_nabu is a model here" in caplog.text
    assert "view glass" not in caplog.text
