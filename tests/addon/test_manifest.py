"""The add-on's manifest, its translations, and the settings behind its options."""

import json
import re
import struct
import tomllib
from dataclasses import replace
from itertools import combinations
from pathlib import Path, PurePath
from typing import Any, get_args

import pytest
import yaml

from irene_wyoming.audio.format import Quality
from irene_wyoming.config.addon import FIXED, OPTIONS, option_path
from irene_wyoming.config.auto import AUTO
from irene_wyoming.config.load import default_text, load
from irene_wyoming.config.model import LogLevel
from irene_wyoming.engines import registry
from irene_wyoming.models import catalogue
from tests.addon import supervisor
from tests.config.files import ROOT, loaded

MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text())
TRANSLATIONS: dict[str, dict[str, Any]] = {
    path.stem: yaml.safe_load(path.read_text()) for path in sorted((ROOT / "translations").glob("*.yaml"))
}
DEFAULTS: dict[str, Any] = yaml.safe_load(default_text())
SCHEMA: dict[str, Any] = MANIFEST["schema"]


MATCHING = {
    "remote_uri": ("tcp://gpu-box:10300", "http://gpu-box:8000/v1", "https://[::1]:8000/v1", "ws://gpu/v1"),
}
"""Valid values of options with a pattern."""


def element(option: str) -> str:
    """The type of an option, or of the members of one that is a list."""
    kind = SCHEMA[option]
    return str(kind[0] if isinstance(kind, list) else kind)


def extremes(option: str) -> list[Any]:
    """Values that the manifest allows: every choice, both ends of every range."""
    kind = element(option).removesuffix("?")
    if kind == "bool":
        return [True, False]
    if choices := re.fullmatch(r"list\((.*)\)", kind):
        return choices[1].split("|")
    if span := re.fullmatch(r"(int|float)\(([^,]+),([^,]+)\)", kind):
        return [float(span[2]), float(span[3])] if span[1] == "float" else [int(span[2]), int(span[3])]
    if kind.startswith("match("):
        assert all(re.fullmatch(kind[6:-1], value) for value in MATCHING[option])
        return list(MATCHING[option])
    if kind == "password":
        return ["s3cret-0123456789"]
    assert re.fullmatch(r"str(\(\d+,\d+\))?", kind), f"{option}: give {kind} a range"
    return ["reading corner"]


def test_it_has_the_version_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert MANIFEST["version"] == project["version"]


@pytest.mark.parametrize("key", MANIFEST)
def test_every_key_is_one_that_the_supervisor_knows(key: str) -> None:
    assert supervisor.MANIFEST[key](MANIFEST[key])


def test_it_has_what_the_supervisor_requires() -> None:
    assert MANIFEST.keys() >= supervisor.REQUIRED
    assert MANIFEST["slug"] == "irene_wyoming"
    assert MANIFEST["discovery"] == ["wyoming"]
    assert set(yaml.safe_load((ROOT / "repository.yaml").read_text())) <= supervisor.REPOSITORY


@pytest.mark.parametrize("option", SCHEMA)
def test_every_type_is_one_that_the_supervisor_knows(option: str) -> None:
    found = supervisor.ELEMENT.fullmatch(element(option))
    assert found
    if found["match"]:
        re.compile(found["match"])


@pytest.mark.parametrize("option", MANIFEST["options"])
def test_a_default_is_of_its_options_type(option: str) -> None:
    value, kind = MANIFEST["options"][option], element(option)
    assert isinstance(value, list) == isinstance(SCHEMA[option], list)
    for member in value if isinstance(value, list) else [value]:
        if kind == "bool":
            assert isinstance(member, bool)
        elif kind.startswith("list("):
            assert member in extremes(option)
        else:
            assert isinstance(member, str)


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


NEEDED = {"remote_uri": "tcp://gpu-box:10300"}
"""Options that some choices need; tests/addon/test_options.py tests the messages where they are missing."""


BESIDES = {"asr_model": {"asr_provider": "auto"}, "asr_folder": {"asr_provider": "vosk"}}
"""Options that need a certain choice of another option."""


@pytest.mark.parametrize("option", SCHEMA)
def test_whatever_the_manifest_lets_through_is_accepted(tmp_path: Path, option: str) -> None:
    for value in extremes(option):
        entered = {option: [value] if isinstance(SCHEMA[option], list) else value}
        options = {**MANIFEST["options"], **NEEDED, **BESIDES.get(option, {}), **entered}
        loaded(yaml.safe_dump({**MANIFEST, "options": options}), tmp_path)


def test_its_models_are_those_of_the_catalogue() -> None:
    assert extremes("asr_model") == [AUTO, *(entry.name for entry in catalogue.load())]
    assert {entry.engine for entry in catalogue.load()} <= set(extremes("asr_provider"))


def pairwise(values: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Rows in which every value of one option stands beside every value of each other one at least once."""
    pairs = combinations(values, 2)
    left = {(a, x, b, y) for a, b in pairs for x in range(len(values[a])) for y in range(len(values[b]))}
    rows = []
    while left:
        row: dict[str, int] = {}
        for a, x, b, y in sorted(left):
            if row.get(a, x) == x and row.get(b, y) == y:
                row |= {a: x, b: y}
        rows.append(row)
        left -= {(a, row.get(a, -1), b, row.get(b, -1)) for a, b in combinations(values, 2)}
    return [{option: values[option][place] for option, place in row.items()} for row in rows]


APART = set(BESIDES)
"""Options that some choices of another option exclude."""


def test_any_two_options_go_together(tmp_path: Path) -> None:
    ends = {option: extremes(option) for option in SCHEMA if option not in {*NEEDED, *APART}}
    rows = pairwise({option: values if len(values) < 4 else [values[0], values[-1]] for option, values in ends.items()})
    assert len(rows) < 40
    for row in rows:
        entered = {name: [value] if isinstance(SCHEMA[name], list) else value for name, value in row.items()}
        loaded(json.dumps({**MANIFEST["options"], **NEEDED, **entered}), tmp_path, name="options.json")


def test_its_choices_are_the_programs_own() -> None:
    assert set(extremes("asr_provider")) <= {AUTO, *registry.specs("asr")}
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
        "discovery.name": addon.discovery.name,
        "discovery.zeroconf": addon.discovery.zeroconf,
        "web.host": addon.web.host,
        "wake.providers.openwakeword.folders": folders["openwakeword"],
        "wake.providers.microwakeword.folders": folders["microwakeword"],
    } == FIXED


def test_a_threshold_is_that_of_the_chosen_engine(tmp_path: Path) -> None:
    config = loaded('{"wake_provider": "microwakeword", "wake_threshold": 0.9}', tmp_path, name="options.json")
    thresholds = {name: engine.options.get("threshold") for name, engine in config.wake.providers.items()}
    assert thresholds == {"microwakeword": 0.9, "openwakeword": None, "openwakeword_package": None, "guest": None}


@pytest.mark.parametrize("provider", [one for one in extremes("asr_provider") if one != AUTO])
def test_the_chosen_engine_is_used_and_the_default_ones_stay_behind_it(tmp_path: Path, provider: str) -> None:
    config = loaded(json.dumps({**NEEDED, "asr_provider": provider}), tmp_path, name="options.json")
    enabled = {name for name, engine in config.asr.providers.items() if engine.enabled}
    usual = {name for name, engine in load(None, {}).asr.providers.items() if engine.enabled}
    assert (config.asr.default_provider, enabled) == (provider, {*usual, provider})


def test_the_image_has_what_the_options_can_choose() -> None:
    [extras] = re.findall(r"^extras=(\S+)", (ROOT / ".ci/lock").read_text(), re.MULTILINE)
    built_in = {name for name, engine in load(None, {}).asr.providers.items() if engine.enabled}
    assert set(extremes("asr_provider")) == {AUTO, *built_in, *extras.split(",")}


def test_an_option_left_empty_changes_nothing(tmp_path: Path) -> None:
    assert loaded('{"wake_threshold": null, "areas": null}', tmp_path, name="options.json") == loaded(
        "{}", tmp_path, name="options.json"
    )


def test_it_speaks_five_languages() -> None:
    assert list(TRANSLATIONS) == ["de", "en", "es", "fr", "nl"]


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_option_and_port_is_translated(language: str) -> None:
    translation = TRANSLATIONS[language]
    assert list(translation["configuration"]) == list(SCHEMA)
    assert list(translation["network"]) == list(MANIFEST["ports"])
    for texts in translation["configuration"].values():
        assert list(texts) == ["name", "description"]
        assert all(texts.values())


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_translation_keeps_what_is_typed(language: str) -> None:
    """Words of the program, such as choices and folders, are the same in every language."""
    for option, texts in TRANSLATIONS[language]["configuration"].items():
        english = TRANSLATIONS["en"]["configuration"][option]["description"]
        typed = set(
            re.findall(r"\b(?:[a-z]+_[a-z_]+|sherpa|vosk|remote|guided|openwakeword|microwakeword|debug)\b", english)
        )
        assert {word for word in typed if word not in texts["description"]} == set(), option


def test_it_says_nothing_that_is_so_of_itself_and_nothing_that_is_left_behind() -> None:
    assert {key for key, value in supervisor.OF_ITSELF.items() if key in MANIFEST and MANIFEST[key] == value} == set()
    assert MANIFEST.keys() & supervisor.LEFT_BEHIND == set()
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()


def test_its_image_is_labelled_as_an_app() -> None:
    labels = dict(re.findall(r'(io\.hass\.\w+)="([^"]*)"', (ROOT / "Dockerfile").read_text()))
    assert labels == {
        "io.hass.type": "app",
        "io.hass.name": MANIFEST["name"],
        "io.hass.version": "${BUILD_VERSION}",
        "io.hass.arch": "${BUILD_ARCH}",
    }


def test_its_page_is_where_the_supervisor_looks_for_it() -> None:
    assert MANIFEST["ingress"]
    assert load(ROOT / "config.yaml", {}).web.address.port == supervisor.OF_ITSELF["ingress_port"]


def test_its_ports_are_where_the_servers_listen() -> None:
    assert set(MANIFEST["ports"]) == {f"{DEFAULTS[name]['port']}/tcp" for name in ("wake", "asr", "mic", "front")}


def test_models_are_left_out_of_backups() -> None:
    """The Supervisor matches from the right, and skips all below a folder that matches."""
    for model in ("wake/openwakeword", "wake/microwakeword", "asr/vosk"):
        assert any(PurePath("/data", model).match(pattern) for pattern in MANIFEST["backup_exclude"])
    assert not any(PurePath("/data/options.json").match(pattern) for pattern in MANIFEST["backup_exclude"])


def test_the_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    released = [heading for heading in headings if heading != "Unreleased"]
    assert released[0] == MANIFEST["version"]


@pytest.mark.parametrize(("name", "size"), [("icon.png", (128, 128)), ("logo.png", (250, 100))])
def test_pictures_have_the_size_that_the_store_shows(name: str, size: tuple[int, int]) -> None:
    header = (ROOT / name).read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    assert struct.unpack(">2I", header[16:]) == size


def test_the_apparmor_profile_has_the_addons_name() -> None:
    assert re.findall(r"^profile (\S+)", (ROOT / "apparmor.txt").read_text(), re.MULTILINE) == [MANIFEST["slug"]]


def test_the_manual_has_a_heading_for_every_option() -> None:
    headings = re.findall(r"^### Option: `(\w+)`", (ROOT / "DOCS.md").read_text(), re.MULTILINE)
    assert headings == list(SCHEMA)


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
