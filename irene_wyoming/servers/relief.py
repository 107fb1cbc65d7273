"""A server that cannot keep up for long, and is not alone, has a part of its clients go on at the others."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

LOOK_S = 10.0
"""Seconds between two looks. An engine that is behind drops audio every few seconds, not all the time."""

LOOKS = 2
"""So many looks in a row have to find it behind: a machine that was busy for a moment keeps its clients."""

AGAIN_S = 60.0
"""Seconds from one relief to the next look: the others need time to show that they carry what has gone to them."""


class Relief:
    """Notes what audio was dropped, and relieves the server while that goes on."""

    def __init__(self, look_s: float = LOOK_S, again_s: float = AGAIN_S) -> None:
        self._look_s = look_s
        self._again_s = again_s
        self._dropped_s = 0.0  # since the last look
        self._behind = 0  # looks in a row that found something dropped

    def dropped(self, seconds: float) -> None:
        """Note that so much audio was never heard."""
        self._dropped_s += seconds

    def look(self) -> bool:
        """Take note of what was dropped since the last look; True: it is time for relief."""
        self._behind = self._behind + 1 if self._dropped_s else 0
        self._dropped_s = 0.0
        return self._behind >= LOOKS

    async def watch(self, name: str, relieve: Callable[[], Awaitable[int]]) -> None:
        """Look for ever.

        :param name: the server's, for the log.
        :param relieve: has some clients go, and returns how many have.
        """
        while True:
            await asyncio.sleep(self._look_s)
            if self.look():
                gone = await relieve()
                log.warning("%s: behind for %g s; %d clients go on at other servers", name, LOOKS * self._look_s, gone)
                await asyncio.sleep(self._again_s)
                self._behind, self._dropped_s = 0, 0.0
