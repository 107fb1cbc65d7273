"""Fuzzing: conversations of random events, most of them nearly right, against real servers in this process."""

import asyncio
import json
import logging
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any

from irene_wyoming.app.asr import asr_server
from irene_wyoming.app.front import front_server
from irene_wyoming.app.mic import mic_server
from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from irene_wyoming.errors import IreneError
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.proxy import SIGNATURE
from tests.attack.process import resident_bytes

TYPES = (
    "describe", "ping", "pong", "detect", "detection", "not-detected", "audio-start", "audio-chunk", "audio-stop",
    "transcribe", "transcibe", "transcript", "select-program", "info", "error", "voice-started", "synthesize",
    "satellite-connected", "run-pipeline",
)  # fmt: skip
KEYS = (
    "rate", "width", "channels", "timestamp", "names", "name", "language", "context", "text", "code", "data",
    "transcript_names", "vad_sensitivity",
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, 2, -1, 3, 4, 8, 16_000, 48_000, 8_000, 192_000, 192_001, 2**31, 2**63, 10**30, 0.5, 1e308,
    "", "x", "16000", "okay_nabu", "irene-wake", "guided", "en", "../../etc/passwd", "\n\r\0\x1b[2J", "\u202e",
    "\ud800", "x" * 500, [], {}, [1], ["okay_nabu"], ["okay_nabu", "nobody"], [None], {"a": {"b": [1, {"c": 2}]}},
)  # fmt: skip
GOOD_AUDIO = {"rate": 16_000, "width": 2, "channels": 1}
EVENTS_EACH = 40
"""Most events in one conversation, which ends at the first refused one."""


def some_data(chance: random.Random) -> dict[str, Any]:
    data: dict[str, Any] = dict(GOOD_AUDIO) if chance.random() < 0.9 else {}
    for _ in range(chance.choice((0, 0, 0, 0, 1, 2))):
        data[chance.choice(KEYS)] = chance.choice(ODD)
    return data


def some_event(chance: random.Random) -> bytes:
    """Make one event, usually well framed, with any content."""
    header: dict[str, Any] = {"type": chance.choice(TYPES)}
    data, payload = some_data(chance), b""
    block = b""
    if chance.random() < 0.5:
        header["data"] = data
    else:
        block = json.dumps(data).encode()
        header["data_length"] = len(block)
    if header["type"] == "audio-chunk" or chance.random() < 0.1:
        payload = chance.randbytes(chance.choice((0, 1, 2, 3, 64, 320)))
        header["payload_length"] = len(payload)
    if chance.random() < 0.01:
        header[chance.choice(("type", "data", "data_length", "payload_length", "version"))] = chance.choice(ODD)
    event = json.dumps(header).encode() + b"\n" + block + payload
    return mangled(event, chance) if chance.random() < 0.01 else event


def mangled(event: bytes, chance: random.Random) -> bytes:
    """Change, remove, insert or repeat bytes."""
    at = chance.randrange(len(event))
    match chance.randrange(4):
        case 0:
            return event[:at] + chance.randbytes(1) + event[at + 1 :]
        case 1:
            return event[:at] + event[at + chance.randrange(1, 9) :]
        case 2:
            return event[:at] + chance.randbytes(chance.randrange(1, 9)) + event[at:]
        case _:
            return event[:at] * 2 + event[at:]


def some_header(chance: random.Random) -> bytes:
    """Make the header before a proxy's connection: usually a right one of the PROXY protocol, else nearly right."""
    family, size = chance.choice(((0x11, 12), (0x21, 36), (0x11, 12), (0x31, 216), (0x00, 0)))
    more = chance.randbytes(chance.choice((0, 0, 0, 5, 300)))
    if chance.random() < 0.3:  # a field of type, length and value: an id of the connection, right or wrong
        value = chance.choice((b"6f1c2a", b"\n\r\0", chance.randbytes(12), b"x" * 200))
        more = b"\x05" + chance.choice((len(value), 0, 9_999)).to_bytes(2, "big") + value
    rest = chance.randbytes(size) + more
    length = len(rest) if chance.random() < 0.8 else chance.choice((0, 1, 11, 12, 35, 520, 521, 65_535))
    command = chance.choice((0x21, 0x21, 0x21, 0x20, 0x22, 0x11))
    header = SIGNATURE + bytes((command, family)) + length.to_bytes(2, "big") + rest
    match chance.randrange(12):
        case 0:
            return header[: chance.randrange(len(header))]
        case 1:
            return b"PROXY TCP4 10.0.0.7 10.0.0.1 50000 10400\r\n"
        case 2:
            return b""
        case 3:
            return mangled(header, chance)
        case _:
            return header


def behind_a_proxy(config: Config) -> Config:
    """The configuration with a speech-to-text server that takes every client for a proxy."""
    access = replace(config.asr.access, proxies=(ip_network("127.0.0.0/8"),))
    return replace(config, asr=replace(config.asr, access=access))


@dataclass
class Outcome:
    events: int = 0
    conversations: int = 0
    seconds: float = 0.0
    codes: Counter[str] = field(default_factory=Counter)
    """Error codes that clients got, counted."""
    unhandled: list[str] = field(default_factory=list)
    """Bugs that the servers logged, and exceptions that nobody caught."""
    hung: int = 0
    """Number of conversations that did not end within 20 s."""
    slowest_healthy_s: float = 0.0
    """Longest wait of a healthy client that pings meanwhile, seconds."""
    grown_bytes: int = 0


class Watch(logging.Handler):
    """A log handler that keeps errors."""

    def __init__(self, kept: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(record.getMessage() + (f": {record.exc_info[1]!r}" if record.exc_info else ""))


async def fuzz(config: Config, events: int, seed: int, say: Callable[[str], None], at_once: int = 16) -> Outcome:
    """Send this many events to wake, asr, mic and front, by several clients at once."""
    outcome = Outcome()
    watch = Watch(outcome.unhandled)
    logging.getLogger().addHandler(watch)
    ours = logging.getLogger("irene_wyoming")
    level = ours.level
    ours.setLevel(logging.ERROR)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, what: outcome.unhandled.append(f"{what.get('message')}: {what!r}"))
    started = time.monotonic()
    try:
        async with AsyncExitStack() as stack:
            wake = await stack.enter_async_context(wake_server(config))
            asr = await stack.enter_async_context(asr_server(config))
            mic = await stack.enter_async_context(mic_server(config))
            behind = {"wake": wake.address, "asr": asr.address}
            front = await stack.enter_async_context(front_server(config, behind))
            proxied = (await stack.enter_async_context(asr_server(behind_a_proxy(config)))).address
            targets = [wake.address] * 5 + [front.address] * 2 + [mic.address, asr.address] + [proxied] * 2
            attackers = [
                asyncio.create_task(attack(targets, proxied, outcome, events, random.Random(seed + number)))
                for number in range(at_once)
            ]
            await healthy(wake.address, attackers, outcome, say)
            await asyncio.gather(*attackers)
    finally:
        ours.setLevel(level)
        logging.getLogger().removeHandler(watch)
    outcome.seconds = time.monotonic() - started
    return outcome


async def attack(
    targets: list[Address], proxied: Address, outcome: Outcome, events: int, chance: random.Random
) -> None:
    """:param proxied: the target whose connections begin with a proxy's header."""
    while outcome.events < events:
        conversation = [some_event(chance) for _ in range(chance.randrange(1, EVENTS_EACH))]
        outcome.events += len(conversation)
        outcome.conversations += 1
        target = chance.choice(targets)
        header = some_header(chance) if target is proxied else b""
        try:
            async with asyncio.timeout(20):
                said = await converse(target, header + b"".join(conversation))
        except TimeoutError:
            outcome.hung += 1
            continue
        for line in said.split(b"\n"):
            if b'"code": "' in line:
                outcome.codes[line.partition(b'"code": "')[2].partition(b'"')[0].decode()] += 1
        if outcome.codes[IreneError.code]:
            outcome.unhandled.append("a client was told of an internal error")


async def converse(target: Address, sent: bytes) -> bytes:
    """Send bytes and return the answer until the other side closes."""
    reader, writer = await asyncio.open_connection(target.host, target.port)
    try:
        writer.write(sent)
        writer.write_eof()
        return await reader.read()
    except OSError:
        return b""
    finally:
        writer.transport.abort()


async def healthy(
    target: Address, attackers: list[asyncio.Task[None]], outcome: Outcome, say: Callable[[str], None]
) -> None:
    """Run a healthy client that asks for the Info each half second while the attack lasts."""
    before = 0
    while not all(task.done() for task in attackers):
        asked = time.monotonic()
        assert await converse(target, b'{"type":"describe"}\n')
        outcome.slowest_healthy_s = max(outcome.slowest_healthy_s, time.monotonic() - asked)
        if not before and outcome.events > 20_000:
            before = resident_bytes()
        if before:
            outcome.grown_bytes = resident_bytes() - before
        say(f"{outcome.events} events, {outcome.grown_bytes / 1e6:+.1f} MB, {len(outcome.unhandled)} unhandled")
        await asyncio.sleep(0.5)
