"""Configuration files: their forms, and messages about those that cannot be used."""

import json
from pathlib import Path

import pytest
import yaml

from irene_wyoming.config.load import MAX_FILE_BYTES, default_text, load
from irene_wyoming.errors import ConfigError
from tests.config.files import loaded, refused

MANIFEST = "name: X\nslug: x\nschema: {log_level: str, wake_threshold: 'float?'}\noptions: "


def test_without_a_file_the_defaults_hold() -> None:
    assert load(None, {}).asr.address.port == 10300


@pytest.mark.parametrize("text", ["", "# nothing\n", "asr:\nwake:\n", "asr: {}\n", "{}", "\ufeffasr: {}"])
def test_a_file_that_says_nothing_changes_nothing(tmp_path: Path, text: str) -> None:
    assert loaded(text, tmp_path) == loaded(default_text(), tmp_path)


def test_a_file_is_laid_over_the_defaults(tmp_path: Path) -> None:
    config = loaded("wake: {default_models: [alexa], limits: {idle_timeout_s: 5}}", tmp_path)
    assert config.wake.default_models == ("alexa",)
    assert config.wake.limits.idle_timeout_s == 5
    assert config.wake.limits.max_connections == 64
    assert config.asr == load(None, {}).asr


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.yaml: cannot be read: No such file or directory$"):
        load(tmp_path / "gone.yaml", {})


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory$"):
        load(tmp_path, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- asr\n", "my.yaml: expected a mapping of settings, not a list"),
        ("asr", "my.yaml: expected a mapping of settings, not a str"),
        ("asr: [\n", "my.yaml: line 2, column 1: expected the node content, but found '<stream end>'"),
        ("#" * (MAX_FILE_BYTES + 1), "my.yaml: larger than 1048576 bytes; is it a configuration?"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, text: str, message: str) -> None:
    assert refused(text, tmp_path) == message


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_bytes(b"asr: \xff\xfe")
    with pytest.raises(ConfigError, match=r"not UTF-8 text, at byte 5; save it as UTF-8$"):
        load(path, {})


def test_each_fault_names_where_it_comes_from(tmp_path: Path) -> None:
    message = refused("asr: {port: x}", tmp_path, {"IRENE_WYOMING__WAKE__PORT": "y"})
    assert message.split("\n") == [
        "environment: IRENE_WYOMING__WAKE__PORT: 'y': expected a port, 0 to 65535",
        "my.yaml: asr.port: 'x': expected a port, 0 to 65535",
    ]


def test_a_json_file_holds_options(tmp_path: Path) -> None:
    config = loaded(json.dumps({"log_level": "debug", "wake_words": ["alexa"]}), tmp_path, name="options.json")
    assert config.log_level == "debug"
    assert config.wake.default_models == ("alexa",)
    assert not config.discovery.zeroconf


def test_a_manifest_gives_its_options(tmp_path: Path) -> None:
    config = loaded(MANIFEST + "{log_level: debug}", tmp_path, name="manifest.yaml")
    assert config.log_level == "debug"
    assert not config.discovery.zeroconf


def test_a_yaml_file_with_options_only_is_a_configuration(tmp_path: Path) -> None:
    assert refused("wake_enabled: true", tmp_path).startswith("my.yaml: wake_enabled: unknown key;")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"wake_threshold": 3}', "wake_threshold: 3: expected a score, 0.001 to 1"),
        ('{"wake_words": ["alexa", 5]}', "wake_words[1]: 5: expected text; put it in quotes"),
        ('{"wake_provider": "x"}', "wake_provider: 'x': expected an enabled provider: openwakeword, microwakeword"),
        (
            '{"asr_provider": "siri"}',
            "asr_provider: 'siri': expected one of auto, guided, vosk, whisper, sherpa, remote, google_cloud",
        ),
        (
            '{"asr_provider": "remote", "remote_uri": "https://gpu/hunter2/v1?hunter3"}',
            "remote_uri: 'https://gpu/***/v1?***': expected tcp://host:port (Wyoming), http(s)://host:port/v1 or "
            "ws(s)://host:port/v1 (OpenAI's API), without a user name, ? or #; a key goes into remote_key",
        ),
        ('{"wake_treshold": 1}', "wake_treshold: unknown option; did you mean wake_threshold?"),
        ('{"log_level": "info", "log_level": "debug"}', "cannot be read: 'log_level' is there twice"),
        ('{"log_level": }', "line 1, column 15: Expecting value"),
        ("[]", "expected a mapping of settings, not a list"),
        ("", "line 1, column 1: Expecting value"),
    ],
)
def test_a_wrong_option_is_named_as_the_household_knows_it(tmp_path: Path, text: str, message: str) -> None:
    assert refused(text, tmp_path, name="options.json") == f"options.json: {message}"


def test_json_without_end_is_refused(tmp_path: Path) -> None:
    assert refused("[" * 200_000, tmp_path, name="options.json").startswith("options.json: cannot be read: ")


@pytest.mark.parametrize("options", ["[]", "5", "null"])
def test_a_manifest_without_options_is_refused(tmp_path: Path, options: str) -> None:
    assert refused(MANIFEST + options, tmp_path) == "my.yaml: options: expected a mapping"


def test_a_variable_wins_over_an_option(tmp_path: Path) -> None:
    config = loaded('{"log_level": "debug"}', tmp_path, {"IRENE_WYOMING__LOG_LEVEL": "error"}, "options.json")
    assert config.log_level == "error"


def test_the_printed_default_is_a_configuration(tmp_path: Path) -> None:
    assert loaded(default_text(), tmp_path) == loaded("", tmp_path)
    assert set(yaml.safe_load(default_text())) == {
        "log_level",
        "log_format",
        "data_dir",
        "hardware",
        "wake",
        "asr",
        "mic",
        "models",
        "front",
        "discovery",
        "home",
        "web",
        "metrics",
        "supervise",
    }
