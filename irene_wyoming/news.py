"""News of a server for the page: what happened, how things are, and the actions that it offers.

Like the metrics, it is one object per process that every room may use. It keeps the newest events of each kind. How
things are is computed only on request, so it costs next to nothing while nobody looks.
"""

import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

KEPT = 50
"""Happenings kept of each kind: a screenful."""

MAX_KINDS = 20
"""Most kinds of happenings. The program has some five."""

Happening = Mapping[str, Any]
"""A happening as JSON: ``what`` happened, ``at`` (seconds since the epoch), and facts."""

Look = Callable[[], Mapping[str, Any] | None]
"""Describes how something is now, as JSON; None: it is not worth showing. Quick; called on the event loop."""

Do = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""Performs an action that was asked for at the page; its answer is JSON."""


class News:
    """The news of one process. ``tell`` is for every thread, everything else for the event loop's."""

    def __init__(self) -> None:
        self.watched = False
        """Whether somebody looks."""
        self.doers: dict[str, Do] = {}
        """The actions that can be asked for, by name."""
        self._kept: dict[str, deque[Happening]] = {}
        self._followers: list[Callable[[Happening], None]] = []
        self._looks: dict[int, tuple[str, Look]] = {}
        self._numbers = count()
        self._lock = threading.Lock()

    def tell(self, what: str, /, **facts: Any) -> None:
        """Keep a happening and pass it to the followers."""
        happening = {"what": what, "at": round(time.time(), 3), **facts}
        with self._lock:
            if what not in self._kept and len(self._kept) >= MAX_KINDS:
                return
            self._kept.setdefault(what, deque(maxlen=KEPT)).append(happening)
            followers = list(self._followers)
        for follower in followers:
            follower(happening)

    def kept(self) -> list[Happening]:
        """All kept happenings, the oldest first."""
        with self._lock:
            return sorted((each for kind in self._kept.values() for each in kind), key=lambda each: float(each["at"]))

    @contextmanager
    def followed(self, follower: Callable[[Happening], None]) -> Iterator[None]:
        """Call a follower for each happening while the context lasts, on the thread where it is told."""
        with self._lock:
            self._followers.append(follower)
        self.watched = True
        try:
            yield
        finally:
            with self._lock:
                self._followers.remove(follower)
                self.watched = bool(self._followers)

    @contextmanager
    def shown(self, kind: str, *looks: Look) -> Iterator[None]:
        """Show things of a kind while the context lasts."""
        hides = [self.show(kind, look) for look in looks]
        try:
            yield
        finally:
            for hide in hides:
                hide()

    def show(self, kind: str, look: Look) -> Callable[[], None]:
        """Show a thing; returns a function that ends that."""
        number = next(self._numbers)
        self._looks[number] = kind, look

        def hide() -> None:
            self._looks.pop(number, None)

        return hide

    def pictures(self) -> dict[str, list[Mapping[str, Any]]]:
        """How everything is now, by kind."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        for number, (kind, look) in list(self._looks.items()):
            picture = look()
            if picture is not None:
                found.setdefault(kind, []).append({"id": number, **picture})
        return found


NEWS = News()
"""The news of this process."""
