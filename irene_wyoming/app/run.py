"""Composition of all enabled servers, each in its own process, and the front before them."""

import asyncio
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from irene_wyoming import hardware, heap
from irene_wyoming.app.front import enabled, front_server, reachable
from irene_wyoming.app.lifecycle import Stop, announced, deaf, told_supervisor
from irene_wyoming.app.looks_path import shared_path
from irene_wyoming.app.page import PageSource
from irene_wyoming.app.page_server import page_source, served_page
from irene_wyoming.app.publish import FOLDER_VARIABLE
from irene_wyoming.app.ready import undescribed, unless
from irene_wyoming.app.sampling import sampled
from irene_wyoming.app.shared_metrics import SharedFigures, default_place
from irene_wyoming.config.model import Config
from irene_wyoming.engines.wake.asked import PATH_VARIABLE
from irene_wyoming.metrics import PROCESS_VARIABLE, RESTARTS
from irene_wyoming.supervise import Child, Supervisor
from irene_wyoming.web.exposition import exposed

log = logging.getLogger(__name__)

FIRST_START_S = 30.0
"""Seconds for the servers to load their models before hubs may see the front without them; 4 s on a PC."""


def children(config: Config, path: Path | None, *, debug: bool, folder: Path | None = None) -> list[Child]:
    """The processes to run: one per enabled server, started as a user would start it.

    :param folder: folder of the sockets between them; None: there are none.
    """
    shared = {}
    if folder is not None and config.web.enabled:
        shared[FOLDER_VARIABLE] = str(folder)
    if folder is not None and (looks := shared_path(config, folder)) is not None:
        shared[PATH_VARIABLE] = str(looks)
    options = [*(["--config", str(path)] if path else []), *(["--debug"] if debug else [])]
    return [
        Child(name, [sys.executable, "-m", "irene_wyoming", name, *options], {PROCESS_VARIABLE: name, **shared})
        for name in enabled(config)
    ]


@contextmanager
def socket_folder() -> Iterator[Path | None]:
    """Make the folder of the sockets between the servers; None: there is no room for it."""
    try:
        found = tempfile.TemporaryDirectory(prefix="irene-wyoming-sockets-", dir=default_place())  # for this user alone
    except OSError as error:
        log.warning("there is no page, and each server loads its own models: no folder can be made: %s", error.strerror)
        yield None
        return
    with found as name:
        yield Path(name)


async def run(
    config: Config,
    path: Path | None,
    *,
    debug: bool,
    figures: SharedFigures | None = None,
    folder: Path | None = None,
) -> int:
    """Keep the servers running until told to stop; returns the exit code.

    :param figures: shared metrics of the servers; None: they are not shared.
    :param folder: folder of the sockets between the servers; None: there is no page either.
    :raises ConfigError: no server is enabled.
    :raises AddressUnavailable: the front's address cannot be used.
    """
    shown = None if folder is None or not config.web.enabled else page_source(config, path, os.environ, folder)

    async def died(name: str) -> None:
        RESTARTS.labels(name).inc()
        if shown is not None:
            shown.restarted(name)
        if figures is not None:
            await asyncio.to_thread(figures.forget_state, name)

    log.info("hardware: %s: %s", config.hardware, await asyncio.to_thread(hardware.detect))
    stop = Stop.by_signals()
    supervisor = Supervisor(children(config, path, debug=debug, folder=folder), config.supervise, died=died)
    running = asyncio.create_task(supervisor.run(stop.asked), name="supervise")
    front = asyncio.create_task(keep_front(config, stop, shown), name="front")
    hurried = asyncio.create_task(hurry(stop, supervisor), name="asked to stop at once")
    try:
        await asyncio.wait([running, front], return_when=asyncio.FIRST_COMPLETED)
        if front.done() and not stop.asked.is_set():
            front.result()  # it only ends by an error
        return await running
    finally:
        stop.ask()
        front.cancel()
        hurried.cancel()
        await asyncio.wait([running, front, hurried])
        log.info("stopped")
        deaf()


async def hurry(stop: Stop, supervisor: Supervisor) -> None:
    """Pass a second signal on to the servers."""
    await stop.at_once.wait()
    supervisor.hurry()


async def keep_front(config: Config, stop: Stop, shown: PageSource | None = None) -> None:
    """Serve the front, its announcement, metrics, health and the page. After a stop it takes no new clients while the
    servers finish their conversations.

    :param shown: the page's state and actions; None: there is no page.
    :raises AddressUnavailable: the address cannot be used.
    """
    async with AsyncExitStack() as stack:
        described = undescribed({name: reachable(address) for name, address in enabled(config).items()})
        ready = unless(stop.asked, described)
        if config.metrics.enabled:
            await stack.enter_async_context(sampled("front"))
            await stack.enter_async_context(exposed(config.metrics, ready, drain=stop.ask))
        if shown is not None:
            await stack.enter_async_context(served_page(config.web, shown, ready, os.environ))
        front = None
        async with AsyncExitStack() as announcing:
            if config.front.enabled:
                front = await stack.enter_async_context(front_server(config, enabled(config), FIRST_START_S))
                await announcing.enter_async_context(told_supervisor(front.address, os.environ))
                await announcing.enter_async_context(announced(config, front))
            heap.settle()
            await stop.asked.wait()
        if front is not None:
            await stop.unless_at_once(front.drain())
            if stop.at_once.is_set():
                front.hurry()
        await asyncio.Event().wait()  # health is served until the last server has ended
