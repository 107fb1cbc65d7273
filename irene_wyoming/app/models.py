"""Wake words that come and go with their files while the server runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from irene_wyoming.engines.base import WakeEngine
from irene_wyoming.engines.wake.watched import Watched
from irene_wyoming.engines.worker import Worker
from irene_wyoming.tasks import beside

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
"""Looking costs a few microseconds per file. With the trial in a child process, a new word is offered within 2 s."""


@asynccontextmanager
async def kept_current(engines: Sequence[WakeEngine], changed: Callable[[], None]) -> AsyncIterator[None]:
    """Have engines look for new, other and removed models; ``changed`` is called on the loop after each change."""
    watched = [engine for engine in engines if isinstance(engine, Watched)]
    async with (
        Worker("wake-models") as worker,  # of its own: a network drive that hangs must not hold up the audio
        beside(_look(watched, worker, changed), "look for wake word models"),
    ):
        yield


def refresh(engines: Sequence[Watched]) -> bool:
    """Have all of them look; whether one offers something else than before. Slow."""
    return any([engine.refresh() for engine in engines])


async def _look(engines: Sequence[Watched], worker: Worker, changed: Callable[[], None]) -> None:
    while engines:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            if await worker.run(refresh, engines):
                changed()
        except Exception:  # the words that are there stay; nobody awaits this task who could be told
            log.exception("wake: cannot look for models; trying again")
