"""``irene-wyoming models``: its output and exit code."""

import argparse
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from irene_wyoming.__main__ import main
from irene_wyoming.cli import models
from irene_wyoming.errors import ConfigError, UnknownModel
from tests.models import VOSK
from tests.models.host import Host, serving
from tests.models.test_install import NAME, WHOLE

SUM = hashlib.sha256(WHOLE).hexdigest()


@pytest.fixture
def host() -> Iterator[Host]:
    with serving(Host({"/model.zip": WHOLE})) as host:
        yield host


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    models.add_arguments(parser)
    return models.run(parser.parse_args(words))


def fetch(host: Host, data_dir: Path, *more: str) -> int:
    given = ("--engine", "vosk", "--sha256", SUM, "--name", NAME, "--data-dir", str(data_dir))
    return run("download", f"{host.uri}/model.zip", *given, *more)


def test_a_model_is_fetched_listed_found_and_verified(
    host: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("vosk", reason="vosk is not installed")
    assert fetch(host, tmp_path) == 0
    printed = capsys.readouterr()
    assert f"{NAME} is ready" in printed.out
    assert "1 MB" not in printed.out
    assert run("list", "--json", "--data-dir", str(tmp_path)) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in listed["models"] if row["here"]] == [NAME]
    assert run("path", NAME, "--data-dir", str(tmp_path)) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "asr" / "vosk" / NAME)
    assert run("verify", "--data-dir", str(tmp_path)) == 0
    assert "whole, and can be loaded" in capsys.readouterr().out


def test_a_model_that_is_here_is_not_fetched_again(
    host: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(host, tmp_path)
    assert fetch(host, tmp_path) == 0
    assert "is here already" in capsys.readouterr().out
    assert len(host.asked) == 1
    fetch(host, tmp_path, "--force")
    assert len(host.asked) == 2


def test_a_changed_model_is_found_by_verify(host: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fetch(host, tmp_path)
    (tmp_path / "asr" / "vosk" / NAME / "graph" / "words.txt").write_text("<eps> 0\nhello 1\n")
    assert run("verify", NAME, "--data-dir", str(tmp_path)) == 1
    assert "changed since it was fetched: graph/words.txt" in capsys.readouterr().out


def test_a_model_on_which_the_library_breaks_is_told_by_verify(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("vosk", reason="vosk is not installed")
    folder = Path(shutil.copytree(VOSK, tmp_path / "asr" / "vosk" / "broken"))
    whole = (folder / "am" / "final.mdl").read_bytes()
    (folder / "am" / "final.mdl").write_bytes(whole[:5_000] + bytes(1_000) + whole[6_000:8_000])
    assert run("verify", "--data-dir", str(tmp_path)) == 1
    assert "fetch the model again" in capsys.readouterr().out


def test_one_that_is_not_here_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", "nothing", "--data-dir", str(tmp_path)) == 1
    assert "nothing: is not here" in capsys.readouterr().out
    assert run("path", "nothing", "--data-dir", str(tmp_path)) == 1
    assert "is not in" in capsys.readouterr().err


def test_the_list_is_a_table_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(VOSK, tmp_path / "asr" / "vosk" / "mine")
    assert run("list", "--data-dir", str(tmp_path)) == 0
    printed = capsys.readouterr().out
    assert "vosk     vosk-model-small-en-us-0.15" in printed
    assert "Apache-2.0" in printed
    assert any(line.startswith("vosk     mine") and line.endswith("yes") for line in printed.splitlines())


def test_without_a_data_folder_it_says_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="--data-dir"):
        run("download", NAME)
    assert run("list") == 0
    assert "data_dir is not set" in capsys.readouterr().out


def test_an_unknown_name_and_an_incomplete_address_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match="no model 'nothing'"):
        run("download", "nothing", "--data-dir", str(tmp_path))
    with pytest.raises(ConfigError, match="--engine and --sha256"):
        run("download", "http://127.0.0.1:1/model.zip", "--data-dir", str(tmp_path))
    with pytest.raises(ConfigError, match="--name"):
        run("download", "http://127.0.0.1:1/.zip", "--engine", "vosk", "--sha256", SUM, "--data-dir", str(tmp_path))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://[::1/x.zip", "Invalid IPv6 URL"),
        ("http://nas:99999/x.zip", "Port out of range"),
        ("http://nas:0/x.zip", "expected a port, 1 to 65535"),
        ("http://nas..local/x.zip", "label empty or too long"),
        ("http:///x.zip", "expected an address that starts with"),
        ("ftp://nas/x.zip", "expected an address that starts with"),
    ],
)
def test_an_address_that_is_none_is_refused_in_words(tmp_path: Path, address: str, said: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        run("download", address, "--engine", "vosk", "--sha256", SUM, "--data-dir", str(tmp_path))
    assert str(refusal.value).startswith(f"{address}: expected ")
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    "words", [["--sha256", "xyz"], ["--name", "../out"], ["--name", ".hidden"], ["--engine", "nothing"]]
)
def test_a_wrong_argument_is_a_wrong_use(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run("download", "http://127.0.0.1:1/model.zip", *words)
    assert words[0] in capsys.readouterr().err


def test_progress_in_a_log_is_a_line_for_every_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    lines = models.Lines()
    for have in range(101):
        lines.told(have << 20, 100 << 20)
    lines.close()
    printed = capsys.readouterr().err.splitlines()
    assert printed == [f"{share} MB of 100" for share in range(10, 101, 10)]


def test_progress_on_a_terminal_is_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    bar = models.Bar()
    bar.told(50 << 20, 100 << 20)
    bar.told(100 << 20, 100 << 20)
    bar.close()
    printed = capsys.readouterr().err
    assert f"[{'#' * 15}{'.' * 15}]  50% of 100 MB" in printed
    assert printed.endswith(f"[{'#' * 30}] 100% of 100 MB\n")


def test_the_command_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list", "--data-dir", str(tmp_path)]) == 0
    assert "Models are kept in" in capsys.readouterr().out
    assert main(["models", "download", "nothing", "--data-dir", str(tmp_path)]) == 1
    assert "no model 'nothing'" in capsys.readouterr().err
