"""Repeated log lines are counted; distinct facts are all logged."""

import io
import logging

from irene_wyoming.app import flood
from irene_wyoming.app.flood import MAX_KINDS, MOST_FACTS, REPEATS, WINDOW_S, GuardedHandler, Repeats


def record(text: str, *values: object, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord("irene_wyoming.test", level, __file__, 1, text, values, None)


def test_one_fact_is_told_some_times_a_minute_and_the_rest_counted() -> None:
    now = 0.0
    repeats = Repeats(lambda: now)
    told = [repeats.filter(record("%s: %.1f s of audio dropped", "kitchen", number)) for number in range(100)]
    assert sum(told) == REPEATS
    assert list(repeats.over()) == []
    now = WINDOW_S
    (counted,) = repeats.over()
    assert counted.getMessage() == f"{100 - REPEATS} times more: kitchen: 0.0 s of audio dropped"
    assert counted.levelno == logging.WARNING
    assert repeats.filter(record("%s: %.1f s of audio dropped", "kitchen", 1.0))
    assert [each.getMessage() for each in repeats.over(every=True)] == []


def test_distinct_facts_are_all_told_and_repetitions_are_not() -> None:
    repeats = Repeats(lambda: 0.0)
    told = [repeats.filter(record("%s is not used", f"{number}.tflite")) for _ in range(20) for number in range(13)]
    assert sum(told) == 13 * REPEATS
    assert all(repeats.filter(record("%s refused: %s", "192.168.1.5", why)) for why in ("one", "another"))
    assert all(repeats.filter(record(f"text {number}")) for number in range(50))


def test_names_that_somebody_makes_up_without_end_are_bounded_and_counted() -> None:
    repeats = Repeats(lambda: 0.0)
    told = [repeats.filter(record("%s refused", f"stranger {number}")) for number in range(1_000)]
    assert sum(told) == MOST_FACTS
    (counted,) = repeats.over(every=True)
    assert counted.getMessage().startswith(f"{1_000 - MOST_FACTS} other warnings were left out that begin like: ")
    assert all(repeats.filter(record(f"kind {number}")) for number in range(MAX_KINDS + 10))


def test_what_is_heard_is_always_told() -> None:
    repeats = Repeats(lambda: 0.0)
    assert all(repeats.filter(record("heard %s", "okay_nabu", level=logging.INFO)) for _ in range(100))


def test_counts_are_told_when_something_else_is_or_at_the_end() -> None:
    now = 0.0
    stream = io.StringIO()
    handler = GuardedHandler(stream, Repeats(lambda: now))
    for _ in range(10):
        handler.handle(record("no answer from %s", "100 %"))
    now = WINDOW_S
    handler.handle(record("heard", level=logging.INFO))
    for _ in range(5):
        handler.handle(record("again"))
    handler.close()
    lines = stream.getvalue().splitlines()
    assert lines == [
        *["no answer from 100 %"] * REPEATS,
        f"{10 - REPEATS} times more: no answer from 100 %",
        "heard",
        *["again"] * REPEATS,
        f"{5 - REPEATS} times more: again",
    ]
    assert flood.words_of(record("%(a)s %(b)d", {"a": "x", "b": 1})) == ("x",)
