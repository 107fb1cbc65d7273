"""The surroundings of every server: signals, announcement, metrics."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

from irene_wyoming import hardware, heap
from irene_wyoming.app.gpu import GpuMemory
from irene_wyoming.app.publish import published, warnings_told
from irene_wyoming.app.ready import undescribed, unless
from irene_wyoming.app.sampling import sampled
from irene_wyoming.config.model import Config
from irene_wyoming.errors import DiscoveryError
from irene_wyoming.heartbeat import beating
from irene_wyoming.servers.service import Service
from irene_wyoming.tasks import beside
from irene_wyoming.wire.address import Address

log = logging.getLogger(__name__)


T = TypeVar("T")

STOPS = (signal.SIGTERM, signal.SIGINT)


AGAIN_S = 1.0
"""Seconds after the first signal in which others mean the same stop. systemd sends one to every process of a service,
and ``run`` passes its own on to its servers.
"""


class Stop:
    """The state of a stop by SIGTERM, SIGINT or ``POST /drain``."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        """Set when the server is to stop after its conversations."""
        self.at_once = asyncio.Event()
        """Set when it is to stop without waiting for them, after a second signal."""
        self._asked_at = 0.0

    @classmethod
    def by_signals(cls) -> "Stop":
        """Make a Stop that follows the signals. Call it from the main thread."""
        stop = cls()
        loop = asyncio.get_running_loop()
        for number in STOPS:
            loop.add_signal_handler(number, stop.signal)
        return stop

    def ask(self) -> None:
        if not self.asked.is_set():
            self._asked_at = asyncio.get_running_loop().time()
            self.asked.set()

    def signal(self) -> None:
        """Take note of a signal."""
        if self.asked.is_set() and asyncio.get_running_loop().time() - self._asked_at >= AGAIN_S:
            self.at_once.set()
        self.ask()

    async def unless_at_once(self, work: Coroutine[Any, Any, None]) -> None:
        """Run work, but end it at ``at_once``."""
        async with beside(work, "end conversations") as doing, beside(self.at_once.wait(), "hurry") as hurried:
            await asyncio.wait({doing, hurried}, return_when=asyncio.FIRST_COMPLETED)
            if doing.done():
                doing.result()


async def until_stopped(work: Coroutine[Any, Any, T]) -> T | None:
    """Run work; gives its result, or None where SIGTERM or SIGINT has cancelled it.

    Call it from the main thread.
    """
    asked = Stop.by_signals().asked
    async with beside(asked.wait(), "wait to be stopped") as stop, beside(work, "work until stopped") as task:
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    return None if task.cancelled() else task.result()


def deaf() -> None:
    """Ignore further signals while the loop closes. They would be reported as errors, or change the exit code from 0.
    The kernel sends several when a supervisor of several threads was killed.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    for number in STOPS:
        asyncio.get_running_loop().remove_signal_handler(number)  # closing the loop would restore the default handler
        signal.signal(number, signal.SIG_IGN)


def for_hubs(address: Address) -> bool:
    """Whether hubs can connect to this address: they speak neither TLS nor to another machine's sockets."""
    return not address.path and not address.tls


@asynccontextmanager
async def announced(config: Config, service: Service) -> AsyncIterator[None]:
    """Announce the service to hubs while the context lasts, if the configuration wants it."""
    if not config.discovery.zeroconf or not for_hubs(service.address):
        yield
        return
    from irene_wyoming.discovery.zeroconf import Announcement, Announcer, instance_name

    name = instance_name("" if service.name == "front" else service.name, config.discovery.name)
    async with Announcer(Announcement(name, service.address.port, service.address.host)):
        yield


@asynccontextmanager
async def told_supervisor(front: Address, environ: Mapping[str, str]) -> AsyncIterator[None]:
    """Tell Home Assistant's Supervisor the front address, if this is its add-on."""
    from irene_wyoming.discovery.supervisor import TOKEN_VARIABLE, tell_supervisor

    if TOKEN_VARIABLE not in environ or front.path or front.tls:
        yield
        return

    async def tell() -> None:
        try:
            await tell_supervisor(front.port, environ[TOKEN_VARIABLE])
        except DiscoveryError as error:
            log.warning("discovery: %s", error)

    async with beside(tell(), "tell the Supervisor"):
        yield


@asynccontextmanager
async def observed(config: Config, service: Service, stop: Stop, *, supervised: bool = False) -> AsyncIterator[None]:
    """Sample the service's process and serve its metrics while the context lasts.

    :param stop: set by ``POST /drain``, and shown by /readyz.
    :param supervised: whether ``run`` serves the metrics of all servers instead.
    """
    if not config.metrics.enabled:
        yield
        return
    async with AsyncExitStack() as stack:
        gpu = service.name == "asr" and (await asyncio.to_thread(hardware.detect)).gpu  # the one server that may use it
        await stack.enter_async_context(sampled(service.name, [GpuMemory()] if gpu else []))
        if not supervised:
            from irene_wyoming.app.front import reachable  # loads the front, which only ``run`` needs
            from irene_wyoming.web.exposition import exposed  # loads aiohttp: 12 MB that servers under run do not need

            ready = unless(stop.asked, undescribed({service.name: reachable(service.address)}))
            await stack.enter_async_context(exposed(config.metrics, ready, drain=stop.ask))
        yield


async def serve(
    config: Config, name: str, server: AbstractAsyncContextManager[Service], *, supervised: bool = False
) -> None:
    """Run one server until it is told to stop.

    :param name: ``wake``, ``asr`` or ``mic``.
    :param supervised: whether ``run`` has started it and does what is needed once only.
    """
    stop = Stop.by_signals()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(beating())
        stack.enter_context(warnings_told(name))
        await stack.enter_async_context(published(name, os.environ))
        service = await stack.enter_async_context(server)
        await stack.enter_async_context(observed(config, service, stop, supervised=supervised))
        heap.settle()
        async with AsyncExitStack() as announcing:
            # One card in the hub: where there is a front, it stands for all servers.
            if not (supervised and config.front.enabled and for_hubs(config.front.address)):
                await announcing.enter_async_context(announced(config, service))
            await stop.asked.wait()
        await stop.unless_at_once(service.drain())
        if stop.at_once.is_set():
            service.hurry()
    log.info("%s: stopped", name)
    deaf()
