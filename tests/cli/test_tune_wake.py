import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from irene_wyoming.__main__ import main
from irene_wyoming.config.load import load

SPEECH = Path(__file__).parents[1] / "speech"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with recordings of two words, and of neither."""
    for word in ("okay_nabu", "hey_jarvis"):
        (tmp_path / word).mkdir()
        for path in (SPEECH / "wake").glob(f"{word}_*.wav"):
            (tmp_path / word / path.name).symlink_to(path)
    (tmp_path / "negative").mkdir()
    for path in [*(SPEECH / "wake").glob("alexa_*.wav"), *sorted((SPEECH / "asr").glob("*.wav"))[:4]]:
        (tmp_path / "negative" / path.name).symlink_to(path)
    return tmp_path


def test_it_recommends_settings_for_every_word(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = folder / "mine.yaml"
    assert main(["tune-wake", str(folder), "--engine", "microwakeword", "--output", str(output)]) == 0
    text = capsys.readouterr().out
    assert "okay_nabu (microwakeword): 2 recordings of it" in text
    assert "hears 100 %, 0 false accepts" in text
    models = yaml.safe_load(output.read_text(encoding="utf-8"))["wake"]["models"]
    assert models.keys() == {"okay_nabu", "hey_jarvis"}
    tuned = load(output, {}).wake.models["okay_nabu"]
    assert 0 < models["okay_nabu"]["threshold"] < 1
    assert (tuned.threshold, tuned.trigger_level) == (models["okay_nabu"]["threshold"], 1)


def test_it_recommends_nothing_from_too_little(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = folder / "mine.yaml"
    arguments = ["tune-wake", str(folder), "--engine", "microwakeword", "--word", "okay_nabu", "--output", str(output)]
    next((folder / "okay_nabu").iterdir()).unlink()
    assert main(arguments) == 1
    assert "One recording of a word recommends nothing" in capsys.readouterr().out
    assert not output.exists()


def test_it_says_of_few_recordings_that_they_are_few(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune-wake", str(folder), "--engine", "microwakeword", "--word", "okay_nabu"]) == 0
    assert "2 recordings of the word are few" in capsys.readouterr().out


def test_a_folder_of_positives_needs_the_word(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "okay_nabu").rename(folder / "positive")
    assert main(["tune-wake", str(folder)]) == 1
    assert "Say it with --word" in capsys.readouterr().err
    assert main(["tune-wake", str(folder), "--word", "okay_nabu", "--engine", "microwakeword", "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["word"], result["engine"], result["positives"]) == ("okay_nabu", "microwakeword", 2)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["absent"], "no wav files there"),
        ([".", "--word", "hey_nobody"], "no recordings of a wake word there"),
        ([".", "--engine", "nobody"], "nobody: no enabled provider"),
        ([".", "--output", "absent/x.yaml", "--word", "okay_nabu", "--engine", "microwakeword"], "cannot be written"),
        ([".", "--plot", "x.doc"], "a plot is written as"),
    ],
)
def test_what_cannot_be_done_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], why: str
) -> None:
    monkeypatch.chdir(folder)
    assert main(["tune-wake", *arguments]) == 1
    assert why in capsys.readouterr().err


def test_a_word_that_no_engine_knows_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "okay_nabu").rename(folder / "hey_nobody")
    assert main(["tune-wake", str(folder), "--word", "hey_nobody"]) == 1
    assert "'hey_nobody': no engine to hear it with: openwakeword knows okay_nabu" in capsys.readouterr().err


def test_nothing_false_may_be_allowed_but_less_than_nothing_not(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["tune-wake", ".", "--false-per-hour", "-1"])
    assert "expected a number, 0 or more" in capsys.readouterr().err


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib is not installed: irene-wyoming[bench]")
def test_it_draws(folder: Path) -> None:
    assert main(["tune-wake", str(folder), "--word", "okay_nabu", "--plot", str(folder / "x.svg")]) == 0
    assert (folder / "x.svg").stat().st_size > 1000
