"""The speech-to-text server that uses another machine, and works alone when that fails."""

import socket
import struct
from collections.abc import Callable

import pytest
from wyoming.asr import Transcript

from irene_wyoming.app.asr import asr_server
from irene_wyoming.config.model import Config
from irene_wyoming.wire.hear import Recording
from tests.engines.asr.remote.servers import Behaviour, ScriptedServer, until_gone
from tests.servers.test_asr import COMMAND, transcribe, wav

Speech = Callable[[str], Recording]
Configured = Callable[..., Config]
MIDST = 20_000
"""Bytes of an utterance (0.6 s) that were sent when something fails."""


def remote_first(configured: Configured, uri: str) -> Config:
    changes = {
        "ENABLED": "true",
        "URI": uri,
        "CONNECT_TIMEOUT_S": "0.2",
        "RESPONSE_TIMEOUT_S": "0.3",
    }
    return configured(
        ASR__DEFAULT_PROVIDER="remote", **{f"ASR__PROVIDERS__REMOTE__{key}": value for key, value in changes.items()}
    )


async def test_the_other_machine_transcribes(configured: Configured, speech: Speech) -> None:
    async with (
        asr_server(configured()) as house,
        asr_server(remote_first(configured, house.address.uri)) as service,
    ):
        assert Transcript.from_event(await transcribe(service.address.uri, speech(wav(COMMAND)))).text == COMMAND


def in_the_midst(then: Behaviour) -> Behaviour:
    """Read the beginning of an utterance, then behave as ``then``."""

    def behave(connection: socket.socket) -> None:
        taken = 0
        while taken < MIDST:
            piece = connection.recv(MIDST - taken)
            if not piece:
                return
            taken += len(piece)
        then(connection)

    return behave


def resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def errs(connection: socket.socket) -> None:
    connection.sendall(b'{"type": "error", "data": {"text": "out of memory"}}\n')
    until_gone(connection)


def babbles(connection: socket.socket) -> None:
    connection.sendall(b"\x00\xff" * 500 + b"\n")
    until_gone(connection)


@pytest.mark.parametrize(
    "fault", [lambda _: None, resets, until_gone, errs, babbles], ids=["ends", "resets", "hangs", "errs", "babbles"]
)
async def test_when_it_fails_in_the_midst_the_next_provider_hears_it_all(
    configured: Configured, speech: Speech, fault: Behaviour
) -> None:
    with ScriptedServer(in_the_midst(fault)) as server:
        uri = f"tcp://127.0.0.1:{server.port}"
        async with asr_server(remote_first(configured, uri)) as service:
            event = await transcribe(service.address.uri, speech(wav(COMMAND)))
    assert Transcript.from_event(event).text == COMMAND


async def test_a_machine_that_sleeps_delays_neither_the_start_nor_the_transcript(
    configured: Configured, speech: Speech
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        uri = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    async with asr_server(remote_first(configured, uri)) as service:
        for _ in range(3):
            event = await transcribe(service.address.uri, speech(wav(COMMAND)))
            assert Transcript.from_event(event).text == COMMAND
