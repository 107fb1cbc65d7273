"""All enabled servers, each in a process of its own, and the front before them."""

import logging
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from irene_wyoming.app.front import enabled, front_server
from irene_wyoming.app.lifecycle import stop_signal, told_supervisor
from irene_wyoming.config.model import Config
from irene_wyoming.supervise import Child, Supervisor

log = logging.getLogger(__name__)


def children(config: Config, path: Path | None, *, debug: bool) -> list[Child]:
    """One process per enabled server, started as a user would start it."""
    options = [*(["--config", str(path)] if path else []), *(["--debug"] if debug else [])]
    return [Child(name, [sys.executable, "-m", "irene_wyoming", name, *options]) for name in enabled(config)]


async def run(config: Config, path: Path | None, *, debug: bool) -> int:
    """Keep the servers running until told to stop; returns the exit code.

    :raises ConfigError: no server is enabled.
    :raises AddressUnavailable: the front's address cannot be had.
    """
    stop = stop_signal()
    supervisor = Supervisor(children(config, path, debug=debug), config.supervise)
    async with AsyncExitStack() as stack:
        if config.front.enabled:
            front = await stack.enter_async_context(front_server(config, enabled(config)))
            await stack.enter_async_context(told_supervisor(front.address, os.environ))
        code = await supervisor.run(stop)
    log.info("stopped")
    return code
