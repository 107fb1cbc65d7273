"""Ends tasks of an event loop together with the code that started them."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, T], name: str) -> AsyncIterator[asyncio.Task[T]]:
    """Run work while the context lasts; at its end the work is cancelled and awaited."""
    task = asyncio.create_task(work, name=name)
    try:
        yield task
    finally:
        await ended(task)


async def ended(*tasks: asyncio.Future[Any] | None) -> None:
    """Cancel tasks and wait until all have ended. Their exceptions are not raised here."""
    running = [task for task in tasks if task is not None]
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)
