"""What a server has to tell whoever looks at the page: what happened, how things are, what it can be asked to do.

Like the metrics, it is one object per process that every room may use. It costs next to nothing while nobody looks:
what happens is kept, the newest of each kind, and how things are is only worked out when it is asked for.
"""

import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

KEPT = 50
"""Of each kind of happening: a screenful."""

MAX_KINDS = 20
"""The program has some five."""

Happening = Mapping[str, Any]
"""As JSON can hold it, with ``what`` happened and ``at``, seconds since the epoch."""

Look = Callable[[], Mapping[str, Any] | None]
"""Says how something is now, as JSON can hold it; None: it is not worth showing. Quick; called on the event loop."""

Do = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""Does what somebody at the page asks for, and answers as JSON can hold it."""


class News:
    """Telling is for every thread, everything else for the event loop's."""

    def __init__(self) -> None:
        self.watched = False
        """Somebody looks."""
        self.doers: dict[str, Do] = {}
        """What can be asked for, by name."""
        self._kept: dict[str, deque[Happening]] = {}
        self._followers: list[Callable[[Happening], None]] = []
        self._looks: dict[int, tuple[str, Look]] = {}
        self._numbers = count()
        self._lock = threading.Lock()

    def tell(self, what: str, /, **facts: Any) -> None:
        """Something has happened."""
        happening = {"what": what, "at": round(time.time(), 3), **facts}
        with self._lock:
            if what not in self._kept and len(self._kept) >= MAX_KINDS:
                return
            self._kept.setdefault(what, deque(maxlen=KEPT)).append(happening)
            followers = list(self._followers)
        for follower in followers:
            follower(happening)

    def kept(self) -> list[Happening]:
        """What has happened, the oldest first."""
        with self._lock:
            return sorted((each for kind in self._kept.values() for each in kind), key=lambda each: float(each["at"]))

    @contextmanager
    def followed(self, follower: Callable[[Happening], None]) -> Iterator[None]:
        """Have a follower called with what happens, on whichever thread, for as long as the context lasts."""
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
        """Let others look at things of a kind for as long as the context lasts."""
        hides = [self.show(kind, look) for look in looks]
        try:
            yield
        finally:
            for hide in hides:
                hide()

    def show(self, kind: str, look: Look) -> Callable[[], None]:
        """Let others look at something; returns what ends that."""
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
"""Of this process."""
