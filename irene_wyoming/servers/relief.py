"""Relief: a server that is behind for long, and has others beside it, sends a part of its clients to them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

LOOK_S = 10.0
"""Seconds between two looks. An engine that is behind drops audio every few seconds, not all the time."""

LOOKS = 2
"""Looks in a row that must find the server behind: one that was busy for a moment keeps its clients."""

AGAIN_S = 60.0
"""Seconds from one relief to the next look: the other servers need time to show that they keep up."""


class Relief:
    """Counts dropped audio, and relieves the server while there is more of it."""

    def __init__(self, look_s: float = LOOK_S, again_s: float = AGAIN_S) -> None:
        self._look_s = look_s
        self._again_s = again_s
        self._dropped_s = 0.0  # since the last look
        self._behind = 0  # looks in a row that found something dropped

    def dropped(self, seconds: float) -> None:
        """Count seconds of audio that were dropped."""
        self._dropped_s += seconds

    def look(self) -> bool:
        """Judge the audio dropped since the last look; True: it is time for relief."""
        self._behind = self._behind + 1 if self._dropped_s else 0
        self._dropped_s = 0.0
        return self._behind >= LOOKS

    async def watch(self, name: str, relieve: Callable[[], Awaitable[int]]) -> None:
        """Look for ever.

        :param name: the server's name, for the log.
        :param relieve: sends some clients away, and returns their number.
        """
        while True:
            await asyncio.sleep(self._look_s)
            if self.look():
                gone = await relieve()
                log.warning("%s: behind for %g s; %d clients go on at other servers", name, LOOKS * self._look_s, gone)
                await asyncio.sleep(self._again_s)
                self._behind, self._dropped_s = 0, 0.0
