"""The doctor's examination of Home Assistant: its names, its knowledge of these servers, its clock."""

import asyncio
import os
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from irene_wyoming.app.home import where
from irene_wyoming.app.links import Link, broken, doubtful, good
from irene_wyoming.app.names import Report, report
from irene_wyoming.config.model import Config
from irene_wyoming.errors import ConfigError, HomeUnavailable
from irene_wyoming.home.client import conversation
from irene_wyoming.home.endpoint import Endpoint

CLOCK_TOLERANCE_S = 30.0
"""Seconds of difference between clocks that make logs hard to compare; tokens and certificates tolerate more."""

TIMEOUT_S = 10.0

LOADED = "loaded"


async def of_hub(config: Config) -> list[Link]:
    """Examine all that Home Assistant can tell."""
    links = list(of_names(await report(config, os.environ)))
    try:
        endpoint = await asyncio.to_thread(where, config, os.environ)
    except ConfigError:
        return links  # of_names has reported it
    if endpoint is None or links[0].level != "ok":
        return links
    return [*links, await of_integration(endpoint), await of_clock(endpoint, time.time)]


def of_names(found: Report) -> Iterator[Link]:
    if found.trouble:
        yield broken(
            "names", found.trouble, "see to home.url and the token in home.token_file; is Home Assistant running?"
        )
    elif not found.asked:
        cure = "set home.url and home.token_file, so that the names of your home are understood"
        yield doubtful("names", "Home Assistant is not asked for names", cure)
    elif found.unsayable:
        told = "; ".join(f"{name.written} {name.why}" for name in found.unsayable[:3])
        cure = "give these things an alias that people can say; `irene-wyoming names` lists all"
        yield doubtful("names", f"{len(found.unsayable)} cannot be said: {told}", cure)
    else:
        yield good("names", f"Home Assistant {found.told.version} has {found.told.counted()}")


async def of_integration(endpoint: Endpoint) -> Link:
    """Examine whether the hub has a Wyoming server set up, and could connect to it."""
    name = "hub's view"
    try:
        async with conversation(endpoint) as home:
            entries = await home.call("config_entries/get", domain="wyoming")
    except HomeUnavailable as error:
        return doubtful(
            name, f"it is not told: {error}", "look in Home Assistant: Settings, Devices & services, Wyoming Protocol"
        )
    found = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    if not found:
        cure = "add it: Settings, Devices & services, Wyoming Protocol, then this machine's address and port 10700"
        return broken(name, "Home Assistant knows no Wyoming server", cure)
    bad = [entry for entry in found if entry.get("state") != LOADED]
    if bad:
        told = "; ".join(state_of(entry) for entry in bad)
        return broken(
            name,
            told,
            "reload the entry there; if it stays so, its host or port has changed: remove it and add it again",
        )
    return good(name, f"Home Assistant has loaded {', '.join(str(entry.get('title')) for entry in found)}")


def state_of(entry: Mapping[str, Any]) -> str:
    reason = f": {entry['reason']}" if entry.get("reason") else ""
    return f"{entry.get('title')} is in state {entry.get('state')}{reason}"


async def of_clock(endpoint: Endpoint, clock: Any) -> Link:
    """Compare the hub's clock with this machine's.

    :param clock: the hub's time, seconds since the epoch.
    """
    parts = urlsplit(endpoint.url)
    url = f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc}/"
    try:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, allow_redirects=False) as answer:
            theirs = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (aiohttp.ClientError, OSError, TimeoutError, KeyError, ValueError):
        return good("clocks", "Home Assistant does not tell its time")
    off = clock() - theirs
    if abs(off) > CLOCK_TOLERANCE_S:
        cure = "switch network time on, on both machines (timedatectl set-ntp true)"
        return doubtful(
            "clocks", f"this machine is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} Home Assistant", cure
        )
    return good("clocks", "this machine and Home Assistant have the same time")
