"""A pytest plugin: a test that takes too long fails alone and is named, and the others go on.

pytest-timeout interrupts a test with a signal, once. An event loop swallows what is raised within a callback, and a
``finally`` may hang in turn. So the signal comes again until the test ends, and its teardown has a limit of its own.
Code of a library that never returns to Python is left to ``faulthandler_timeout``, which ends the worker.
"""

import signal
from collections.abc import Generator
from typing import Any

import pytest

AGAIN_S = 1.0
"""Seconds from one interruption of a test to the next."""

SETTINGS = pytest.StashKey[Any]()


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> Generator[None, Any, Any]:
    done = yield
    item.stash[SETTINGS] = settings
    if settings.method == "signal":
        signal.setitimer(signal.ITIMER_REAL, settings.timeout, AGAIN_S)
    return done


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Set the timer again: pytest-timeout has stopped it if the test failed."""
    if settings := item.stash.get(SETTINGS, None):
        item.ihook.pytest_timeout_set_timer(item=item, settings=settings)
