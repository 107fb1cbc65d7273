"""Checks which servers can be used now."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe

DESCRIBE_TIMEOUT_S = 1.0
"""Seconds for a server to describe itself before it counts as not ready, as much as a hub gives it."""


def unless(draining: asyncio.Event, unready: Callable[[], Awaitable[list[str]]]) -> Callable[[], Awaitable[list[str]]]:
    """List what is not ready. Once ``draining`` is set, that is this program, whose clients belong elsewhere."""

    async def told() -> list[str]:
        return ["draining"] if draining.is_set() else await unready()

    return told


def undescribed(servers: Mapping[str, Address]) -> Callable[[], Awaitable[list[str]]]:
    """Make a check that lists, a line each, which of these servers do not describe themselves."""

    async def ask(name: str, address: Address) -> str | None:
        try:
            await describe(address, DESCRIBE_TIMEOUT_S)
        except ServerUnavailable as error:
            return f"{name}: {error}"
        return None

    async def unready() -> list[str]:
        problems = await asyncio.gather(*(ask(name, address) for name, address in servers.items()))
        return [problem for problem in problems if problem is not None]

    return unready
