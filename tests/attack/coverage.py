"""Coverage-guided fuzzing of the border: what the bytes of a client make the wake and speech-to-text roles do.

Needs atheris (``pip install atheris``; Python 3.11 to 3.13, x86-64). It calls ``attack`` with bytes of its own making
and keeps those that reach new code. What nobody handles ends it, and the bytes that led there are kept in a file.
"""

import asyncio
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(
    include=["irene_wyoming.wire", "irene_wyoming.servers", "irene_wyoming.audio", "irene_wyoming.engines.wake.live"]
):
    from irene_wyoming.servers.asr import AsrRole, AsrService
    from irene_wyoming.servers.handler import Handler
    from irene_wyoming.servers.service import Client
    from irene_wyoming.servers.wake import WakeRole
    from irene_wyoming.servers.wake_service import WakeService
    from irene_wyoming.wire.connection import Connection

from wyoming.info import Info

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.config.load import load
from irene_wyoming.engines.base import Hit, ModelInfo
from irene_wyoming.engines.worker import Worker
from irene_wyoming.routing.admission import Admission
from irene_wyoming.routing.asr import AsrRouter
from irene_wyoming.routing.policy import Breaker, Ordered
from irene_wyoming.routing.provider import Provider
from irene_wyoming.servers.satellites import Satellites
from tests.attack.fuzz import KEYS, ODD, TYPES
from tests.conftest import ENVIRONMENT
from tests.routing.engines import FakeEngine

LONGEST_S = 5.0
"""For one conversation of a few hundred bytes: more is a hang."""


class Sink(asyncio.Transport):
    """What is sent is forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self._closing = False

    def write(self, data: Any) -> None:
        del data

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    def abort(self) -> None:
        self._closing = True

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class SinkWriter(asyncio.StreamWriter):
    """A StreamWriter whose closing waits for nobody."""

    async def drain(self) -> None:
        pass

    async def wait_closed(self) -> None:
        pass


class Bugs(logging.Handler):
    """What the handler logs as a bug is one."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record)


class Ears:
    """A wake engine that hears a word in everything; its own sessions."""

    name = "ears"
    format = SPEECH
    needs = 400

    def models(self) -> Sequence[ModelInfo]:
        return [ModelInfo("okay_nabu", ("en",), "", "", "")]

    def session(self, *_asked: object) -> "Ears":
        return self

    def push(self, pcm: bytes) -> Sequence[Hit]:
        return [Hit("okay_nabu", 1.0, len(pcm) // 2)] if len(pcm) > 3 else []

    def close(self) -> None:
        """Nothing to give back."""


def structured(data: bytes) -> bytes:
    """Events, each nearly right: what random bytes seldom are."""
    chance = atheris.FuzzedDataProvider(data)
    sent = b""
    while chance.remaining_bytes() > 4 and len(sent) < 4_000:
        audio = {"rate": 16_000, "width": 2, "channels": 1}
        inside = {**audio, chance.PickValueInList(list(KEYS)): chance.PickValueInList(list(ODD))}
        block = json.dumps(inside if chance.ConsumeBool() else audio).encode()
        payload = chance.ConsumeBytes(chance.ConsumeIntInRange(0, 64))
        kind = chance.PickValueInList(list(TYPES))
        lengths = {"data_length": len(block), "payload_length": len(payload) + chance.ConsumeIntInRange(0, 1)}
        sent += json.dumps({"type": kind, **lengths}).encode() + b"\n" + block + payload
    return sent


class Target:
    """A wake and a speech-to-text server without sockets."""

    def __init__(self) -> None:
        self._config = load(None, ENVIRONMENT)
        self._loop = asyncio.new_event_loop()
        self._bugs = Bugs()
        logging.getLogger("irene_wyoming").addHandler(self._bugs)
        logging.getLogger("irene_wyoming").propagate = False
        self._loop.set_exception_handler(self._unhandled)
        self._unretrieved: list[dict[str, Any]] = []
        self._loop.run_until_complete(self._start())

    async def _start(self) -> None:
        wake, asr = self._config.wake, self._config.asr
        self._wake = WakeService(
            {"ears": Ears()}, ["okay_nabu"], wake.audio, "fast", Worker("fuzz"), Satellites({}, {})
        )
        provider = Provider("fake", lambda: FakeEngine("fake"), 5.0, Breaker(3, 60, 60))
        await provider.start()
        router = AsrRouter([provider], Ordered(), Admission(8, 8))
        self._asr = AsrService({"fake": router}, {}, "en", asr.audio, "fast", None, 60.0, 30.0)

    def _unhandled(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._unretrieved.append(context)

    def attack(self, data: bytes) -> None:
        """One conversation.

        :raises AssertionError: the bytes found a bug.
        """
        if not data:
            return
        sent = data[1:] if data[0] & 1 else structured(data[1:])
        self._loop.run_until_complete(asyncio.wait_for(self._converse(sent, wake=bool(data[0] & 2)), LONGEST_S))
        assert not self._unretrieved, self._unretrieved
        assert not self._bugs.found, self._bugs.found[0].getMessage()

    async def _converse(self, sent: bytes, *, wake: bool) -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(sent)
        reader.feed_eof()
        writer = SinkWriter(Sink(), asyncio.StreamReaderProtocol(reader), reader, asyncio.get_running_loop())
        limits = self._config.wake.limits
        client = Client("wake" if wake else "asr", "192.0.2.1", asyncio.Event())

        async def info() -> Info:
            return Info()

        await Handler(
            Connection(reader, writer, limits),
            client,
            lambda peer: WakeRole(self._wake, peer, client.host) if wake else AsrRole(self._asr, peer),
            info,
            limits,
        ).run()


def main(conversations: int, folder: Path) -> None:
    """Does not return. The exit code is 0 when nothing was found."""
    folder.mkdir(parents=True, exist_ok=True)
    target = Target()
    found = f"-artifact_prefix={folder}/found-"
    atheris.Setup([sys.argv[0], f"-runs={conversations}", "-max_len=2048", found, str(folder)], target.attack)
    atheris.Fuzz()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
