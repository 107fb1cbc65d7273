"""Changed settings of a running wake server take effect at once, and no stream is dropped."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.ping import Ping
from wyoming.wake import Detect

from irene_wyoming.app.asked import SETTINGS
from irene_wyoming.app.newsroom import Newsroom
from irene_wyoming.app.tuning import Tuner, asked_of
from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.load import load, read_changes
from irene_wyoming.config.model import Config
from irene_wyoming.errors import ConfigError
from irene_wyoming.news import NEWS
from irene_wyoming.servers.arbitration import Arbitration, Bid
from irene_wyoming.wire.hear import Recording
from tests.conftest import ENVIRONMENT
from tests.servers.clients import chunks, read

Speech = Callable[[str], Recording]
SILENCE_S = 3


async def said(client: AsyncClient, recording: Recording) -> list[Event]:
    """Play a word into a continuing stream and return the events."""
    quiet = Recording(recording.format, bytes(recording.format.rate * 2 * SILENCE_S))
    for chunk in (*chunks(recording, 80), *chunks(quiet, 80)):
        await client.write_event(chunk.event())
    await client.write_event(Ping().event())
    events: list[Event] = []
    while not events or events[-1].type != "pong":
        events.append(await read(client))
    return events[:-1]


async def test_a_stream_goes_on_with_what_is_set_now(
    configured: Callable[..., Config], speech: Speech, tmp_path: Path
) -> None:
    fast = {"WAKE__DEFAULT_PROVIDER": "microwakeword", "WAKE__FALLBACK_PROVIDERS": "[]", "WAKE__VERIFY": "off"}
    config = configured(DATA_DIR=str(tmp_path), **fast)
    deaf = configured(DATA_DIR=str(tmp_path), **fast, WAKE__MODELS="{okay_nabu: {trigger_level: 50}}")
    recorded = configured(
        DATA_DIR=str(tmp_path), **fast,
        WAKE__RECORDINGS__ENABLED="true", WAKE__RECORDINGS__WORDS="[okay_nabu]", WAKE__ARBITRATION__WINDOW_MS="100",
    )  # fmt: skip
    word = speech("wake/okay_nabu_rms")
    folder = tmp_path / "wake" / "recordings"
    async with wake_server(config) as server, AsyncClient.from_uri(server.address.uri) as client:
        await client.write_event(Detect(names=["okay_nabu"]).event())
        assert [event.type for event in await said(client, word)] == ["detection"]
        for settings, heard in ((deaf, 0), (recorded, 1), (config, 1)):
            await NEWS.doers[SETTINGS](asked_of(settings.wake))
            assert [event.type for event in await said(client, word)] == ["detection"] * heard
    assert len(list(folder.glob("*.wav"))) == 1


async def tuner(folder: Path, **changes: str) -> Tuner:
    """The tuner of a home whose servers do not run."""
    environ = ENVIRONMENT | {"IRENE_WYOMING__DATA_DIR": str(folder)}
    environ |= {f"IRENE_WYOMING__{name}": value for name, value in changes.items()}
    return Tuner(await asyncio.to_thread(load, None, environ), None, environ, Newsroom(folder, []))


async def kept(tuning: Tuner) -> dict[Any, Any]:
    return await asyncio.to_thread(read_changes, tuning.config)


async def test_recordings_are_switched_word_by_word_and_taken_back(tmp_path: Path) -> None:
    tuning = await tuner(tmp_path)
    await tuning.record("alexa", on=True)
    await tuning.record("okay_nabu", on=True)
    assert tuning.config.wake.recordings.words == ("alexa", "okay_nabu")
    await tuning.record("alexa", on=False)
    await tuning.record("okay_nabu", on=False)
    assert not tuning.config.wake.recordings.enabled
    for _ in range(4):
        await tuning.undo()
    assert await kept(tuning) == {}
    everything = await tuner(tmp_path, WAKE__RECORDINGS__ENABLED="true")
    with pytest.raises(ConfigError, match="every word is recorded"):
        await everything.record("alexa", on=True)


async def test_a_variable_that_would_win_is_named(tmp_path: Path) -> None:
    tuning = await tuner(tmp_path, WAKE__ARBITRATION__WINDOW_MS="100")
    with pytest.raises(ConfigError, match="IRENE_WYOMING__WAKE__ARBITRATION__WINDOW_MS is set"):
        await tuning.arbitrate("window_ms", 150)
    assert await kept(tuning) == {}


async def test_what_recordings_recommend_is_one_change(tmp_path: Path) -> None:
    tuning = await tuner(tmp_path)
    await tuning.use("alexa", 0.8, 2)
    assert await kept(tuning) == {"wake": {"models": {"alexa": {"threshold": 0.8, "trigger_level": 2}}}}
    await tuning.undo()
    assert await kept(tuning) == {}


async def test_who_answers_is_changed_within_bounds(tmp_path: Path) -> None:
    tuning = await tuner(tmp_path)
    await tuning.arbitrate("window_ms", 150)
    await tuning.arbitrate("always", True)
    assert (tuning.config.wake.arbitration.window_ms, tuning.config.wake.arbitration.always) == (150, True)
    for setting, value in (("window_ms", 9_000), ("window_ms", "x"), ("nonsense", 1)):
        with pytest.raises(ConfigError):
            await tuning.arbitrate(setting, value)
    assert tuning.config.wake.arbitration.window_ms == 150


def test_how_much_later_another_satellite_hears_a_word() -> None:
    now = 0.0
    arbitration = Arbitration(0.0, clock=lambda: now)
    kitchen, hall = Bid("kitchen", 1, 0.0), Bid("hall", 2, 0.0)
    assert arbitration.later_by("alexa", kitchen) is None
    now = 0.12
    assert arbitration.later_by("alexa", hall) == pytest.approx(0.12)
    assert arbitration.later_by("okay_nabu", hall) is None
    now = 10.0
    assert arbitration.later_by("alexa", hall) is None
