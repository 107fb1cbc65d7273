"""Chooses which process takes second looks at wake words."""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from irene_wyoming.app.looks_path import wanted
from irene_wyoming.config.wake import WakeConfig
from irene_wyoming.engines.registry import phrase_scorer
from irene_wyoming.engines.wake.asked import PATH_VARIABLE, AskedRecogniser
from irene_wyoming.engines.wake.recogniser import OwnRecogniser, Recogniser, Scorer
from irene_wyoming.engines.wake.second import SecondLook
from irene_wyoming.errors import AddressUnavailable, EngineError
from irene_wyoming.servers.looks import LIMITS, Looks
from irene_wyoming.servers.service import Service
from irene_wyoming.wire.address import Address

log = logging.getLogger(__name__)

NICE = 5
"""Niceness of the looking thread in the speech-to-text server. On a shared core commands get 3/4 of the time. A look
then takes four times as long, still within its patience.
"""


@asynccontextmanager
async def second_look(settings: WakeConfig, environ: Mapping[str, str]) -> AsyncIterator[SecondLook | None]:
    """Make the second look, if the model is installed. It is loaded when a word first needs it."""
    path = environ.get(PATH_VARIABLE)
    if not wanted(settings):
        recogniser: Recogniser = OwnRecogniser(lambda: phrase_scorer()())  # unused so far; the page may switch it on
    elif path is not None:
        log.info("wake: the speech-to-text server takes second looks at wake words")
        recogniser = AskedRecogniser(path)
    else:
        try:
            load = await asyncio.to_thread(phrase_scorer)
        except EngineError as error:
            words = f" {', '.join(settings.typed)} (wake.typed) cannot be heard." if settings.typed else ""
            log.warning("wake: no second look at wake words: %s.%s", error, words)
            yield None
            return
        recogniser = OwnRecogniser(load)
    second = SecondLook(recogniser)
    try:
        yield second
    finally:
        await second.close()


def behind_commands(load: Callable[[], Scorer]) -> Callable[[], Scorer]:
    """Wrap a loader so that commands go first where its thread shares a core."""

    def loaded() -> Scorer:
        if sys.platform == "linux":  # threads have a niceness of their own
            thread = threading.get_native_id()
            own = os.getpriority(os.PRIO_PROCESS, thread)  # of the process: who started it may have chosen more
            os.setpriority(os.PRIO_PROCESS, thread, max(own, NICE))
        return load()

    return loaded


@asynccontextmanager
async def looks_served(environ: Mapping[str, str]) -> AsyncIterator[None]:
    """Take looks for the wake server while the context lasts, where ``run`` wants it."""
    path = environ.get(PATH_VARIABLE)
    if path is None:
        yield
        return
    try:
        recogniser = OwnRecogniser(behind_commands(await asyncio.to_thread(phrase_scorer)), "asr")
    except EngineError as error:
        log.warning("asr: no second look at wake words: %s", error)
        yield  # the wake server finds no socket and reports it
        return
    async with AsyncExitStack() as stack:
        stack.push_async_callback(recogniser.close)
        service = Service("looks", Address(path=path), LIMITS, Looks(recogniser).serve)
        try:
            await stack.enter_async_context(service)
        except AddressUnavailable as error:
            log.warning("asr: no second look at wake words: %s", error)
        else:
            recogniser.prepare()
        yield
