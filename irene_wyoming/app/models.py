"""Follows model files of wake words that come and go while the server runs."""

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
"""Seconds between two looks, at microseconds per file. With its trial, a new word is offered within 2 s."""


@asynccontextmanager
async def kept_current(engines: Sequence[WakeEngine], changed: Callable[[], None]) -> AsyncIterator[None]:
    """Let engines follow new, changed and removed models; ``changed`` is called on the loop after each change."""
    watched = [engine for engine in engines if isinstance(engine, Watched)]
    async with (
        Worker("wake-models") as worker,  # a thread of its own: a hanging network drive must not hold up the audio
        beside(_look(watched, worker, changed), "look for wake word models"),
    ):
        yield


def refresh(engines: Sequence[Watched]) -> bool:
    """Let all engines look; returns whether one offers other words than before. Slow."""
    return any([engine.refresh() for engine in engines])


async def _look(engines: Sequence[Watched], worker: Worker, changed: Callable[[], None]) -> None:
    while engines:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            if await worker.run(refresh, engines):
                changed()
        except Exception:  # present words stay; this task has nobody to raise to
            log.exception("wake: cannot look for models; trying again")
