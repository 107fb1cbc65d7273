"""Lines of the log, and what peers would like to do with them."""

import json
import logging
import sys

import pytest

from irene_wyoming.app.logs import REPEATS, WINDOW_S, JsonFormatter, Repeats, TextFormatter, escaped

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


def test_warnings_of_one_kind_are_told_some_times_a_minute_and_the_rest_counted() -> None:
    now = 0.0
    repeats = Repeats(lambda: now)
    told = [repeats.filter(record("%s: refused", number)) for number in range(100)]
    assert sum(told) == REPEATS
    assert repeats.filter(record("something else"))
    now = WINDOW_S
    next_one = record("%s: refused", 100)
    assert repeats.filter(next_one)
    assert next_one.getMessage() == "100: refused (90 more like it were left out)"
    assert repeats.filter(record("%s: refused", 101))


def test_distinct_facts_are_all_told_and_repetitions_are_not() -> None:
    repeats = Repeats(lambda: 0.0)
    told = 0
    for _ in range(20):
        for number in range(13):
            bad = record("%s is not used", number)
            bad.fact = str(number)
            told += repeats.filter(bad)
    assert told == 13 * REPEATS


def test_what_is_heard_is_always_told() -> None:
    repeats = Repeats(lambda: 0.0)
    assert all(repeats.filter(record("heard %s", "okay_nabu", level=logging.INFO)) for _ in range(100))
