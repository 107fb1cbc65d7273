"""Settings from environment variables."""

from pathlib import Path

import pytest

from irene_wyoming.config.load import load
from irene_wyoming.errors import ConfigError
from tests.config.files import loaded, refused


def test_a_variable_wins_over_the_file(tmp_path: Path) -> None:
    config = loaded("asr: {port: 1, host: 127.0.0.1}", tmp_path, {"IRENE_WYOMING__ASR__PORT": "2"})
    assert config.asr.address.uri == "tcp://127.0.0.1:2"


def test_values_are_read_as_yaml() -> None:
    config = load(
        None,
        {
            "IRENE_WYOMING__WAKE__DEFAULT_MODELS": "[alexa, hey_jarvis]",
            "IRENE_WYOMING__WAKE__PROVIDERS__OPENWAKEWORD__THRESHOLD": "0.7",
            "IRENE_WYOMING__MIC__ENABLED": "false",
            "IRENE_WYOMING__MIC__SOURCE__DEVICE": "hw:1,0",
            "IRENE_WYOMING__FRONT__URI": "tcp://[::1]:1",
            "IRENE_WYOMING__ASR__VOCABULARY": "{areas: [den]}",
        },
    )
    assert config.wake.default_models == ("alexa", "hey_jarvis")
    assert config.wake.providers["openwakeword"].options["threshold"] == 0.7
    assert not config.mic.enabled
    assert config.mic.source.device == "hw:1,0"
    assert config.front.address.host == "::1"
    assert config.asr.vocabulary.areas == ("den",)


def test_the_longer_of_two_paths_wins() -> None:
    config = load(None, {"IRENE_WYOMING__ASR__PORT": "2", "IRENE_WYOMING__ASR": "{port: 1, host: here}"})
    assert config.asr.address.uri == "tcp://here:2"


def test_other_variables_are_none_of_ours() -> None:
    assert load(None, {"IRENE_WYOMING_VERSION": "?", "PORT": "x", "irene_wyoming__asr__port": "1"}) == load(None, {})


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("ASR__PORT", "99999", "99999: expected a port, 0 to 65535"),
        ("ASR__PORT", "", "null: expected a port, 0 to 65535"),
        ("ASR__PROT", "1", "unknown key; did you mean port?"),
        ("ASR__PORT__NUMBER", "1", "expected a port, 0 to 65535"),
        ("WAKE__DEFAULT_MODELS", "alexa", "'alexa': expected a list of at least one wake word"),
        ("ASR", "true", "true: expected a mapping"),
        ("ASR__", "1", "unknown key; expected one of enabled,"),
    ],
)
def test_a_refusal_names_the_variable(tmp_path: Path, variable: str, value: str, problem: str) -> None:
    message = refused("asr: {port: 1}", tmp_path, {f"IRENE_WYOMING__{variable}": value})
    assert message.startswith(f"environment: IRENE_WYOMING__{variable}")
    assert problem in message
    assert "\n" not in message


def test_broken_yaml_names_the_variable() -> None:
    with pytest.raises(ConfigError, match=r"^IRENE_WYOMING__ASR__HOST: line 1, column 1: while|found|expected"):
        load(None, {"IRENE_WYOMING__ASR__HOST": "[a"})


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("IRENE_WYOMING_ASR_PORT", "IRENE_WYOMING__ASR__PORT"),
        ("IRENE_WYOMING_LOG_LEVEL", "IRENE_WYOMING__LOG_LEVEL"),
        ("IRENE_WYOMING_WAKE_DEFAULT_MODELS", "IRENE_WYOMING__WAKE__DEFAULT_MODELS"),
        (
            "IRENE_WYOMING_ASR_PROVIDERS_GOOGLE_CLOUD_MODEL",
            "IRENE_WYOMING__ASR__PROVIDERS__GOOGLE_CLOUD__MODEL",
        ),
    ],
)
def test_single_underscores_are_warned_of_with_the_right_form(variable: str, meant: str) -> None:
    config = load(None, {variable: "1"})
    assert config.warnings == (f"{variable} is ignored: two underscores stand before each part, {meant}",)
    assert config == load(None, {})


@pytest.mark.parametrize("variable", ["IRENE_WYOMING_TOKEN", "IRENE_WYOMING_VERSION", "IRENE_WYOMING_ASR_PROT"])
def test_what_means_no_setting_is_not_warned_of(variable: str) -> None:
    assert load(None, {variable: "1"}).warnings == ()
