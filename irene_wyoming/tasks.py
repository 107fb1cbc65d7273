"""Tasks of an event loop that end with whoever has started them."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, T], name: str) -> AsyncIterator[asyncio.Task[T]]:
    """Have work done while the context lasts. At its end the work is cancelled, and has ended."""
    task = asyncio.create_task(work, name=name)
    try:
        yield task
    finally:
        await ended(task)


async def ended(*tasks: asyncio.Future[Any] | None) -> None:
    """Cancel tasks and wait until all have ended. What one has raised stays with it."""
    running = [task for task in tasks if task is not None]
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)
