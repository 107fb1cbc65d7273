"""Names of wake words as hubs have stored them, over real sockets."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.wake import Detect

from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from irene_wyoming.engines.registry import specs
from irene_wyoming.engines.wake.library import MAX_WORDS
from irene_wyoming.engines.wake.words import PHRASES
from irene_wyoming.wire.fields import MAX_NAMES
from irene_wyoming.wire.hear import Recording, detect
from tests.engines.wake.models import put_micro
from tests.servers.clients import read

Speech = Callable[[str], Recording]


@pytest.mark.parametrize("name", ["ok_nabu", "Okay Nabu", "okay_nabu_v0.1", "OK NABU"])
async def test_a_word_is_told_under_the_name_that_was_asked_for(
    configured: Callable[..., Config], speech: Speech, name: str
) -> None:
    async with wake_server(configured()) as server:
        words, _ = await detect(server.address, speech("wake/okay_nabu_rms"), [name])
    assert [word.name for word in words] == [name]


async def test_of_a_partly_known_list_the_known_words_are_heard_and_the_others_told(
    configured: Callable[..., Config], speech: Speech, caplog: pytest.LogCaptureFixture
) -> None:
    async with wake_server(configured()) as server:
        words, _ = await detect(server.address, speech("wake/okay_nabu_rms"), ["hey_nobody", "ok_nabu"])
    assert [word.name for word in words] == ["ok_nabu"]
    assert "'hey_nobody'" in caplog.text


async def test_where_nothing_is_known_the_client_is_told(configured: Callable[..., Config]) -> None:
    async with wake_server(configured()) as server, AsyncClient.from_uri(server.address.uri) as client:
        await client.write_event(Detect(names=["hey_nobody", "hey_somebody"]).event())
        assert Error.from_event(await read(client)).code == "unknown-model"


async def test_words_and_settings_of_the_configuration_have_other_spellings_too(
    configured: Callable[..., Config], speech: Speech
) -> None:
    strict = configured(WAKE__DEFAULT_MODELS="[Okay Nabu]", WAKE__MODELS="{ok_nabu: {threshold: 1.0}}")
    async with wake_server(strict) as server:
        words, closest = await detect(server.address, speech("wake/okay_nabu_rms"))
    assert words == []
    assert closest is not None
    assert closest.name == "okay_nabu"


async def test_more_than_64_words_can_be_asked_for_at_once(
    configured: Callable[..., Config], speech: Speech, tmp_path: Path
) -> None:
    names = [f"word_{number}" for number in range(70)]
    folder = tmp_path / "wake" / "microwakeword"
    folder.mkdir(parents=True)
    for name in names:
        put_micro(folder, name)
    async with wake_server(configured(DATA_DIR=str(tmp_path))) as server:
        words, _ = await detect(server.address, speech("wake/hey_jarvis_slt"), names)
    assert sorted(word.name for word in words) == sorted(names)


def test_a_client_may_ask_for_every_word_that_can_be_known() -> None:
    assert len(specs("wake")) * (MAX_WORDS + len(PHRASES)) <= MAX_NAMES


async def test_a_heard_word_is_told_in_a_sentence_with_what_it_reached_and_its_peak(
    configured: Callable[..., Config], speech: Speech, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with wake_server(configured()) as server:
        (word,), _ = await detect(server.address, speech("wake/okay_nabu_rms"), peak=True)
    assert word.peak is not None
    assert word.score is not None
    assert word.threshold == 0.5 <= word.score <= word.peak
    (line,) = (line for line in caplog.messages if "heard okay_nabu" in line)
    assert f"heard okay_nabu (reached 0.50, peak {word.peak:.2f}) at " in line
    assert " s of its stream, -" in line
    assert line.endswith(" dB")
    assert " dBFS, SNR " in line


async def test_a_near_miss_is_told_when_it_happens(
    configured: Callable[..., Config], speech: Speech, caplog: pytest.LogCaptureFixture
) -> None:
    """The near miss is logged while the stream goes on."""
    caplog.set_level(logging.INFO)
    word = speech("wake/okay_nabu_rms")
    twice = Recording(word.format, 2 * (word.pcm + bytes(64_000)))
    async with wake_server(configured(WAKE__MODELS="{okay_nabu: {threshold: 1.0}}")) as server:
        await detect(server.address, twice)
    near = [line for line in caplog.messages if "nearly heard okay_nabu (peak " in line]
    assert len(near) == 2
    assert all(" of 1.00) at " in line and " dBFS, SNR " in line for line in near)
    assert caplog.messages.index(near[0]) < min(n for n, line in enumerate(caplog.messages) if "no word in" in line)
