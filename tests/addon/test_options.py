"""Values that a household can type into the add-on's options work, or the log names the option that is wrong."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from socket import gethostname

import pytest
import yaml

from irene_wyoming.app import doubts
from irene_wyoming.app.logs import Told
from irene_wyoming.config.addon import OPTIONS, layer, told
from irene_wyoming.config.env import BASE_VARIABLE
from irene_wyoming.config.layers import Layer, merge
from irene_wyoming.config.load import default_text, load
from irene_wyoming.errors import ConfigError
from irene_wyoming.models import catalogue
from tests.config.files import PC, refused

EXPECTED = "expected tcp://host:port (Wyoming), http(s)://host:port/v1 or ws(s)://host:port/v1 (OpenAI's API)"


def wrong(folder: Path, **options: object) -> str:
    """The message with which these options are refused."""
    return refused(json.dumps(options), folder, name="options.json").removeprefix("options.json: ")


def test_another_machine_needs_an_address(tmp_path: Path) -> None:
    expected = f"remote_uri: '': {EXPECTED}, since remote is enabled"
    assert wrong(tmp_path, asr_provider="remote") == expected
    assert wrong(tmp_path, asr_provider="remote", remote_uri="") == expected
    assert wrong(tmp_path, asr_provider="remote", remote_uri=None) == expected


@pytest.mark.parametrize(
    "pasted", ["//me:hunter2@box/v1", "me:hunter2@box", "sk-hunter2345678", "hunter2", "hunter2:x"]
)
def test_what_may_be_a_key_where_the_address_belongs_is_not_repeated(tmp_path: Path, pasted: str) -> None:
    said = wrong(tmp_path, asr_provider="remote", remote_uri=pasted)
    assert said.startswith("remote_uri: ")
    assert "expected tcp://host:port" in said
    assert "hunter2" not in said
    assert "'gpu-box:8000'" in wrong(tmp_path, asr_provider="remote", remote_uri="gpu-box:8000")


def test_a_password_in_an_address_is_not_repeated(tmp_path: Path) -> None:
    said = wrong(tmp_path, asr_provider="remote", remote_uri="http://me:hunter2@gpu-box:8000/v1")
    assert said.startswith("remote_uri: 'http://me:***@gpu-box:8000/v1': expected")
    assert said.endswith("a key goes into remote_key")
    assert "hunter2" not in wrong(tmp_path, asr_provider="remote", remote_uri=f"http://me:hunter2{'x' * 80}@box/v1")


@pytest.mark.parametrize("value", [["a", "b"], {"a": 1}, [[1]], -1, True, "\x00", "\ud800", "🎉" * 100])
def test_whatever_the_type_it_is_taken_or_refused_by_the_options_name(tmp_path: Path, value: object) -> None:
    path = tmp_path / "options.json"
    path.write_text(json.dumps(dict.fromkeys(OPTIONS, value)))
    with pytest.raises(ConfigError) as refusal:
        load(path, {})
    said = [
        line.removeprefix(f"{path}: ").partition(":")[0].partition("[")[0] for line in str(refusal.value).splitlines()
    ]
    assert set(said) <= {*OPTIONS, *(f"{option}.a" for option in OPTIONS)}
    assert len(set(said)) > len(OPTIONS) / 2


def test_blanks_around_what_was_pasted_and_empty_lines_of_a_list_are_not_meant(tmp_path: Path) -> None:
    path = tmp_path / "options.json"
    pasted = {
        "asr_provider": "remote",
        "remote_uri": " http://box:8000/v1\n",
        "remote_key": "sk-1 ",
        "mic_device": "  ",
    }
    path.write_text(json.dumps({**pasted, "wake_words": [" okay_nabu", "", None, "  "], "areas": ["Kitchen ", ""]}))
    config = load(path, {})
    assert config.asr.providers["remote"].options["uri"] == "http://box:8000/v1"
    assert config.asr.providers["remote"].options["api_key"] == "sk-1"
    assert config.wake.default_models == ("okay_nabu",)
    assert config.asr.vocabulary.areas == ("Kitchen",)
    assert config.mic.source.device == ""


@pytest.mark.parametrize("uri", ["tcp://127.0.0.1:10300", "http://localhost:10700/v1", f"tcp://{gethostname()}:10300"])
def test_who_would_ask_itself_is_told(tmp_path: Path, uri: str) -> None:
    said = wrong(tmp_path, asr_provider="remote", remote_uri=uri)
    assert said == f"remote_uri: '{uri}': is this program itself; expected the address of another one"
    assert wrong(tmp_path, asr_provider="guided", remote_uri=uri, wake_threshold=5).startswith("wake_threshold")


def test_a_wrong_model_is_called_by_the_option_that_was_set(tmp_path: Path) -> None:
    assert wrong(tmp_path, asr_model=-1).startswith("asr_model: -1: expected text")
    assert wrong(tmp_path, asr_provider="vosk", asr_folder=-1).startswith("asr_folder: -1: expected text")


def test_a_wake_word_that_is_not_here_is_waited_for_and_named(tmp_path: Path) -> None:
    path = tmp_path / "options.json"
    path.write_text(json.dumps({"wake_words": ["okay nabbu", "hey_zelda"]}))
    config = load(path, {})
    said = [told(doubt) for doubt in doubts.of_words(config.wake, ["okay_nabu", "alexa"], None)]
    assert said == [
        "wake_words: 'okay nabbu' is not known here; did you mean okay_nabu?; waited for: a model of that name in "
        "/share/openwakeword or /share/microwakeword is taken at once",
        "wake_words: 'hey_zelda' is not known here; known are okay_nabu, alexa; waited for: a model of that name in "
        "/share/openwakeword or /share/microwakeword is taken at once",
        "wake_words: none of them is here; okay_nabu is listened for meanwhile",
    ]


@pytest.mark.parametrize("word", ["okay nabu", "ok_nabu", "Okay Nabu"])
def test_a_word_is_known_however_it_is_written(tmp_path: Path, word: str) -> None:
    path = tmp_path / "options.json"
    path.write_text(json.dumps({"wake_words": [word]}))
    assert doubts.of_words(load(path, {}).wake, ["okay_nabu"], None) == []


def test_a_message_names_options_for_settings() -> None:
    assert told("set wake.providers.openwakeword.threshold, or asr.providers.remote.uri.") == (
        "set wake_threshold, or remote_uri."
    )
    assert told("asr.vocabulary.areas[0]: 5") == "areas[0]: 5"
    assert told("asr.language.x and my.asr.language and asr.policy stay") == (
        "asr.language.x and my.asr.language and asr.policy stay"
    )


@pytest.mark.parametrize("household", [True, False])
def test_the_log_keeps_passwords_and_says_what_a_household_calls_a_setting(household: bool) -> None:
    record = logging.LogRecord("x", logging.WARNING, "", 1, "asr.language: %s", ("tcp://me:hunter2@box:1",), None)
    assert Told(household=household).filter(record)
    assert record.getMessage() == f"{'language' if household else 'asr.language'}: tcp://me:***@box:1"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"wake_enabled": False, "asr_enabled": False, "mic_enabled": False},
            "no server is enabled: set wake_enabled, asr_enabled or mic_enabled to true",
        ),
        ({"asr_provider": ["guided"]}, "asr_provider: ['guided']: expected text"),
    ],
)
def test_the_add_on_stops_at_once_and_says_why(tmp_path: Path, options: dict[str, object], message: str) -> None:
    path = tmp_path / "options.json"
    path.write_text(json.dumps(options))
    ran = subprocess.run(
        [sys.executable, "-m", "irene_wyoming", "run", "--config", str(path)],
        env={**os.environ, "IRENE_WYOMING__METRICS__ENABLED": "false", "IRENE_WYOMING__WEB__ENABLED": "false"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 2
    assert ran.stderr.splitlines()[-1].endswith(message)


@pytest.mark.parametrize(
    ("kind", "message"),
    [("pipe", "cannot be read: not a file, but a named pipe"), ("loop", "cannot be read: Too many levels of symbolic")],
)
async def test_an_odd_file_as_configuration_is_named_and_nobody_waits(tmp_path: Path, kind: str, message: str) -> None:
    path = tmp_path / "my.yaml"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("my.yaml")
    with pytest.raises(ConfigError, match=message):
        await asyncio.to_thread(load, path, {})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("asr: {port: 1}".encode("utf-16"), "text in UTF-16; save it as UTF-8"),
        ("asr: {host: Büro}".encode("latin-1"), "not UTF-8 text, at byte 13; save it as UTF-8"),
        (b"asr: {port: 1}\x00", "not YAML"),
    ],
)
def test_an_encoding_that_is_not_read_is_said(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "my.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        load(path, {})


def test_a_key_for_another_machine_is_shown_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("asr: {providers: {remote: {enabled: true, uri: 'tcp://box:1', api_key: hunter2hunter2}}}")
    config = load(path, {})
    assert config.asr.providers["remote"].options["api_key"] == "hunter2hunter2"
    assert "hunter2" not in repr(config)
    path.write_text("asr: {providers: {remote: {enabled: true, uri: 'tcp://box:1', api_key: 'hunter2 hunter2'}}}")
    with pytest.raises(ConfigError) as refusal:
        load(path, {})
    assert str(refusal.value) == (
        f"{path}: asr.providers.remote.api_key: expected a key of printable ASCII characters without blanks"
    )


def test_a_households_own_file_lies_under_its_options(tmp_path: Path) -> None:
    (tmp_path / "irene.yaml").write_text("log_level: debug\nasr: {max_utterance_s: 30, vocabulary: {areas: [den]}}")
    options = tmp_path / "options.json"
    options.write_text(json.dumps({"log_level": "warning", "areas": [], "mic_device": ""}))
    config = load(options, {BASE_VARIABLE: str(tmp_path / "irene.yaml")})
    assert (config.log_level, config.asr.max_utterance_s, config.asr.vocabulary.areas) == ("warning", 30, ("den",))
    assert config.household


def test_a_fault_in_the_households_own_file_is_told_of_that_file(tmp_path: Path) -> None:
    base, options = tmp_path / "irene.yaml", tmp_path / "options.json"
    base.write_text("asr: {policy: best}")
    options.write_text(json.dumps({"asr_provider": "remote"}))
    with pytest.raises(ConfigError) as refusal:
        load(options, {BASE_VARIABLE: str(base)})
    [first, second] = sorted(str(refusal.value).splitlines())
    assert first.startswith(f"{base}: asr.policy: 'best': expected one of")
    assert second.startswith(f"{options}: remote_uri: '': expected")


def test_check_speaks_of_options(tmp_path: Path) -> None:
    path = tmp_path / "options.json"
    path.write_text(json.dumps({"wake_words": ["Okay Nabu", "hey_zelda"], "asr_enabled": False}))
    ports = {f"IRENE_WYOMING__{name}__PORT": "0" for name in ("WAKE", "FRONT", "METRICS", "WEB")}
    ran = subprocess.run(
        [sys.executable, "-m", "irene_wyoming", "check", "--json", "--config", str(path)],
        env={**os.environ, **ports, "IRENE_WYOMING__WAKE__DEFAULT_PROVIDER": "microwakeword"},
        capture_output=True,
        text=True,
    )
    findings = {one["about"]: one for one in json.loads(ran.stdout)["findings"]}
    assert findings["wake_words"]["text"].startswith("'hey_zelda' is not known here; known are okay_nabu,")
    assert findings["wake.models"]["text"] == "okay_nabu 0.85 (its author's)"
    assert ran.returncode == 0


def test_a_german_household_gets_an_engine_for_german_by_options_only(tmp_path: Path) -> None:
    path = tmp_path / "options.json"
    path.write_text(json.dumps({"asr_provider": "auto", "language": "de"}))
    asr = load(path, {}, detect=lambda: PC).asr
    chosen = asr.providers[asr.default_provider]
    assert chosen.enabled
    assert "de" in catalogue.entry(chosen.options["model"], catalogue.load()).languages
    assert asr.fallback_providers[-1] == "guided"  # English commands, meanwhile and always


DEFAULTS = yaml.safe_load(default_text())


def chosen(**options: object) -> tuple[str, object]:
    """The engine and the model that these options choose."""
    asr = merge([Layer("", DEFAULTS), layer(options, "options.json", DEFAULTS)])["asr"]
    return asr["default_provider"], asr["providers"][asr["default_provider"]]["model"]


def test_a_model_of_the_catalogue_brings_its_engine() -> None:
    for entry in catalogue.load():
        for engine in ("auto", entry.engine):
            assert chosen(asr_provider=engine, asr_model=entry.name) == (entry.engine, entry.name)


def test_auto_is_as_if_no_model_were_named() -> None:
    assert chosen(asr_model="auto") == chosen() == ("guided", None)
    assert chosen(asr_provider="vosk", asr_model="auto", asr_folder="/share/vosk/de") == ("vosk", "/share/vosk/de")


def test_a_model_is_not_chosen_twice_and_fits_its_engine(tmp_path: Path) -> None:
    assert wrong(tmp_path, asr_provider="whisper", asr_model="tiny", asr_folder="/share/tiny") == (
        "asr_folder: leave it empty, or set asr_model to auto; only one model is used"
    )
    for engine in ("auto", "guided", "remote"):
        assert wrong(tmp_path, asr_provider=engine, remote_uri="tcp://box:1", asr_folder="/share/tiny") == (
            "asr_folder: set asr_provider to the engine it is for: sherpa, whisper, vosk"
        )
    assert wrong(tmp_path, asr_model="tiny") == (
        "asr_model: tiny is a model of whisper; set asr_provider to whisper or auto"
    )
    assert wrong(tmp_path, asr_provider="auto", asr_model="mine") == (
        "asr_model: 'mine' is not in the catalogue; set asr_provider to its engine"
    )
