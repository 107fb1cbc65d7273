"""Keeps the names of a home current: connected in the background, for as long as a server runs."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from irene_wyoming.errors import HomeRefused, HomeUnavailable
from irene_wyoming.home import kept
from irene_wyoming.home.ask import ask
from irene_wyoming.home.client import PATIENT, Conversation, Patience, conversation
from irene_wyoming.home.endpoint import Endpoint
from irene_wyoming.home.read import read
from irene_wyoming.home.things import NOTHING, Things
from irene_wyoming.tasks import beside

log = logging.getLogger(__name__)

EVENTS = (
    "area_registry_updated",
    "floor_registry_updated",
    "device_registry_updated",
    "entity_registry_updated",
    "automation_reloaded",
    "homeassistant_started",
)
"""Events of Home Assistant after which a name may have changed; not every version has all."""

EVERY_S = 300.0
"""Most seconds between two readings: no event may tell that other entities are exposed."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Delays in seconds."""

    settle_s: float = 0.5
    """Seconds between an event and the reading: changes come in groups, and names are set after the event."""
    every_s: float = EVERY_S
    starting_s: float = 5.0
    """Seconds between readings while Home Assistant is starting, instead of ``every_s``."""
    retry_s: float = 2.0
    """Seconds after a failed connection; doubled each time up to ``retry_max_s``."""
    retry_max_s: float = 60.0
    refused_s: float = 300.0
    """Seconds after a refused token. Home Assistant may ban an address that shows wrong tokens too often."""
    patience: Patience = PATIENT


class Home:
    """The names of one home, kept current. ``things`` has the latest and never waits."""

    def __init__(self, endpoint: Endpoint, file: Path | None, timing: Timing = Timing()) -> None:  # frozen
        """:param file: file that keeps the last good list; None: none is kept."""
        self.things = NOTHING
        """The known names; empty before the first list."""
        self.trouble = "not connected yet"
        """Why the names are not current; empty: they are."""
        self.on_change: list[Callable[[Things], None]] = []
        """Called on the event loop with each list that differs from the one before."""
        self._endpoint = endpoint
        self._file = file
        self._timing = timing
        self._said = ""  # the last problem that was logged
        self._wanted = asyncio.Event()  # set when somebody wants the names read now

    def reload(self) -> None:
        """Ask for the names to be read again soon."""
        self._wanted.set()

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Keep the names current while the context lasts. It starts with the kept list, if there is one."""
        await self._recall()
        async with beside(self._run(), "names of the home"):
            yield

    async def _recall(self) -> None:
        if self._file is None:
            return
        try:
            found = await asyncio.to_thread(kept.load, self._file)
        except HomeUnavailable as error:
            log.warning("home: %s; it is replaced when Home Assistant answers", error)
            return
        if found is not None:
            self.things = found
            log.info("home: %s are known from the last list", found.counted())

    async def _run(self) -> None:
        delay_s = self._timing.retry_s
        while True:
            try:
                async with conversation(self._endpoint, self._timing.patience) as home:
                    await self._follow(home)
            except HomeRefused as refused:
                self._note(str(refused))
                await self._pause(self._timing.refused_s)
                continue
            except HomeUnavailable as error:
                if self.trouble:
                    self._note(str(error))
                else:  # the connection worked until now: a failure that the next attempt mends is not worth a line
                    delay_s = self._timing.retry_s
                    self.trouble = str(error)
            await self._pause(delay_s)
            delay_s = min(2 * delay_s, self._timing.retry_max_s)

    async def _follow(self, home: Conversation) -> None:
        """Read the names now and whenever they may have changed.

        :raises HomeUnavailable: the connection has ended.
        """
        for event in EVENTS:
            await subscribe(home, event)
        while True:
            found = await look(home, self.things)
            await self._take(found)
            if await self._change(home, self._timing.starting_s if found.starting else self._timing.every_s):
                await asyncio.sleep(self._timing.settle_s)

    async def _change(self, home: Conversation, within_s: float) -> bool:
        """Wait until names may have changed; False: the time is over without an event."""
        async with (
            beside(home.changed(), "changes at home") as told,
            beside(self._wanted.wait(), "names are wanted") as wanted,
        ):
            await asyncio.wait({told, wanted}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
            if told.done():
                told.result()  # raises where the connection has ended
            self._wanted.clear()
            return told.done()

    async def _take(self, found: Things) -> None:
        if found.starting and len(found.names) < len(self.things.names):
            return  # the kept list is the better one
        first, news = bool(self.trouble), not found.same_names(self.things)
        before = self.things.left_out
        self.things, self.trouble, self._said = found, "", ""
        if first:
            log.info("home: Home Assistant %s has %s", found.version, found.counted())
        elif news:
            log.info("home: the names have changed: %s", found.counted())
        for line in found.left_out:
            if first or line not in before:
                log.warning("home: %s", line)
        if news:
            await self._keep(found)
        if news:
            for tell in self.on_change:
                tell(found)

    async def _keep(self, found: Things) -> None:
        if self._file is None:
            return
        try:
            await asyncio.to_thread(kept.save, self._file, found)
        except OSError as error:
            log.warning("home: the names cannot be kept in %s: %s", self._file, error.strerror)

    def _note(self, trouble: str) -> None:
        """Log why the names are not current, once for each reason."""
        self.trouble = trouble
        if trouble != self._said:
            self._said = trouble
            known = (
                f"the names known before are used: {self.things.counted()}"
                if self.things.names
                else "no names are known"
            )
            log.warning("home: %s; %s", trouble, known)

    async def _pause(self, seconds: float) -> None:
        """Wait before the next attempt, or until ``reload`` asks for it."""
        try:
            async with asyncio.timeout(seconds):
                await self._wanted.wait()
        except TimeoutError:
            return
        self._wanted.clear()


async def subscribe(home: Conversation, event: str) -> None:
    """Subscribe to an event. A refusal is ignored, since names are read every few minutes anyway."""
    try:
        await home.call("subscribe_events", event_type=event)
    except HomeRefused as refused:
        log.debug("home: %s", refused)


async def look(home: Conversation, before: Things = NOTHING) -> Things:
    """Read the present names; kinds that Home Assistant does not give stay as they were.

    :raises HomeUnavailable: the answers do not come.
    """
    answers = await ask(home)
    return await asyncio.to_thread(read, answers, before, time.time())


async def look_once(endpoint: Endpoint) -> Things:
    """Read the present names over a connection made for this.

    :raises HomeUnavailable: Home Assistant cannot be asked.
    """
    async with conversation(endpoint) as home:
        return await look(home)
