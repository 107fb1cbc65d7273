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
from irene_wyoming.home.client import Conversation, conversation
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
"""What Home Assistant tells when a name may have changed; not every year has every one."""

EVERY_S = 300.0
"""Names are read at least so often: which entities are exposed is not always told by an event."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How soon things happen, seconds."""

    settle_s: float = 0.5
    """After an event: changes come in groups, and an entity gets its new name a moment after its event."""
    every_s: float = EVERY_S
    starting_s: float = 5.0
    """Instead of ``every_s`` while Home Assistant is starting."""
    retry_s: float = 2.0
    """After a connection that failed; doubled each time up to ``retry_max_s``."""
    retry_max_s: float = 60.0
    refused_s: float = 300.0
    """After a refused token. Home Assistant bans an address that shows wrong tokens too often, where it is set so."""


class Home:
    """The names of one home. ``things`` is what is known now, and never waits."""

    def __init__(self, endpoint: Endpoint, file: Path | None, timing: Timing = Timing()) -> None:  # frozen
        """:param file: where the last good list is kept; None: nowhere."""
        self.things = NOTHING
        """What is known; empty until somebody has told."""
        self.trouble = "not connected yet"
        """Why the names are not current; empty: they are."""
        self.on_change: list[Callable[[Things], None]] = []
        """Called on the event loop with each list that differs from the one before."""
        self._endpoint = endpoint
        self._file = file
        self._timing = timing
        self._said = ""  # the last trouble that was logged
        self._wanted = asyncio.Event()  # somebody wants the names read now

    def reload(self) -> None:
        """Read the names again soon."""
        self._wanted.set()

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Keep the names current for as long as the context lasts. Enters with those of the last time, if there are."""
        await self._recall()
        async with beside(self._run(), "names of the home"):
            yield

    async def _recall(self) -> None:
        if self._file is None:
            return
        try:
            found = await asyncio.to_thread(kept.load, self._file)
        except HomeUnavailable as error:
            log.warning("home: %s; it is written anew when Home Assistant answers", error)
            return
        if found is not None:
            self.things = found
            log.info("home: %s are known from the last time", found.counted())

    async def _run(self) -> None:
        delay_s = self._timing.retry_s
        while True:
            try:
                async with conversation(self._endpoint) as home:
                    await self._follow(home)
            except HomeRefused as refused:
                self._note(str(refused))
                await self._pause(self._timing.refused_s)
                continue
            except HomeUnavailable as error:
                if self.trouble:
                    self._note(str(error))
                else:  # it was well until now: what comes back at the next attempt is not worth a line
                    delay_s = self._timing.retry_s
                    self.trouble = str(error)
            await self._pause(delay_s)
            delay_s = min(2 * delay_s, self._timing.retry_max_s)

    async def _follow(self, home: Conversation) -> None:
        """Read the names, and again whenever they may have changed.

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
        """Wait until names may have changed; False: nobody says so, but it is time to look."""
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
            return  # the list of the last time is the better one
        first, news = bool(self.trouble), not found.same_names(self.things)
        before = self.things.left_out
        self.things, self.trouble, self._said = found, "", ""
        if first:
            log.info("home: Home Assistant %s tells %s", found.version, found.counted())
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
        """Say why the names are not current, once for each reason."""
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
        """Wait before the next attempt, or until somebody asks for it."""
        try:
            async with asyncio.timeout(seconds):
                await self._wanted.wait()
        except TimeoutError:
            return
        self._wanted.clear()


async def subscribe(home: Conversation, event: str) -> None:
    """Ask for an event. Refused ones are gone without: names are read every few minutes in any case."""
    try:
        await home.call("subscribe_events", event_type=event)
    except HomeRefused as refused:
        log.debug("home: %s", refused)


async def look(home: Conversation, before: Things = NOTHING) -> Things:
    """The names as they are now; what is not told stays as it was before.

    :raises HomeUnavailable: the answers do not come.
    """
    answers = await ask(home)
    return await asyncio.to_thread(read, answers, before, time.time())


async def look_once(endpoint: Endpoint) -> Things:
    """The names as they are now, over a connection of its own.

    :raises HomeUnavailable: Home Assistant cannot be asked.
    """
    async with conversation(endpoint) as home:
        return await look(home)
