"""Finds stalls of an event loop and the calls that caused them."""

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
"""Innermost calls that are reported of a stall."""

MACHINERY = ("asyncio/base_events.py", "asyncio/runners.py", "asyncio/events.py", "threading.py")
"""Files that are on every stack; they and all outside of them are left out."""

RESTING = {"wait", "get", "_worker", "select", "accept", "_wait_for_tstate_lock", "join", "_next", "_work"}
"""Functions in which an idle thread waits; a thread that takes up work is there for a moment, too."""

LOOKS = 4
"""Looks within the time of a stall, so that each is seen and timed with little error."""


@dataclass(frozen=True, slots=True)
class Stall:
    seconds: float
    """Seconds for which the loop did not run."""
    calls: tuple[str, ...]
    """The loop's calls during the stall, innermost first: function, file and line. A call that only waits or reads
    waited for Python's lock, which one of ``others`` held.
    """
    others: Mapping[str, tuple[str, ...]]
    """The calls of other busy threads, by the thread's name."""

    def __str__(self) -> str:
        meanwhile = "".join(f"; {name}: {' < '.join(calls)}" for name, calls in self.others.items())
        return f"{self.seconds * 1000:.0f} ms in {' < '.join(self.calls)}{meanwhile}"


class StallWatch:
    """Watches the loop from a thread of its own. For measurements only, since it wakes both up many times a second."""

    def __init__(self, least_s: float) -> None:
        """:param least_s: least seconds of a stall."""
        self.stalls: list[Stall] = []
        self._least_s = least_s
        self._every_s = least_s / LOOKS
        self._loop_thread = threading.get_ident()
        self._went_on = time.monotonic()  # when the loop last ran
        self._over = threading.Event()

    def beat(self) -> None:
        """Take note that the loop runs. Called on its thread."""
        self._went_on = time.monotonic()

    def watch(self) -> None:
        """Watch until ``end``, on another thread."""
        seen: tuple[float, Stall] | None = None  # the stall under way: its start, and its calls
        over = False
        while not over:
            over = self._over.wait(self._every_s)  # one round after the end reports the last stall
            since, now = self._went_on, time.monotonic()
            if seen is not None and seen[0] != since:
                lasted = since - seen[0] - self._every_s  # it usually runs again a beat after its last one
                self.stalls.append(replace(seen[1], seconds=max(self._least_s, lasted)))
                seen = None
            if seen is None and now - since >= self._least_s:
                seen = (since, self._look())

    def end(self) -> None:
        self._over.set()

    def _look(self) -> Stall:
        frames = sys._current_frames()  # noqa: SLF001  # public except for its name
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        others = {
            names.get(ident, str(ident)): innermost(frame)
            for ident, frame in frames.items()
            if ident not in (self._loop_thread, threading.get_ident()) and frame.f_code.co_name not in RESTING
        }
        return Stall(0.0, innermost(frames.get(self._loop_thread)), others)


@asynccontextmanager
async def watched(least_s: float) -> AsyncIterator[Sequence[Stall]]:
    """Collect the stalls of this loop while the context lasts; complete at its end."""
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
    """The innermost calls of a thread."""
    calls: list[traceback.FrameSummary] = []
    for call in traceback.extract_stack(frame) if frame is not None else []:
        if call.filename.endswith(MACHINERY):
            calls.clear()  # outer calls are the same for all
        else:
            calls.append(call)
    return tuple(f"{call.name} ({short(call.filename)}:{call.lineno})" for call in reversed(calls[-FRAMES:]))


def short(path: str) -> str:
    """A file's path from its package on."""
    return re.sub(r".*/(?=irene_wyoming/)|.*/(?:site-packages|lib/python[\d.]+)/", "", path)
