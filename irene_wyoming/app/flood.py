"""Keeps a flood of warnings from filling the log: what is told again and again is counted, and the count is told.

Distinct facts are all told. Two warnings state one fact when they have the same text and the same words in it: another
file, client or reason is another fact, another number of seconds is not.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from irene_wyoming.app.outlet import Outlet

REPEATS = 3
"""How often one fact is told in a window: enough to see that it goes on."""

MOST_FACTS = 100
"""Facts of one kind that are told in a window: a network can make up names without end."""

WINDOW_S = 60.0

MAX_KINDS = 1_000
"""Kinds of warnings that are counted at a time; the program has some hundred."""


@dataclass(slots=True)
class Fact:
    """A warning of which more may come."""

    record: logging.LogRecord
    count: int = 0


@dataclass(slots=True)
class Window:
    """The warnings of one kind within a minute."""

    began: float
    facts: dict[tuple[str, ...], Fact] = field(default_factory=dict)
    others: int = 0
    """Lines about facts beyond the most that are told apart."""


class Repeats(logging.Filter):
    """Lets a fact through a few times a minute and counts the rest. What is no warning is always let through."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """:param clock: seconds, never going back."""
        super().__init__()
        self._clock = clock
        self._windows: dict[tuple[str, str], Window] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        kind = record.name, str(record.msg)
        if kind not in self._windows and len(self._windows) >= MAX_KINDS:
            return True  # told, and not counted: nobody's warning is lost for want of room
        window = self._windows.setdefault(kind, Window(self._clock()))
        words = words_of(record)
        fact = window.facts.get(words)
        if fact is None:
            if len(window.facts) >= MOST_FACTS:
                window.others += 1
                return False
            fact = window.facts[words] = Fact(record)
        fact.count += 1
        return fact.count <= REPEATS

    def over(self, *, every: bool = False) -> Iterator[logging.LogRecord]:
        """What is to be told of windows that are over: how often a fact was left out.

        :param every: also of windows that are not.
        """
        now = self._clock()
        for kind, window in list(self._windows.items()):
            if not every and now - window.began < WINDOW_S:
                continue
            del self._windows[kind]
            for fact in window.facts.values():
                if fact.count > REPEATS:
                    yield again(fact.record, f"{fact.count - REPEATS} times more: {fact.record.getMessage()}")
            if window.others:
                first = next(iter(window.facts.values())).record
                yield again(
                    first, f"{window.others} other warnings were left out that begin like: {first.getMessage()}"
                )


class GuardedHandler(logging.StreamHandler):  # type: ignore[type-arg]  # generic only in the stubs
    """Writes records as its base does; and when a window is over, or at the end, what its guard has counted."""

    def __init__(self, stream: object, repeats: Repeats) -> None:
        super().__init__(stream)
        self._repeats = repeats

    def handle(self, record: logging.LogRecord) -> bool:
        self.acquire()
        try:
            for counted in self._repeats.over():
                self._write(counted)
            return self._repeats.filter(record) and bool(super().handle(record))
        finally:
            self.release()

    def close(self) -> None:
        for counted in self._repeats.over(every=True):
            self._write(counted)
        if isinstance(self.stream, Outlet):
            self.stream.close()
        super().close()

    def _write(self, counted: logging.LogRecord) -> None:
        if self.filter(counted):
            self.emit(counted)


def words_of(record: logging.LogRecord) -> tuple[str, ...]:
    """What tells one fact from another of its kind: everything in it that is no number."""
    values = record.args.values() if isinstance(record.args, dict) else record.args or ()
    return tuple(str(value) for value in values if not isinstance(value, int | float))


def again(record: logging.LogRecord, text: str) -> logging.LogRecord:
    """A new record of the same place and level."""
    return logging.LogRecord(record.name, record.levelno, record.pathname, record.lineno, text, None, None)
