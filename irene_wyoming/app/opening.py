"""Opens what a start needs besides engines and microphones: certificates, tokens, folders, and HTTP ports."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from irene_wyoming.app.doubts import of_folders
from irene_wyoming.app.findings import Finding, Level
from irene_wyoming.app.front import reachable
from irene_wyoming.config.model import Config
from irene_wyoming.config.server import Access, ListeningConfig
from irene_wyoming.errors import ConfigError
from irene_wyoming.servers.access import server_context, server_token
from irene_wyoming.wire.address import Address, reason

SERVERS = ("wake", "asr", "mic")

HEALTHY = b"ok\n"
"""The answer of /healthz."""

ANSWER_S = 2.0


async def opened(config: Config) -> AsyncIterator[Finding]:
    """Check everything outside that a configuration names."""
    for warning in config.warnings:
        yield Finding(Level.WARNING, "configuration", warning)
    sections: dict[str, ListeningConfig] = {name: getattr(config, name) for name in (*SERVERS, "front")}
    if not any(sections[name].enabled for name in SERVERS):
        text = "none is enabled: set wake.enabled, asr.enabled or mic.enabled to true"
        yield Finding(Level.ERROR, "servers", text)
    for name, section in sections.items():
        if section.enabled:
            for finding in await asyncio.to_thread(secured, name, section.access):
                yield finding
    for finding in await asyncio.to_thread(folders, config):
        yield finding
    for name, address, enabled in (
        ("metrics", config.metrics.address, config.metrics.enabled),
        ("web", config.web.address, config.web.enabled),
    ):
        if enabled:
            yield await asyncio.to_thread(port, name, address)


def secured(name: str, access: Access) -> list[Finding]:
    """Check the certificate and token of one server. Reads files."""
    looks: dict[str, tuple[Path | None, Callable[[Access], object]]] = {
        "certificate": (access.certificate, server_context),
        "token_file": (access.token_file, server_token),
    }
    found = []
    for key, (path, look) in looks.items():
        if path is None:
            continue
        try:
            look(access)
        except ConfigError as error:
            found.append(Finding(Level.ERROR, f"{name}.access.{key}", str(error)))
        else:
            found.append(Finding(Level.OK, f"{name}.access.{key}", str(path)))
    return found


def folders(config: Config) -> list[Finding]:
    """Check folders that are read or written, without making any."""
    found = []
    for doubt in of_folders(config):
        about, _, text = doubt.partition(": ")
        found.append(Finding(Level.WARNING, about, text))
    recordings = config.wake.recordings
    written = {"data_dir": config.data_dir, "wake.recordings.folder": recordings.folder if recordings.enabled else None}
    for key, folder in written.items():
        if folder is not None and (problem := unwritable(folder)):
            found.append(Finding(Level.ERROR, key, f"{folder}: {problem}"))
    return found


def unwritable(folder: Path) -> str:
    """The reason why a folder cannot be written; empty: it can, once it is made."""
    there = folder
    while not os.path.exists(there) and there != there.parent:
        there = there.parent
    if os.path.exists(there) and not os.path.isdir(there):
        return f"{there} is no folder"
    return "" if os.access(there, os.W_OK | os.X_OK) else f"{there} may not be written to by this user"


def port(name: str, address: Address) -> Finding:
    """Check whether an HTTP port is free, or used by this program itself. Blocks."""
    try:
        with socket.create_server((address.host, address.port), family=family(address.host), reuse_port=False):
            return Finding(Level.OK, f"{name} address", f"http://{address.host}:{address.port} is free")
    except OSError as error:
        if healthy(address):
            text = f"http://{address.host}:{address.port} is this program's, which runs already"
            return Finding(Level.OK, f"{name} address", text)
        text = f"http://{address.host}:{address.port}: {reason(error)}"
        return Finding(Level.WARNING, f"{name} address", f"{text}; another program has it already")


def healthy(address: Address) -> bool:
    """Whether our program answers at an address. Blocks."""
    where = reachable(address)
    host = f"[{where.host}]" if ":" in where.host else where.host
    try:
        with urlopen(f"http://{host}:{where.port}/healthz", timeout=ANSWER_S) as answer:
            return bool(answer.read(len(HEALTHY) + 1) == HEALTHY)
    except (OSError, ValueError, HTTPException):
        return False


def family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
