"""Runs a real HAProxy before servers: its configuration, its process, and its figures."""

import asyncio
import csv
import io
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from irene_wyoming.bench.serving import terminated
from irene_wyoming.bench.usage import Family
from irene_wyoming.errors import ServerUnavailable

DEFAULTS = """
defaults
    mode tcp
    timeout connect 2s
    timeout client 24d
    timeout server 24d
    option clitcpka
    option srvtcpka
    option redispatch 1
    retries 2
    log global
    unique-id-format %[uuid()]
    log-format "%ci:%cp %f %b/%s %Tt ms %ts %ID"
    default-server inter 1s fall 2 rise 1 slowstart 30s on-marked-down shutdown-sessions
    default-server send-proxy-v2 proxy-v2-options unique-id check-send-proxy
"""
"""The packaged configuration without its comments; a test compares the two."""

LISTEN = r"""
listen {name}
    bind {bind}
    balance leastconn
    option tcp-check
    tcp-check connect send-proxy
    tcp-check send-binary 7b2274797065223a226465736372696265227d0a
    tcp-check expect min-recv 130 error-status L7OKC ! string draining
    tcp-check expect rstring \"type\":\ ?\"info\"
{servers}"""

START_S = 10.0
"""Seconds for HAProxy to open its socket."""


def section(name: str, bind: str, servers: Mapping[str, str]) -> str:
    """The lines of the configuration for one address.

    :param servers: addresses by name, in HAProxy's form.
    """
    lines = [f"    server {server} {where} check\n" for server, where in servers.items()]
    return LISTEN.format(name=name, bind=bind, servers="".join(lines))


@dataclass(frozen=True, slots=True)
class Seen:
    """HAProxy's figures of a server."""

    connections: int
    """Present connections."""
    taken: int
    """Connections since its start."""
    up: bool
    """Whether it gets new connections."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running HAProxy."""

    control: Path
    process: asyncio.subprocess.Process

    @property
    def family(self) -> Family:
        return Family(self.process.pid)

    async def seen(self) -> dict[str, Seen]:
        """Read the figures of each server, by name.

        :raises OSError: HAProxy has gone.
        """
        reader, writer = await asyncio.open_unix_connection(self.control)
        try:
            writer.write(b"show stat\n")
            told = (await reader.read()).decode()
        finally:
            writer.close()
            await writer.wait_closed()
        rows = csv.DictReader(io.StringIO(told.removeprefix("# ")))
        return {
            row["svname"]: Seen(int(row["scur"]), int(row["stot"]), row["status"].startswith("UP"))
            for row in rows
            if row["svname"] not in ("FRONTEND", "BACKEND")
        }

    async def sees(self, server: str, timeout_s: float = 60.0) -> None:
        """Wait until a server gets connections.

        :raises TimeoutError: it gets none.
        """
        async with asyncio.timeout(timeout_s):
            while not (await self.seen())[server].up:  # noqa: ASYNC110  # HAProxy only answers questions
                await asyncio.sleep(0.1)


@asynccontextmanager
async def proxied(folder: Path, sections: str) -> AsyncIterator[Proxy]:
    """Run HAProxy with these sections while the context lasts.

    :param folder: folder for its files.
    :raises ServerUnavailable: it is not installed, or does not start.
    """
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    program = await asyncio.to_thread(shutil.which, "haproxy", path=path)
    if program is None:
        raise ServerUnavailable("haproxy is not installed: apt install haproxy")
    control, file = folder / "control", folder / "haproxy.cfg"
    text = f"global\n    stats socket {control} mode 600\n{DEFAULTS}{sections}"
    await asyncio.to_thread(file.write_text, text)
    process = await asyncio.create_subprocess_exec(
        program, "-db", "-f", str(file), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        proxy = Proxy(control, process)
        async with asyncio.timeout(START_S):
            while process.returncode is None:
                try:
                    await proxy.seen()
                    break
                except OSError:
                    await asyncio.sleep(0.02)
        if process.returncode is not None:
            raise ServerUnavailable(f"haproxy ended with exit code {process.returncode}")
        yield proxy
    finally:
        await terminated(process)
