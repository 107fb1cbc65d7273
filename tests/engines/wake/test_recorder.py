"""Recordings of what a real engine heard or nearly heard."""

import json
import logging
import stat
import wave
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from wyoming.client import AsyncClient

from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from irene_wyoming.engines.base import EngineContext, Score, WakeEngine, WakeSettings
from irene_wyoming.engines.registry import spec
from irene_wyoming.engines.wake.recorder import RecordedEngine, Recorder, RecorderSettings
from irene_wyoming.errors import ConfigError
from irene_wyoming.wire.hear import Recording
from tests.engines.contract import WakeEngineContract
from tests.engines.wake.speech import silence, synthesised
from tests.servers.clients import answers, chunks

SPEECH = synthesised("hey_jarvis_slt")


class Clock:
    """A clock that advances a second per look."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture(scope="module")
def micro() -> Iterator[WakeEngine]:
    known = spec("wake", "microwakeword")
    engine = known.create({name: option.default for name, option in known.options.items()}, EngineContext())
    yield engine
    engine.close()


def settings(folder: Path, **changes: float | None) -> RecorderSettings:
    values: dict[str, float | None] = {"near_miss_threshold": 0.3, "seconds_before": 2.0, "max_files": 10}
    return RecorderSettings(folder=folder, **{"max_bytes": 10_000_000, **values, **changes})  # type: ignore[arg-type]


def record(engine: WakeEngine, wanted: RecorderSettings, pcm: bytes, words: dict[str, WakeSettings]) -> list[Path]:
    with closing(Recorder(wanted, Clock())) as recorder:
        session = RecordedEngine(engine, recorder).session(list(words), words)
        for start in range(0, len(pcm), 2560):
            session.push(pcm[start : start + 2560])
        session.close()
    return sorted(wanted.folder.glob("*.wav"))


def test_a_word_that_is_heard_is_kept_with_its_scores(micro: WakeEngine, tmp_path: Path) -> None:
    (path,) = record(micro, settings(tmp_path), SPEECH + silence(2), {"hey_jarvis": WakeSettings()})
    assert path.name == "20260102T030406.000000Z-activation-hey_jarvis.wav"
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (16_000, 2, 1)
        pcm = file.readframes(file.getnframes())
    assert 16_000 < len(pcm) <= 64_000
    assert pcm in SPEECH
    sidecar = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert (sidecar["kind"], sidecar["word"]) == ("activation", "hey_jarvis")
    assert max(score["score"] for score in sidecar["scores"]) >= sidecar["score"] > 0.9
    assert all(0 <= score["at_s"] <= 2 for score in sidecar["scores"])
    assert sidecar["level_dbfs"] < 0
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(path.with_suffix(".json").stat().st_mode) == 0o600


def test_a_word_that_is_nearly_heard_is_a_near_miss(micro: WakeEngine, tmp_path: Path) -> None:
    words = {"hey_jarvis": WakeSettings(trigger_level=50)}
    (path,) = record(micro, settings(tmp_path), SPEECH + silence(2), words)
    assert "-near-miss-hey_jarvis" in path.name
    assert record(micro, settings(tmp_path / "none", near_miss_threshold=None), SPEECH + silence(2), words) == []


def test_the_oldest_recordings_go_and_nothing_else(micro: WakeEngine, tmp_path: Path) -> None:
    other = tmp_path / "20200101-mine.wav"
    other.write_bytes(b"x" * 100)
    pcm = (SPEECH + silence(3)) * 4
    kept = record(micro, settings(tmp_path, max_files=2), pcm, {"hey_jarvis": WakeSettings()})
    assert other in kept
    assert [path.name[:15] for path in kept if path != other] == ["20260102T030408", "20260102T030409"]
    assert len(list(tmp_path.glob("*.json"))) == 2


def test_the_folder_keeps_within_its_bytes(micro: WakeEngine, tmp_path: Path) -> None:
    pcm = (SPEECH + silence(3)) * 4
    record(micro, settings(tmp_path, max_bytes=150_000), pcm, {"hey_jarvis": WakeSettings()})
    assert 60_000 < sum(path.stat().st_size for path in tmp_path.iterdir()) <= 150_000


def test_a_folder_that_cannot_be_written_is_told_once_and_harms_nothing(
    micro: WakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    with caplog.at_level(logging.WARNING):
        pcm = (SPEECH + silence(3)) * 3
        assert record(micro, settings(tmp_path / "file" / "x"), pcm, {"hey_jarvis": WakeSettings()}) == []
    assert [line for line in caplog.messages if "recordings" in line] == [
        f"wake: recordings cannot be kept in {tmp_path}/file/x: Not a directory"
    ]


def test_who_watches_the_scores_still_sees_them(micro: WakeEngine, tmp_path: Path) -> None:
    scores: list[Score] = []
    with closing(Recorder(settings(tmp_path))) as recorder:
        RecordedEngine(micro, recorder).session(["hey_jarvis"], on_score=scores.append).push(SPEECH)
    assert max(score.score for score in scores) > 0.9


class TestContract(WakeEngineContract):
    @pytest.fixture
    def engine(self, tmp_path: Path) -> Iterator[WakeEngine]:
        known = spec("wake", "microwakeword")
        inner = known.create({name: option.default for name, option in known.options.items()}, EngineContext())
        with closing(Recorder(settings(tmp_path))) as recorder, closing(RecordedEngine(inner, recorder)) as engine:
            yield engine

    @pytest.fixture
    def word(self) -> str:
        return "okay_nabu"

    @pytest.fixture
    def speech(self) -> bytes:
        return synthesised("okay_nabu_rms")


async def test_the_server_records_only_where_it_is_told_to(
    configured: Callable[..., Config], speech: Callable[[str], Recording], tmp_path: Path
) -> None:
    for enabled, expected in (("false", 0), ("true", 1)):
        config = configured(DATA_DIR=str(tmp_path), WAKE__RECORDINGS__ENABLED=enabled)
        async with wake_server(config) as service, AsyncClient.from_uri(service.address.uri) as client:
            for chunk in chunks(speech("wake/okay_nabu_rms"), 80):
                await client.write_event(chunk.event())
            assert [event.type for event in await answers(client)] == ["detection"]
        assert len(list((tmp_path / "wake" / "recordings").glob("*-activation-okay_nabu.wav"))) == expected


def test_recordings_need_a_folder(configured: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError, match=r"recordings.*expected a folder, since there is no data_dir"):
        configured(WAKE__RECORDINGS__ENABLED="true")
