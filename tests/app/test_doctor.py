"""The doctor finds each trouble on the way from a voice to a light, and says what to do."""

import argparse
import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from wyoming.info import AsrModel, AsrProgram, Attribution, Info, WakeModel, WakeProgram

from irene_wyoming.__main__ import main
from irene_wyoming.app import doctor_load, doctor_machine
from irene_wyoming.app.asr import asr_server
from irene_wyoming.app.doctor import Doctor, Spoken, asked, of_tls
from irene_wyoming.app.doctor import refused as refused_by
from irene_wyoming.app.doctor_ears import cure_of_untold, of_command, of_heard, of_word
from irene_wyoming.app.doctor_hub import of_clock, of_integration, of_names
from irene_wyoming.app.doctor_settings import of_meaning, of_settings
from irene_wyoming.app.doctor_sound import of_sound
from irene_wyoming.app.findings import Level
from irene_wyoming.app.links import Link, broken, doubtful, first_broken, good
from irene_wyoming.app.mic import mic_server
from irene_wyoming.app.names import Report
from irene_wyoming.app.wake import wake_server
from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.cli import doctor as command
from irene_wyoming.config.load import load
from irene_wyoming.config.model import Config, MetricsConfig
from irene_wyoming.web.exposition import exposed
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.hear import Recording
from tests.conftest import ENVIRONMENT, SPEECH_DIR, read_wav
from tests.home.hub import Hub, running

COMMAND = Path(str(files("irene_wyoming") / "demo" / "turn_on_the_kitchen_light.wav"))
OKAY_NABU = read_wav(SPEECH_DIR / "wake" / "okay_nabu_rms.wav")
ALEXA = read_wav(SPEECH_DIR / "wake" / "alexa_slt.wav")
KNOWN = ["okay_nabu", "alexa", "hey_jarvis"]


def config(**changes: str) -> Config:
    return load(None, ENVIRONMENT | {f"IRENE_WYOMING__{key}": value for key, value in changes.items()})


DEFAULTS = config()


def louder(recording: Recording, factor: float) -> Recording:
    samples = np.frombuffer(recording.pcm, "<i2").astype(np.float64) * factor
    return Recording(recording.format, np.clip(samples, -32768, 32767).astype("<i2").tobytes())


def first(links: Iterator[Link] | list[Link]) -> Link:
    found = first_broken(links)
    assert found is not None
    assert found.cure
    return found


# Sound


def test_a_good_recording_has_nothing_wrong() -> None:
    links = list(of_sound(OKAY_NABU, OKAY_NABU.seconds))
    assert [link.name for link in links] == ["audio rate", "level"]
    assert first_broken(links) is None


@pytest.mark.parametrize(
    ("recording", "took_s", "name", "told"),
    [
        (Recording(SPEECH, b""), 4.0, "audio", "no audio came"),
        (Recording(SPEECH, bytes(64_000)), 2.0, "audio", "muted"),
        (louder(OKAY_NABU, 0.003), None, "level", "too soft"),
        (louder(OKAY_NABU, 20), None, "level", "it clips"),
        (OKAY_NABU, OKAY_NABU.seconds / 3, "audio rate", "48000 samples a second came, and 16000 were promised"),
        (OKAY_NABU, OKAY_NABU.seconds * 2, "audio rate", "8000 samples a second came"),
    ],
    ids=["nothing sent", "muted", "too soft", "clipped", "wrong rate", "too slow"],
)
def test_what_is_wrong_with_sound(recording: Recording, took_s: float | None, name: str, told: str) -> None:
    link = first(of_sound(recording, took_s))
    assert (link.name, told in link.text) == (name, True), link


def test_noise_is_no_speech() -> None:
    noise = np.random.default_rng(1).normal(0, 2_000, 32_000).astype("<i2").tobytes()
    link = first(of_sound(Recording(SPEECH, noise), None))
    assert (link.level, "hardly louder" in link.text) == (Level.WARNING, True)
    assert AudioFormat(16_000, 2, 1) == SPEECH


# Wake words and commands, by real servers


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ears() -> AsyncIterator[tuple[Address, Address]]:
    """Run a wake server and a speech-to-text server."""
    settings = config(
        WAKE__PROVIDERS__OPENWAKEWORD__ENABLED="false",
        WAKE__DEFAULT_PROVIDER="microwakeword",
        ASR__DEFAULT_PROVIDER="guided",
        ASR__FALLBACK_PROVIDERS="[]",
    )
    async with AsyncExitStack() as stack:
        wake = await stack.enter_async_context(wake_server(settings))
        asr = await stack.enter_async_context(asr_server(settings))
        yield wake.address, asr.address


@pytest.mark.asyncio(loop_scope="module")
async def test_a_word_that_is_heard(ears: tuple[Address, Address]) -> None:
    link = await of_word(ears[0], OKAY_NABU, "okay_nabu", KNOWN, DEFAULTS.wake)
    assert link.level is Level.OK, link


@pytest.mark.asyncio(loop_scope="module")
async def test_the_wrong_word_is_named(ears: tuple[Address, Address]) -> None:
    link = await of_word(ears[0], ALEXA, "okay_nabu", KNOWN, DEFAULTS.wake)
    assert link.text == "alexa was heard, and okay_nabu is listened for"
    assert "default_models" in link.cure


@pytest.mark.asyncio(loop_scope="module")
async def test_a_word_below_its_threshold_is_told_with_a_better_one(ears: tuple[Address, Address]) -> None:
    half = Recording(OKAY_NABU.format, OKAY_NABU.pcm[: len(OKAY_NABU.pcm) * 11 // 20 // 2 * 2])
    link = await of_word(ears[0], half, "okay_nabu", ["okay_nabu"], DEFAULTS.wake)
    assert link.level is Level.ERROR
    assert "wake.models.okay_nabu.threshold" in link.cure or "clearly" in link.cure


@pytest.mark.asyncio(loop_scope="module")
async def test_a_word_that_was_not_said(ears: tuple[Address, Address]) -> None:
    link = await of_word(ears[0], Recording(SPEECH, bytes(64_000)), "okay_nabu", ["okay_nabu"], DEFAULTS.wake)
    assert "nothing like okay_nabu" in link.text


def test_a_word_that_is_hardly_heard_is_a_doubt() -> None:
    link = of_heard("wake word", "okay_nabu", 0.86, 0.85)
    assert (link.level, "hardly enough" in link.text) == (Level.WARNING, True)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_command_is_understood_misunderstood_or_not_at_all(ears: tuple[Address, Address]) -> None:
    spoken = read_wav(COMMAND)
    assert (await of_command(ears[1], spoken, "Turn on the kitchen light!")).level is Level.OK
    link = await of_command(ears[1], spoken, "turn on the chicken light")
    assert link.text == "misunderstood: 'turn on the kitchen light' instead of 'turn on the chicken light'"
    link = await of_command(ears[1], Recording(SPEECH, bytes(32_000)), None)
    assert "not understood" in link.text
    assert link.cure


# Servers


async def test_a_port_at_which_nobody_answers() -> None:
    link, info = await asked("wake", Address("127.0.0.1", 1))
    assert info is None
    assert (link.level, "irene-wyoming run" in link.cure) == (Level.ERROR, True)


async def test_a_name_that_no_machine_has() -> None:
    link, _ = await asked("wake", Address("no-such-host.invalid", 10_400))
    assert link.text == "no machine is called no-such-host.invalid here"
    assert link.cure.startswith("correct the name no-such-host.invalid")


async def test_a_port_that_another_program_has() -> None:
    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(hello, "127.0.0.1", 0) as other:
        link, _ = await asked("wake", Address("127.0.0.1", other.sockets[0].getsockname()[1]))
    assert "does not speak Wyoming" in link.text
    assert "another port" in link.cure


async def test_an_address_that_is_refused() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        data = json.dumps({"text": "clients of 10.0.0.1 may not connect", "code": "not-allowed"}).encode()
        writer.write(json.dumps({"type": "error", "data_length": len(data)}).encode() + b"\n" + data)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        link, _ = await asked("wake", Address("127.0.0.1", server.sockets[0].getsockname()[1]))
    assert "access.allow" in link.cure


def test_a_second_instance_is_told() -> None:
    assert doctor_machine.of_instances([1]).level is Level.OK
    link = doctor_machine.of_instances([17, 18])
    assert (link.level, "17, 18" in link.text) == (Level.WARNING, True)


def test_servers_that_only_this_machine_reaches_are_told() -> None:
    (link,) = doctor_machine.of_interface(config(WAKE__URI="null", WAKE__HOST="127.0.0.1"))
    assert (link.level, "wake" in link.text, "0.0.0.0" in link.cure) == (Level.WARNING, True, True)
    everywhere = {f"{name}__URI": "tcp://0.0.0.0:0" for name in ("WAKE", "ASR", "MIC", "FRONT")}
    (link,) = doctor_machine.of_interface(config(**everywhere))
    assert link.level is Level.OK


def described(*, installed: bool) -> Info:
    by = Attribution("", "")
    model: dict[str, Any] = {
        "attribution": by,
        "installed": installed,
        "description": "",
        "version": "",
        "languages": ["en"],
    }
    program: dict[str, Any] = {"attribution": by, "installed": True, "description": "", "version": ""}
    return Info(
        wake=[WakeProgram(name="irene", models=[WakeModel(name="okay_nabu", phrase="", **model)], **program)],
        asr=[AsrProgram(name="vosk", models=[AsrModel(name="vosk-small", **model)], **program)],
    )


def test_a_model_that_is_not_here_and_a_word_that_nobody_knows() -> None:
    (link,) = doctor_machine.of_models(described(installed=False), [])
    assert "vosk: vosk-small" in link.text
    (link,) = doctor_machine.of_models(described(installed=True), ["okay nabo"])
    assert "no wake word okay nabo is here; known are okay_nabu" in link.text
    (link,) = doctor_machine.of_models(described(installed=True), ["okay_nabu"])
    assert link.level is Level.OK


def test_a_full_disk_and_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor_machine.of_disk(config()).level is Level.OK
    assert doctor_machine.of_disk(config(DATA_DIR=str(tmp_path / "new" / "one"))).level is Level.OK
    (tmp_path / "file").write_text("")
    link = doctor_machine.of_disk(config(DATA_DIR=str(tmp_path / "file" / "below")))
    assert (link.level, "no folder" in link.text) == (Level.ERROR, True)
    monkeypatch.setattr(doctor_machine, "LITTLE_DISK_BYTES", 1 << 60)
    assert "free some space" in doctor_machine.of_disk(config(DATA_DIR=str(tmp_path))).cure


async def test_no_internet_is_told_only_where_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await doctor_machine.of_internet(DEFAULTS, missing=False)).text == "not needed"

    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    link = await doctor_machine.of_internet(DEFAULTS, missing=True)
    assert (link.level, "Temporary failure" in link.text) == (Level.ERROR, True)


# Home Assistant


async def test_what_home_assistant_knows_of_us() -> None:
    async with running(Hub()) as hub:
        link = await of_integration(hub.endpoint)
        assert "is not told" in link.text  # this stand-in is too old to have them
        hub.more = {"config_entries/get": []}
        link = await of_integration(hub.endpoint)
        assert (link.level, "Add" in link.cure or "add it" in link.cure) == (Level.ERROR, True)
        hub.more = {"config_entries/get": [{"title": "irene-asr", "state": "setup_retry", "reason": "no answer"}]}
        assert "irene-asr is in state setup_retry: no answer" in (await of_integration(hub.endpoint)).text
        hub.more = {"config_entries/get": [{"title": "irene-asr", "state": "loaded"}]}
        assert (await of_integration(hub.endpoint)).level is Level.OK


async def test_clocks_that_differ() -> None:
    async with running(Hub()) as hub:
        assert (await of_clock(hub.endpoint, lambda: 0.0)).level is Level.WARNING


def test_names_that_are_not_told() -> None:
    assert first(of_names(Report(trouble="ws://hub cannot be reached", asked="ws://hub"))).name == "names"
    assert first(of_names(Report())).level is Level.WARNING


# The command


def examined(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("irene_wyoming.cli.common.read_config", lambda *_, **__: DEFAULTS)
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


@pytest.mark.asyncio(loop_scope="module")
async def test_the_command_ends_with_the_first_link_that_fails(
    ears: tuple[Address, Address], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wake, asr = ears
    silent = (wake.uri, "--silent", "--word-file")
    assert await asyncio.to_thread(examined, monkeypatch, *silent, str(SPEECH_DIR / "wake" / "alexa_slt.wav")) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(
        "First: wake word: alexa was heard, and okay_nabu is listened for. What to do: say okay_nabu"
    )
    words = (asr.uri, "--silent", "--json", "--command-file", str(COMMAND), "--expect", "turn on the kitchen light")
    assert await asyncio.to_thread(examined, monkeypatch, *words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["first"]["name"] == "names"  # the finding is a doubt only
    assert [link["name"] for link in told["links"]][:2] == ["server", "models"]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_muted_microphone_is_found_by_listening_to_its_server(ears: tuple[Address, Address]) -> None:
    doctor = Doctor(DEFAULTS, ears[0])
    async for _ in doctor.servers():
        pass
    assert doctor.microphone is None
    links = [link async for link in doctor.word(Spoken(Recording(SPEECH, bytes(64_000)), 2.0))]
    assert first(links).text.endswith("the microphone is muted")


def test_errors_come_before_doubts_and_doubts_before_nothing() -> None:
    links = [good("a", ""), doubtful("b", "", "x"), broken("c", "", "y"), broken("d", "", "z")]
    assert first(links).name == "c"
    assert first(links[:2]).name == "b"
    assert first_broken(links[:1]) is None


# What "check" finds, the machine, and what else may be wrong


async def configured(**changes: str) -> Config:
    """Make a configuration on a thread, since it reads files."""
    return await asyncio.to_thread(lambda: config(**changes))


async def test_what_the_configuration_names_and_is_not_there_comes_first(tmp_path: Path) -> None:
    missing = await configured(
        WAKE__ACCESS__CERTIFICATE=str(tmp_path / "no.pem"),
        ASR__ACCESS__TOKEN_FILE=str(tmp_path / "no token"),
        WAKE__PROVIDERS__OPENWAKEWORD__FOLDERS=f"[{tmp_path / 'no folder'}]",
    )
    links = [link async for link in of_settings(missing)]
    assert [link.name for link in links] == ["configuration"] * 3
    assert ["access.certificate" in links[0].cure, "openssl" in links[1].cure, "folder" in links[2].cure] == [True] * 3
    assert [link.level for link in links] == [Level.ERROR, Level.ERROR, Level.WARNING]
    (link,) = [link async for link in of_settings(await configured(METRICS__ENABLED="false", WEB__ENABLED="false"))]
    assert link.level is Level.OK


async def test_all_servers_off_and_a_variable_that_is_ignored() -> None:
    off = await configured(WAKE__ENABLED="false", ASR__ENABLED="false", MIC__ENABLED="false")
    assert "wake.enabled" in first([link async for link in of_settings(off)]).cure
    misspelt = await asyncio.to_thread(load, None, ENVIRONMENT | {"IRENE_WYOMING_ASR_PORT": "10301"})
    assert "IRENE_WYOMING_ASR_PORT" in first([link async for link in of_settings(misspelt)]).text


async def test_a_port_that_another_program_has_and_one_that_is_ours() -> None:
    async def unready() -> list[str]:
        return []

    async with exposed(MetricsConfig(True, "127.0.0.1", 0), unready) as ours:
        assert ours is not None
        quiet = await configured(METRICS__HOST="127.0.0.1", METRICS__PORT=str(ours.port), WEB__ENABLED="false")
        (link,) = [link async for link in of_settings(quiet)]
        assert link.level is Level.OK
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = await configured(
            METRICS__HOST="127.0.0.1", METRICS__PORT=str(taken.getsockname()[1]), WEB__ENABLED="false"
        )
        (link,) = [link async for link in of_settings(busy)]
    assert (link.level, "another metrics.port" in link.cure) == (Level.WARNING, True)


async def test_settings_that_are_hardly_meant() -> None:
    unlikely = await configured(WAKE__MODELS="{okay_nabo: {threshold: 0.4}}")
    (link,) = [link async for link in of_meaning(unlikely, KNOWN, ["en"])]
    assert "did you mean okay_nabu" in link.text
    assert "describe" in link.cure
    german = await configured(ASR__LANGUAGE="de")
    (link,) = [link async for link in of_meaning(german, KNOWN, ["en-US"])]
    assert "no engine here understands it" in link.text
    assert "irene-wyoming models" in link.cure
    sentence = await configured(ASR__PROVIDERS__GUIDED__SENTENCES="['日本 on']")
    (link,) = [link async for link in of_meaning(sentence, KNOWN, ["en"])]
    assert "is never heard" in link.text


def test_a_machine_that_has_too_much_to_do(tmp_path: Path) -> None:
    assert doctor_load.of_cores(0.5, 4).level is Level.OK
    assert "top" in doctor_load.of_cores(9.0, 4).cure
    assert doctor_load.of_memory(None).level is Level.OK
    assert doctor_load.of_memory(20_000_000).text == "19 MB are left"
    (tmp_path / "meminfo").write_text("MemTotal: 8 kB\nMemAvailable: 4 kB\n")
    assert doctor_load.available_bytes(tmp_path / "meminfo") == 4096
    assert doctor_load.available_bytes(tmp_path / "none") is None


async def test_servers_that_were_started_again() -> None:
    async def unready() -> list[str]:
        return []

    def restarted() -> bytes:
        return b'# TYPE irene_restarts_total counter\nirene_restarts_total{server="asr"} 4.0\n'

    nobody = await asyncio.to_thread(doctor_load.of_restarts, "http://127.0.0.1:1/metrics")
    assert nobody.level is Level.OK
    async with exposed(MetricsConfig(True, "127.0.0.1", 0), unready, restarted) as address:
        assert address is not None
        url = f"http://{address.host}:{address.port}/metrics"
        link = await asyncio.to_thread(doctor_load.of_restarts, url)
    assert (link.level, link.text) == (Level.WARNING, "started again: asr 4 times")


def test_a_server_that_speaks_tls_is_no_hubs(tmp_path: Path) -> None:
    assert of_tls("wake", DEFAULTS) is None
    link = of_tls("wake", config(WAKE__ACCESS__CERTIFICATE=str(tmp_path / "some.pem")))
    assert link is not None
    assert "certificate to null" in link.cure


async def test_a_server_that_is_full_is_no_server_that_is_off() -> None:
    link = await refused_by("server", Address("127.0.0.1", 1), "limit-exceeded: 64 clients are connected")
    assert "who connects again" in link.cure


def test_sound_that_breaks_off_and_a_microphone_that_is_stuck() -> None:
    samples = np.frombuffer(OKAY_NABU.pcm, "<i2").copy()
    samples += samples == 0
    for start in range(4_000, 20_000, 4_000):
        samples[start : start + 320] = 0
    link = first(of_sound(Recording(SPEECH, samples.tobytes()), None))
    assert (link.name, "breaks off 4 times" in link.text) == ("gaps", True)
    link = first(of_sound(Recording(SPEECH, np.full(32_000, 7, "<i2").tobytes()), None))
    assert (link.level, "every sample is 7" in link.text) == (Level.ERROR, True)


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        ("{okay_nabu: {trigger_level: 50}}", "trigger_level, which wants 50 steps"),
        ("{okay_nabu: {min_level_dbfs: -1}}", "min_level_dbfs (-1 dBFS)"),
        ("{}", "verify to off"),
    ],
)
def test_a_word_that_scores_high_and_is_not_told(words: str, cure: str) -> None:
    assert cure in cure_of_untold(config(WAKE__MODELS=words).wake, "okay_nabu")


def test_a_wrong_configuration_is_the_first_link(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "my.yaml").write_text("wake: {port: nowhere}\n")
    assert main(["doctor", "--silent", "--json", "--config", str(tmp_path / "my.yaml")]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["first"]["name"] == "configuration"
    assert "wake.port" in told["first"]["text"]
    assert "irene-wyoming config" in told["first"]["cure"]


def test_another_machine_that_is_off_is_no_missing_model() -> None:
    info = described(installed=False)
    info.asr[0].name, info.wake = "remote", []
    (link,) = doctor_machine.of_models(info, [])
    assert "asr.providers.remote.uri" in link.cure


async def test_a_muted_microphone_is_found_though_nobody_speaks() -> None:
    settings = await configured(MIC__SOURCE__KIND="silence")
    async with mic_server(settings) as server:
        listening = replace(settings, mic=replace(settings.mic, address=server.address))
        links = [link async for link in command.of_room(Doctor(listening, None), listening)]
    assert "the microphone is muted" in first(links).text


def test_a_household_reads_the_names_of_its_options() -> None:
    link = command.named(broken("models", "no wake word x is here", "correct wake.default_models, or set wake.verify"))
    assert link.cure == "correct wake_words, or set second_look"
