"""Lines of the log, and attempts of peers to forge them."""

import io
import json
import logging
import subprocess
import sys

import pytest

from irene_wyoming.app.logs import JsonFormatter, TextFormatter, coloured, escaped

EVIL = "x\n2026-01-01 INFO    wake: heard okay_nabu\r\x1b[2J\x07\u202eexe.\u2028\ud800"


def record(text: str, *values: object, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord("irene_wyoming.test", level, __file__, 1, text, values, None)


def test_what_a_peer_sent_stays_in_its_line_and_leaves_the_terminal_alone() -> None:
    line = TextFormatter().format(record("refused: %s", EVIL))
    assert line.endswith(r"x\n2026-01-01 INFO    wake: heard okay_nabu\r\x1b[2J\x07\u202eexe.\u2028\ud800")
    assert line.isprintable()


@pytest.mark.parametrize("text", ["", "turn on the light", "Küche, キッチン, кухня, 🙂", "100 %"])
def test_what_is_harmless_is_told_as_it_is(text: str) -> None:
    assert escaped(text) == text


def test_json_is_one_object_in_a_line() -> None:
    line = JsonFormatter().format(record("refused: %s", EVIL))
    assert "\n" not in line
    told = json.loads(line)
    assert told["message"] == f"refused: {EVIL}"
    assert told["level"] == "warning"
    assert told["logger"] == "irene_wyoming.test"
    assert told["time"].endswith("+00:00")


def test_json_has_the_traceback_of_a_bug() -> None:
    try:
        raise ValueError("a bug")
    except ValueError:
        bug = record("oh")
        bug.exc_info = sys.exc_info()
    assert "ValueError: a bug" in json.loads(JsonFormatter().format(bug))["exception"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_colours_and_nobody_else() -> None:
    assert coloured(Terminal(), {"TERM": "xterm"})
    assert coloured(Terminal(), {"NO_COLOR": ""})
    for environ in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert not coloured(Terminal(), environ)
    assert not coloured(io.StringIO(), {})


def test_a_warning_stands_out_and_what_a_peer_sent_has_no_colour() -> None:
    formatter = TextFormatter(colours=True)
    line = formatter.format(record("refused: %s", "x\x1b[2J"))
    assert "\x1b[33mWARNING refused: x\\x1b[2J\x1b[0m" in line
    assert formatter.format(record("heard", level=logging.INFO)).endswith("INFO    heard")


def test_a_log_that_goes_to_a_file_has_no_colours() -> None:
    code = (
        "import logging; from irene_wyoming.app.logs import start_log; from irene_wyoming.config.load import load;"
        "start_log(load(None, {})); logging.getLogger('x').warning('oh')"
    )
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, check=True, timeout=60)
    assert done.stderr.endswith(b" WARNING oh\n")
