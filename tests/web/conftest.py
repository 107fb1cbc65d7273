"""One browser for all tests of the page."""

from collections.abc import AsyncIterator, Iterator
from importlib.resources import files
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from irene_wyoming.web import live, page
from tests.web.browser import CHROMIUM, browser

SPOKEN = Path(str(files("irene_wyoming") / "demo" / "turn_on_the_kitchen_light.wav"))
"""Audio that the browser's microphone hears, from the moment when a page opens it."""


expect.set_options(timeout=60_000)  # milliseconds: a small machine may be busy with other tests


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser | None]:
    """Run a browser with a made-up microphone."""
    if CHROMIUM is None:
        yield None
        return
    fake = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={SPOKEN}%noloop",
    )
    async with browser(*fake) as started:
        yield started


@pytest.fixture
def quick() -> Iterator[None]:
    """Send updates of made-up servers at once, and refuse a wrong token at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "EVERY_S", 0.02)
        patch.setattr(page, "WRONG_TOKEN_S", 0.02)
        yield
