"""The add-on's manifest, its translations, and the settings that its options are."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from irene_wyoming.audio.format import Quality
from irene_wyoming.config.addon import FIXED, OPTIONS, option_path
from irene_wyoming.config.load import default_text, load
from irene_wyoming.config.model import LogLevel
from tests.config.files import ROOT, loaded

MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text())
TRANSLATION: dict[str, Any] = yaml.safe_load((ROOT / "translations/en.yaml").read_text())
DEFAULTS: dict[str, Any] = yaml.safe_load(default_text())
SCHEMA: dict[str, Any] = MANIFEST["schema"]

# What the Supervisor takes for the type of one option. Whatever fits none of these is dropped without a word.
ELEMENT = re.compile(
    r"bool|email|url|port|str|password|int(\(\d*,\d*\))?|float(\([\d.]*,[\d.]*\))?|match\(.*\)|list\(.+\)"
)
KEYS = {
    "name", "version", "slug", "description", "arch", "audio", "discovery", "watchdog", "ports", "map",
    "backup_exclude", "options", "schema",
}  # fmt: skip


def element(option: str) -> str:
    """The type of an option, or of the members of one that is a list."""
    kind = SCHEMA[option]
    return str(kind[0] if isinstance(kind, list) else kind)


def extremes(option: str) -> list[Any]:
    """Values that the manifest lets through: every choice, both ends of every range."""
    kind = element(option).removesuffix("?")
    if kind == "bool":
        return [True, False]
    if choices := re.fullmatch(r"list\((.*)\)", kind):
        return choices[1].split("|")
    if span := re.fullmatch(r"(int|float)\(([^,]+),([^,]+)\)", kind):
        return [float(span[2]), float(span[3])] if span[1] == "float" else [int(span[2]), int(span[3])]
    assert kind == "str", f"{option}: give {kind} a range"
    return ["reading corner"]


def test_it_has_the_version_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert MANIFEST["version"] == project["version"]


def test_every_key_is_one_that_the_supervisor_knows() -> None:
    assert set(MANIFEST) == KEYS
    assert MANIFEST["slug"] == "irene_wyoming"
    assert MANIFEST["discovery"] == ["wyoming"]


@pytest.mark.parametrize("option", SCHEMA)
def test_every_type_is_one_that_the_supervisor_knows(option: str) -> None:
    assert ELEMENT.fullmatch(element(option).removesuffix("?"))


def test_every_option_is_a_setting_and_the_other_way_round() -> None:
    assert set(OPTIONS) == set(SCHEMA)
    assert set(MANIFEST["options"]) <= set(SCHEMA)


def test_an_option_without_a_default_is_optional() -> None:
    assert {option for option in SCHEMA if element(option).endswith("?")} == set(SCHEMA) - set(MANIFEST["options"])


@pytest.mark.parametrize("option", SCHEMA)
def test_every_option_lands_on_a_setting_that_there_is(option: str) -> None:
    settings = DEFAULTS
    *sections, key = option_path(option, MANIFEST["options"], DEFAULTS)
    for section in sections:
        settings = settings[section]
    assert key in settings


@pytest.mark.parametrize("option", SCHEMA)
def test_whatever_the_manifest_lets_through_is_accepted(tmp_path: Path, option: str) -> None:
    for value in extremes(option):
        entered = [value] if isinstance(SCHEMA[option], list) else value
        loaded(yaml.safe_dump({**MANIFEST, "options": {**MANIFEST["options"], option: entered}}), tmp_path)


def test_its_choices_are_the_programs_own() -> None:
    enabled = [name for name, engine in load(None, {}).wake.providers.items() if engine.enabled]
    assert extremes("wake_provider") == enabled
    assert extremes("log_level") == list(get_args(LogLevel))
    for server in ("wake", "asr", "mic"):
        assert extremes(f"{server}_resample_quality") == list(Quality)


def test_its_defaults_are_the_programs_own_but_for_the_microphone() -> None:
    addon, program = load(ROOT / "config.yaml", {}), load(None, {})
    assert (replace(addon.wake, providers=program.wake.providers), addon.asr, addon.front, addon.log_level) == (
        program.wake,
        program.asr,
        program.front,
        program.log_level,
    )
    assert not addon.mic.enabled
    folders = {name: list(engine.options.get("folders", ())) for name, engine in addon.wake.providers.items()}
    assert {
        "discovery.zeroconf": addon.discovery.zeroconf,
        "wake.providers.openwakeword.folders": folders["openwakeword"],
        "wake.providers.microwakeword.folders": folders["microwakeword"],
    } == FIXED


def test_a_threshold_is_that_of_the_chosen_engine(tmp_path: Path) -> None:
    config = loaded('{"wake_provider": "microwakeword", "wake_threshold": 0.9}', tmp_path, name="options.json")
    thresholds = {name: engine.options.get("threshold") for name, engine in config.wake.providers.items()}
    assert thresholds == {"microwakeword": 0.9, "openwakeword": None, "openwakeword_package": None, "guest": None}


def test_an_option_left_empty_changes_nothing(tmp_path: Path) -> None:
    assert loaded('{"wake_threshold": null, "areas": null}', tmp_path, name="options.json") == loaded(
        "{}", tmp_path, name="options.json"
    )


def test_every_option_and_port_is_translated() -> None:
    assert set(TRANSLATION["configuration"]) == set(SCHEMA)
    assert set(TRANSLATION["network"]) == set(MANIFEST["ports"])
    for texts in TRANSLATION["configuration"].values():
        assert set(texts) == {"name", "description"}
        assert all(texts.values())


def test_its_ports_are_where_the_servers_listen() -> None:
    assert set(MANIFEST["ports"]) == {f"{DEFAULTS[name]['port']}/tcp" for name in ("wake", "asr", "mic", "front")}
    assert f"[PORT:{DEFAULTS['front']['port']}]" in MANIFEST["watchdog"]


def test_no_other_file_can_be_taken_for_a_manifest() -> None:
    """The store reads every file of such a name in the tree; the deeper of two equal slugs wins silently."""
    tops = [top for top in ROOT.iterdir() if not top.name.startswith(".") and not (top / "pyvenv.cfg").exists()]
    found = [
        path
        for top in tops
        for path in (top, *top.rglob("*"))
        if re.fullmatch(r"(config|build)\.(ya?ml|json)", path.name)
    ]
    assert found == [ROOT / "config.yaml"]
