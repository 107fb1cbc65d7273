"""``asr.default_provider: auto``: the engines and models for a language and a machine."""

from pathlib import Path

import pytest

from irene_wyoming.config.asr import AsrConfig
from irene_wyoming.config.load import load
from irene_wyoming.hardware import Hardware

PC = Hardware(8, 16_000, "x86_64")
SMALL = Hardware(1, 512, "aarch64")


def snaps(asr: AsrConfig) -> dict[str, str]:
    """How far each used provider's transcripts are matched to the home."""
    return {name: str(asr.providers[name].snap) for name in (asr.default_provider, *asr.fallback_providers)}


def chosen(text: str, tmp_path: Path, machine: Hardware = PC) -> AsrConfig:
    path = tmp_path / "my.yaml"
    path.write_text(text)
    return load(path, {}, detect=lambda: machine).asr


def test_german_on_a_pc_is_parakeet_then_whisper_then_what_is_embedded(tmp_path: Path) -> None:
    asr = chosen("asr: {default_provider: auto, language: de}", tmp_path)
    assert (asr.default_provider, asr.fallback_providers) == ("sherpa", ("whisper", "guided"))
    assert asr.providers["sherpa"].enabled
    assert asr.providers["sherpa"].options["model"] == "sherpa-onnx-nemo-parakeet-tdt-0.6b-v3-int8"
    assert asr.policy == "ordered"
    assert snaps(asr) == {"sherpa": "names", "whisper": "names", "guided": "off"}


def test_english_on_a_pc_has_commands_at_once_and_a_strong_model_behind(tmp_path: Path) -> None:
    asr = chosen("asr: {default_provider: auto}", tmp_path)
    assert (asr.default_provider, asr.fallback_providers, asr.policy) == ("guided", ("sherpa",), "cascade")
    assert snaps(asr) == {"guided": "off", "sherpa": "sentences"}


def test_a_small_machine_gets_what_fits(tmp_path: Path) -> None:
    asr = chosen("asr: {default_provider: auto}", tmp_path, SMALL)
    assert (asr.default_provider, asr.fallback_providers, asr.policy) == ("guided", (), "ordered")


def test_what_the_user_has_set_stays(tmp_path: Path) -> None:
    mine = "{sherpa: {model: mine, snap: off}}"
    text = f"asr: {{default_provider: auto, language: de, fallback_providers: [], providers: {mine}}}"
    asr = chosen(text, tmp_path)
    assert (asr.fallback_providers, asr.providers["sherpa"].options["model"]) == ((), "mine")
    assert snaps(asr) == {"sherpa": "off"}


@pytest.mark.parametrize("text", ["asr: {default_provider: guided}", "{}"])
def test_without_auto_nothing_is_chosen(tmp_path: Path, text: str) -> None:
    assert not chosen(text, tmp_path).providers["sherpa"].enabled
