"""Composition of the page's server."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from irene_wyoming.app.front import enabled
from irene_wyoming.app.newsroom import Newsroom
from irene_wyoming.app.page import PageSource
from irene_wyoming.app.publish import warnings_told
from irene_wyoming.app.tuning import Tuner
from irene_wyoming.config.model import Config, WebConfig
from irene_wyoming.errors import ConfigError
from irene_wyoming.home.endpoint import SUPERVISOR_TOKEN_VARIABLE
from irene_wyoming.web.exposition import Exposition, Unready, rendered
from irene_wyoming.web.guard import INGRESS, Guard
from irene_wyoming.web.page import page
from irene_wyoming.web.tokens import read_token

log = logging.getLogger(__name__)


def page_source(config: Config, path: Path | None, environ: Mapping[str, str], folder: Path) -> PageSource:
    """Make the page's state and actions.

    :param path, environ: file and variables of the configuration.
    :param folder: folder of the servers' sockets.
    """
    newsroom = Newsroom(folder, list(enabled(config)))
    return PageSource(newsroom, Tuner(config, path, environ, newsroom))


@asynccontextmanager
async def served_page(
    settings: WebConfig, source: PageSource, unready: Unready, environ: Mapping[str, str]
) -> AsyncIterator[None]:
    """Serve the page while the context lasts. A failure is only a warning."""
    async with AsyncExitStack() as stack:
        stack.enter_context(warnings_told("front"))
        stack.push_async_callback(source.close)
        try:
            token = await asyncio.to_thread(read_token, settings.token_file, "web")
            ingress = INGRESS if SUPERVISOR_TOKEN_VARIABLE in environ else ""
            served = page(
                settings.address, Guard(settings.allow, token, ingress), source, Exposition(unready, rendered)
            )
            where = await stack.enter_async_context(served)
            log.info("web: the page is at http://%s/", where.uri.removeprefix("tcp://"))
        except ConfigError as error:
            log.warning("web: there is no page: %s", error)
        except OSError as error:
            log.warning("web: there is no page, cannot listen on %s: %s", settings.address.uri, error.strerror or error)
        yield
