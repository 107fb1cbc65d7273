"""default.yaml is complete, explained, and agrees with the engines."""

from typing import Any, Literal

import pytest
import yaml

from irene_wyoming.config.asr import AsrProviderConfig
from irene_wyoming.config.load import default_text
from irene_wyoming.config.section import keys
from irene_wyoming.config.server import ProviderConfig
from irene_wyoming.engines import registry

ASR_PROVIDER = keys(AsrProviderConfig).keys() - keys(ProviderConfig).keys()

NEED_SETTING_UP = ("google_cloud", "openwakeword_package", "remote", "sherpa", "vosk", "whisper")
"""Providers that are off by default: they need a model, package, account or another machine."""


def uncommented(text: str) -> list[str]:
    """Lines that hold a value without a comment beside or right above it."""
    lines = text.splitlines()
    values = [number for number, line in enumerate(lines) if not line.lstrip().startswith("#") and ": " in line]
    return [
        lines[number]
        for number in values
        if "  #" not in lines[number] and not lines[number - 1].lstrip().startswith("#")
    ]


def test_every_value_is_explained() -> None:
    assert uncommented(default_text()) == []


def test_an_unexplained_value_would_be_found() -> None:
    assert uncommented("# a\na: 1\nb: 2\nc: 3  # c\nd:\n  e: 4") == ["b: 2", "  e: 4"]


@pytest.mark.parametrize("kind", ["wake", "asr"])
def test_every_option_of_our_engines_is_there_with_its_default(kind: Literal["wake", "asr"]) -> None:
    written: dict[str, Any] = yaml.safe_load(default_text())[kind]["providers"]
    common = ASR_PROVIDER if kind == "asr" else ()
    own = {name: {key: value for key, value in keys.items() if key not in common} for name, keys in written.items()}
    assert own == {
        name: {
            "enabled": name not in NEED_SETTING_UP,
            **{key: option.default for key, option in spec.options.items()},
        }
        for name, spec in registry.specs(kind).items()
    }


def test_every_speech_to_text_provider_has_what_all_have() -> None:
    written: dict[str, Any] = yaml.safe_load(default_text())["asr"]["providers"]
    assert all(keys.keys() >= ASR_PROVIDER for keys in written.values())


@pytest.mark.parametrize("kind", ["wake", "asr"])
def test_every_default_of_an_engine_passes_its_own_check(kind: Literal["wake", "asr"]) -> None:
    for spec in registry.specs(kind).values():
        for option in spec.options.values():
            option.check(option.default)


@pytest.mark.parametrize("server", ["wake", "asr", "mic"])
def test_every_server_speaks_the_vocabulary_of_the_tuning_guide(server: str) -> None:
    assert yaml.safe_load(default_text())[server].keys() >= {
        "enabled",
        "sample_rate",
        "channels",
        "resample_quality",
        "allow_resampling",
        "strict_validation",
        "chunk_size",
    }
