"""Shows the names of a home on the page."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from irene_wyoming.app.asked import NAMES, RELOAD_NAMES
from irene_wyoming.app.names import described
from irene_wyoming.config.model import Config
from irene_wyoming.home.watch import Home
from irene_wyoming.news import NEWS


@contextmanager
def shown_home(config: Config, home: Home) -> Iterator[None]:
    """Let the page show the names, and read them again, while the context lasts."""

    def look() -> Mapping[str, Any]:
        things = home.things
        return {
            "version": things.version,
            "counted": things.counted(),
            "read_at": round(things.read_at),
            "trouble": home.trouble,
            "left_out": things.left_out,
        }

    async def tell(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        found = await asyncio.to_thread(described, config, home.things, "", home.trouble)
        return {"names": [asdict(name) for name in found.names[: int(asked["most"])]], "of": len(found.names)}

    async def reload(_: Mapping[str, Any]) -> Mapping[str, Any]:
        home.reload()
        return {}

    NEWS.doers |= {NAMES: tell, RELOAD_NAMES: reload}
    try:
        with NEWS.shown(NAMES, look):
            yield
    finally:
        del NEWS.doers[NAMES], NEWS.doers[RELOAD_NAMES]
