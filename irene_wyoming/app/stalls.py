"""Stalls: what keeps an event loop from going on, by name."""

import asyncio
import re
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import FrameType

from irene_wyoming.tasks import beside

FRAMES = 4
"""Innermost calls that are told of a stall."""

MACHINERY = ("asyncio/base_events.py", "asyncio/runners.py", "asyncio/events.py", "threading.py")
"""Files that are on every stack, and everything outside of them."""

RESTING = {"wait", "get", "_worker", "select", "accept", "_wait_for_tstate_lock", "join", "_next", "_work"}
"""Functions in which a thread that has nothing to do is; it would be there, too, in the moment of taking up work."""

LOOKS = 4
"""In the time that makes a stall: each is seen, and told with little error."""


@dataclass(frozen=True, slots=True)
class Stall:
    seconds: float
    """For which the loop could not go on."""
    calls: tuple[str, ...]
    """Where it was in the midst of it, innermost first: function, file and line. Where that only waits or reads, it
    waited for Python's lock, and one of the others had it."""
    others: Mapping[str, tuple[str, ...]]
    """Likewise, of other threads that were at work, by name."""

    def __str__(self) -> str:
        meanwhile = "".join(f"; {name}: {' < '.join(calls)}" for name, calls in self.others.items())
        return f"{self.seconds * 1000:.0f} ms in {' < '.join(self.calls)}{meanwhile}"


class StallWatch:
    """Watches the loop from a thread of its own. For measurements: it wakes both up many times a second."""

    def __init__(self, least_s: float) -> None:
        """:param least_s: what counts as a stall."""
        self.stalls: list[Stall] = []
        self._least_s = least_s
        self._every_s = least_s / LOOKS
        self._loop_thread = threading.get_ident()
        self._went_on = time.monotonic()  # when the loop did so last
        self._over = threading.Event()

    def beat(self) -> None:
        """The loop goes on. Called on its thread."""
        self._went_on = time.monotonic()

    def watch(self) -> None:
        """Until ``end``. On another thread."""
        seen: tuple[float, Stall] | None = None  # the stall under way: since when, and what was seen of it
        over = False
        while not over:
            over = self._over.wait(self._every_s)  # a last round tells of the stall just before the end
            since, now = self._went_on, time.monotonic()
            if seen is not None and seen[0] != since:
                lasted = since - seen[0] - self._every_s  # it went on a beat after the last one, as a rule
                self.stalls.append(replace(seen[1], seconds=max(self._least_s, lasted)))
                seen = None
            if seen is None and now - since >= self._least_s:
                seen = (since, self._look())

    def end(self) -> None:
        self._over.set()

    def _look(self) -> Stall:
        frames = sys._current_frames()  # noqa: SLF001  # public but for its name
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        others = {
            names.get(ident, str(ident)): innermost(frame)
            for ident, frame in frames.items()
            if ident not in (self._loop_thread, threading.get_ident()) and frame.f_code.co_name not in RESTING
        }
        return Stall(0.0, innermost(frames.get(self._loop_thread)), others)


@asynccontextmanager
async def watched(least_s: float) -> AsyncIterator[Sequence[Stall]]:
    """The stalls of this loop while the context lasts, complete at its end."""
    watch = StallWatch(least_s)

    async def beating() -> None:
        while True:
            watch.beat()
            await asyncio.sleep(least_s / LOOKS)

    thread = threading.Thread(target=watch.watch, name="stalls")
    thread.start()
    try:
        async with beside(beating(), "stalls"):
            yield watch.stalls
    finally:
        watch.beat()
        watch.end()
        await asyncio.to_thread(thread.join)


def innermost(frame: FrameType | None) -> tuple[str, ...]:
    """Where a thread is."""
    calls: list[traceback.FrameSummary] = []
    for call in traceback.extract_stack(frame) if frame is not None else []:
        if call.filename.endswith(MACHINERY):
            calls.clear()  # what is outside of it is the same for all
        else:
            calls.append(call)
    return tuple(f"{call.name} ({short(call.filename)}:{call.lineno})" for call in reversed(calls[-FRAMES:]))


def short(path: str) -> str:
    """A file as a reader knows it: from its package on."""
    return re.sub(r".*/(?=irene_wyoming/)|.*/(?:site-packages|lib/python[\d.]+)/", "", path)
