"""The whole program as a user starts it, seen from outside."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from irene_wyoming.bench.serving import free_port
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import describe

NAMES = ("wake", "asr", "mic", "front")


def resident_bytes(pid: int | str = "self") -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Memory:
    """Memory that a process holds for itself, in bytes. Pages of files do not count: the system takes them back."""

    heap: int
    """Bytes of the C library's heap that grows in one piece. Python's larger objects and libraries' own are there."""
    other: int
    """Anonymous memory elsewhere: Python's small objects, large arrays, stacks."""
    shared: int
    """Memory that processes share without a file."""

    @property
    def total(self) -> int:
        return self.heap + self.other + self.shared


def memory(pid: int | str = "self") -> Memory:
    """Read what a process holds; 2 ms for a server's thousand mappings."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    anonymous, shared = (int(status[name].split()[0]) * 1024 for name in ("RssAnon", "RssShmem"))
    heap, inside = 0, False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if line[0] in "0123456789abcdef":
            inside = line.endswith("[heap]")
        elif inside and line.startswith("Anonymous:"):
            heap += int(line.split()[1]) * 1024
    return Memory(heap, anonymous - heap, shared)


def cpu_seconds(pid: int | str = "self") -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


@dataclass
class Program:
    process: asyncio.subprocess.Process
    addresses: dict[str, Address]
    """Addresses of the enabled servers."""
    figures: Address
    environment: dict[str, str]

    async def start_again(self) -> None:
        """Start the program again on the same addresses. The old process must have ended."""
        self.process = await start(self.environment)

    async def ready(self) -> None:
        """Wait until every server answers."""
        async with asyncio.timeout(60):
            await asyncio.gather(*map(answers, self.addresses.values()))

    def pids(self) -> dict[str, int]:
        """Process ids of the servers; the front is the program itself."""
        found = {"front": self.process.pid}
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in children:
            words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            found |= {name: int(pid) for name in NAMES if name in words}
        return found


@asynccontextmanager
async def running(**settings: str) -> AsyncIterator[Program]:
    """Run ``irene-wyoming run`` on free loopback ports until every server answers; its log goes to standard error."""
    ports = free_ports(5)
    addresses = {name: Address("127.0.0.1", port) for name, port in zip(NAMES, ports, strict=False)}
    env = {f"IRENE_WYOMING__{name.upper()}__URI": address.uri for name, address in addresses.items()}
    env |= {
        "IRENE_WYOMING__DISCOVERY__ZEROCONF": "false",
        "IRENE_WYOMING__MIC__SOURCE__KIND": "silence",
        "IRENE_WYOMING__METRICS__PORT": str(ports[-1]),
        "IRENE_WYOMING__WEB__PORT": "0",
        "IRENE_WYOMING__LOG_LEVEL": "error",
    }
    env |= {f"IRENE_WYOMING__{key}": value for key, value in settings.items()}
    enabled = {name: at for name, at in addresses.items() if settings.get(f"{name.upper()}__ENABLED") != "false"}
    program = Program(await start(env), enabled, Address("127.0.0.1", ports[-1]), env)
    try:
        await program.ready()
        yield program
    finally:
        if program.process.returncode is None:
            program.process.terminate()
            await program.process.wait()


async def start(environment: dict[str, str]) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "irene_wyoming", "run"]
    return await asyncio.create_subprocess_exec(*command, env=os.environ | environment)


async def answers(address: Address) -> None:
    while True:
        try:
            await describe(address)
        except ServerUnavailable:
            await asyncio.sleep(0.05)
        else:
            return


def free_ports(count: int) -> list[int]:
    return [free_port() for _ in range(count)]
