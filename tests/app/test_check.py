"""``check`` opens everything that a start opens."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from irene_wyoming.app import doubts
from irene_wyoming.app.asr import asr_server
from irene_wyoming.app.check import Check
from irene_wyoming.app.findings import Level
from irene_wyoming.app.opening import opened
from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from irene_wyoming.wire.client import describe
from irene_wyoming.wire.hear import Recording, transcribe

Configured = Callable[..., Config]


async def found(config: Config) -> list[tuple[Level, str, str]]:
    """The findings that are not well."""
    return [(one.level, one.about, one.text) async for one in opened(config) if one.level is not Level.OK]


async def test_nothing_is_wrong_with_the_defaults(configured: Configured) -> None:
    assert await found(configured()) == []


async def test_a_certificate_and_a_token_that_are_not_there(configured: Configured) -> None:
    config = configured(ASR__ACCESS="{certificate: /nowhere/cert.pem, token_file: /nowhere/token}")
    assert await found(config) == [
        (
            Level.ERROR,
            "asr.access.certificate",
            "access.certificate /nowhere/cert.pem, key None: No such file or directory",
        ),
        (Level.ERROR, "asr.access.token_file", "access.token_file /nowhere/token: No such file or directory"),
    ]


async def test_a_server_that_is_off_needs_no_certificate(configured: Configured) -> None:
    assert await found(configured(ASR__ENABLED="false", ASR__ACCESS__CERTIFICATE="/nowhere/cert.pem")) == []


async def test_all_servers_off(configured: Configured) -> None:
    [(level, about, _)] = await found(configured(WAKE__ENABLED="false", ASR__ENABLED="false", MIC__ENABLED="false"))
    assert (level, about) == (Level.ERROR, "servers")


def test_own_sentences_that_cannot_be_said(configured: Configured) -> None:
    config = configured(ASR__PROVIDERS__GUIDED__SENTENCES='["good night, house", "日本 on", "play channel 5"]')
    [doubt] = doubts.of_sentences(config.asr)
    assert doubt.startswith("asr.providers.guided.sentences: '日本 on' is never heard, or in part only: ")
    assert "letters cannot be said in en" in doubt
    assert doubts.of_sentences(configured().asr) == []


async def test_folders_that_are_not_there_or_cannot_be_written(configured: Configured, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    config = configured(DATA_DIR=f"{tmp_path}/file/data", WAKE__PROVIDERS__OPENWAKEWORD__FOLDERS=f"[{tmp_path}/models]")
    assert await found(config) == [
        (Level.WARNING, "wake.providers.openwakeword.folders", f"{tmp_path}/models is not there; waited for"),
        (Level.ERROR, "data_dir", f"{tmp_path}/file/data: {tmp_path}/file is no folder"),
    ]


async def test_a_port_of_figures_that_somebody_has(configured: Configured) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = configured(METRICS__ENABLED="true", METRICS__HOST="127.0.0.1", METRICS__PORT=str(port))
        [(level, about, text)] = await found(config)
    assert (level, about) == (Level.WARNING, "metrics address")
    assert text.startswith(f"http://127.0.0.1:{port}: Address already in use")


async def test_an_engine_of_another_package_that_cannot_be_loaded(
    configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "broken-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[irene_wyoming.asr]\nbroken = not_there.spec:SPEC\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert await found(configured()) == [
        (
            Level.WARNING,
            "configuration",
            "asr engine broken: not_there.spec:SPEC cannot be loaded: ModuleNotFoundError: No module named 'not_there'",
        )
    ]


def test_settings_of_words_that_no_engine_has_are_told(configured: Configured) -> None:
    config = configured(
        WAKE__MODELS="{okay_nabo: {threshold: 0.6}}", WAKE__SATELLITES="{kitchen: {models: {alxa: {threshold: 0.6}}}}"
    )
    assert doubts.of_words(config.wake, ["okay_nabu", "alexa"], None) == [
        "wake.models.okay_nabo: no engine has this word; did you mean okay_nabu?",
        "wake.satellites.kitchen.models.alxa: no engine has this word; did you mean alexa?",
    ]


@pytest.mark.parametrize("key", ["certificate", "token_file"])
async def test_a_pipe_as_certificate_or_token_is_named_and_nobody_waits(
    configured: Configured, tmp_path: Path, key: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    [(level, about, text)] = await found(configured(**{f"ASR__ACCESS__{key.upper()}": str(tmp_path / "pipe")}))
    assert (level, about) == (Level.ERROR, f"asr.access.{key}")
    assert text.endswith("not a file, but a named pipe")


@pytest.mark.parametrize(
    ("sound", "level", "ending"),
    [("/dev/zero", Level.WARNING, "digital silence; is it muted?"), ("/dev/urandom", Level.OK, "16000 Hz 16 bit mono")],
)
async def test_a_microphone_that_delivers_nothing_but_zeros_is_told(
    configured: Configured, sound: str, level: Level, ending: str
) -> None:
    config = configured(
        MIC__SOURCE=f"{{kind: command, command: [cat, {sound}]}}",
        WAKE__ENABLED="false",
        ASR__ENABLED="false",
        FRONT__ENABLED="false",
    )
    [heard] = [one async for one in Check(config).findings() if one.about == "mic.source"]
    assert heard.level is level
    assert heard.text.endswith(ending)


async def test_a_wake_server_waits_for_a_word_whose_model_is_missing(
    configured: Configured, caplog: pytest.LogCaptureFixture
) -> None:
    config = configured(WAKE__DEFAULT_MODELS="[hey_zelda]", WAKE__DEFAULT_PROVIDER="microwakeword")
    async with wake_server(config) as service:
        assert (await describe(service.address)).wake
    assert "wake.default_models: 'hey_zelda' is not known here; known are okay_nabu" in caplog.text


async def test_a_language_that_no_engine_understands_costs_the_others_nothing(
    configured: Configured, caplog: pytest.LogCaptureFixture, speech: Callable[[str], Recording]
) -> None:
    async with asr_server(configured(ASR__LANGUAGE="de")) as service:
        heard = await transcribe(service.address, speech("asr/turn_on_the_living_room_light"), language="en")
    assert "living room" in heard.text
    assert "asr.language: 'de': no engine here understands it, only en" in caplog.text
