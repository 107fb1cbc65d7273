"""Keeps a flood of warnings from filling the log: repeated ones are counted, and the count is logged.

Distinct facts are all logged. Two warnings state one fact when they have the same text and the same words in it.
Another file, client or reason is another fact; another number of seconds is not.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from irene_wyoming.app.outlet import Outlet

REPEATS = 3
"""Times that one fact is logged per window: enough to see that it goes on."""

MOST_FACTS = 100
"""Facts of one kind that are logged per window: a network can make up names without end."""

WINDOW_S = 60.0

MAX_KINDS = 1_000
"""Kinds of warnings that are counted at a time. The program has some hundred."""


@dataclass(slots=True)
class Fact:
    """A warning that may be repeated."""

    record: logging.LogRecord
    count: int = 0


@dataclass(slots=True)
class Window:
    """The warnings of one kind within a minute."""

    began: float
    facts: dict[tuple[str, ...], Fact] = field(default_factory=dict)
    others: int = 0
    """Lines about facts beyond MOST_FACTS."""


class Repeats(logging.Filter):
    """Lets a fact through a few times a minute and counts the rest. Records below warnings always pass."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """:param clock: monotonic seconds."""
        super().__init__()
        self._clock = clock
        self._windows: dict[tuple[str, str], Window] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        kind = record.name, str(record.msg)
        if kind not in self._windows and len(self._windows) >= MAX_KINDS:
            return True  # logged without being counted, so that no warning is lost for lack of room
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
        """Records about windows that are over: how often each fact was left out.

        :param every: also for windows that are not over.
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
    """Writes records as its base does, and its guard's counts when a window is over, and at the end."""

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
    """The values that distinguish facts of one kind: all that are no numbers."""
    values = record.args.values() if isinstance(record.args, dict) else record.args or ()
    return tuple(str(value) for value in values if not isinstance(value, int | float))


def again(record: logging.LogRecord, text: str) -> logging.LogRecord:
    """A new record of the same place and level."""
    return logging.LogRecord(record.name, record.levelno, record.pathname, record.lineno, text, None, None)
