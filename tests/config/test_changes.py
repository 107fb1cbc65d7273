"""Settings that were changed at the page."""

import argparse
from pathlib import Path

import pytest

from irene_wyoming.app.check import of_changes
from irene_wyoming.cli import config as command
from irene_wyoming.config import changes
from irene_wyoming.config.load import load, read_changes
from irene_wyoming.errors import ConfigError

KEYS = ("wake", "models", "alexa", "threshold")


def test_changes_lie_between_the_file_and_variables(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(f"data_dir: {tmp_path}\nwake: {{models: {{alexa: {{threshold: 0.3, trigger_level: 2}}}}}}\n")
    changes.write(changes.path_in(tmp_path), changes.changed({}, KEYS, 0.6))
    alexa = load(file, {}).wake.models["alexa"]
    assert (alexa.threshold, alexa.trigger_level) == (0.6, 2)
    variable = {"IRENE_WYOMING__WAKE__MODELS": "{alexa: {threshold: 0.7}}"}
    assert load(file, variable).wake.models["alexa"].threshold == 0.7
    assert load(file, {}, changed={}).wake.models["alexa"].threshold == 0.3


def test_what_is_taken_back_leaves_nothing(tmp_path: Path) -> None:
    path = changes.path_in(tmp_path)
    data = changes.changed(changes.changed({}, KEYS, 0.6), ("wake", "models", "okay_nabu", "threshold"), 0.4)
    changes.write(path, data)
    assert path.read_text().startswith("# Changed at the page")
    data = changes.changed(data, KEYS, None)
    assert data == {"wake": {"models": {"okay_nabu": {"threshold": 0.4}}}}
    assert changes.changed(data, ("asr", "language"), None) == data
    changes.write(path, changes.changed(data, ("wake", "models", "okay_nabu", "threshold"), None))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[]", "expected a mapping"),
        ("wake: {models: {alexa: {threshold: 7}}}", "wake.models.alexa.threshold: 7"),
        ("wake: [", "line 1"),
    ],
)
def test_a_damaged_file_is_told_by_its_name(tmp_path: Path, content: str, told: str) -> None:
    changes.path_in(tmp_path).write_text(content)
    with pytest.raises(ConfigError) as refused:
        load(None, {"IRENE_WYOMING__DATA_DIR": str(tmp_path)})
    assert str(changes.path_in(tmp_path)) in str(refused.value)
    assert told in str(refused.value)


def test_no_changes_are_no_file(tmp_path: Path) -> None:
    assert read_changes(load(None, {"IRENE_WYOMING__DATA_DIR": str(tmp_path)})) == {}
    assert read_changes(load(None, {})) == {}


def test_each_change_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes.write(changes.path_in(tmp_path), changes.changed({}, KEYS, 0.6))
    file = tmp_path / "my.yaml"
    file.write_text(f"data_dir: {tmp_path}\n")
    (finding,) = of_changes(read_changes(load(file, {})))
    assert finding.text == "changed at the page: wake.models.alexa.threshold: 0.6"
    assert not list(of_changes({}))
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert command.run(parser.parse_args(["--changes", "--config", str(file)])) == 0
    assert "threshold: 0.6" in capsys.readouterr().out
