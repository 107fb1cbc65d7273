"""The front address: one Info, and a relay to the server that a client asks for."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioFormat as WyomingFormat
from wyoming.audio import AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info, SelectProgram
from wyoming.wake import Detect

from irene_wyoming.app.asr import asr_server
from irene_wyoming.app.front import front_server
from irene_wyoming.app.mic import mic_server
from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.model import Config
from irene_wyoming.errors import ProtocolError
from irene_wyoming.servers.arrival import Client
from irene_wyoming.servers.front import DESCRIBE_TIMEOUT_S, Directory, FrontRole
from irene_wyoming.servers.handler import Handler
from irene_wyoming.servers.pulse import Pulse
from irene_wyoming.servers.service import Service
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.client import connect, expect
from irene_wyoming.wire.connection import Connection
from irene_wyoming.wire.hear import Recording, detect, send, transcribe
from tests.conftest import until
from tests.servers.clients import STREAM, WAIT_S, answers, audio_start, chunks, converted, is_closed, read

Speech = Callable[[str], Recording]


@dataclass
class Servers:
    wake: Service
    asr: Service
    mic: Service
    front: Service


@pytest.fixture
async def servers(configured: Callable[..., Config]) -> AsyncIterator[Servers]:
    config = configured(MIC__SOURCE__KIND="silence", DISCOVERY__NAME="Irene in the attic")
    async with wake_server(config) as wake, asr_server(config) as asr, mic_server(config) as mic:
        behind = {"wake": wake.address, "asr": asr.address, "mic": mic.address}
        async with front_server(config, behind) as front:
            yield Servers(wake, asr, mic, front)


async def describe(service: Service) -> Info:
    async with AsyncClient.from_uri(service.address.uri) as client:
        await client.write_event(Describe().event())
        return Info.from_event(await read(client))


async def test_the_info_joins_those_of_all_servers(servers: Servers) -> None:
    info = await describe(servers.front)
    assert [program.name for program in info.wake] == ["Irene in the attic", "openwakeword", "microwakeword"]
    assert [program.name for program in info.asr] == ["Irene in the attic", "guided"]
    assert [mic.mic_format for mic in info.mic] == [WyomingFormat(rate=16_000, width=2, channels=1)]
    assert info.satellite is None


async def test_a_server_that_is_gone_is_still_described_as_it_was(servers: Servers) -> None:
    before = await describe(servers.front)
    await servers.asr.stop()
    assert await describe(servers.front) == before
    assert DESCRIBE_TIMEOUT_S < 1  # an older hub gives us no longer


@pytest.mark.parametrize("rate", [16_000, 48_000])
async def test_detect_is_relayed_to_the_wake_server(servers: Servers, speech: Speech, rate: int) -> None:
    recording = converted(speech("wake/hey_jarvis_slt"), rate, 2, 1)
    heard = []
    for service in (servers.wake, servers.front):
        async with AsyncClient.from_uri(service.address.uri) as client:
            await client.write_event(Detect(names=["hey_jarvis"]).event())
            await client.write_event(audio_start(recording).event())
            for chunk in chunks(recording, 20, timestamp=5_000):
                await client.write_event(chunk.event())
            detection = await read(client)
        assert (detection.type, detection.data["name"]) == ("detection", "hey_jarvis")
        heard.append(detection.data["timestamp"])
    # one chunk off where converted, see Times
    assert heard[1] == pytest.approx(heard[0], abs=20 if rate != 16_000 else 0)
    assert heard[1] > 5_000


async def test_audio_alone_is_relayed_to_the_wake_server(servers: Servers, speech: Speech) -> None:
    async with AsyncClient.from_uri(servers.front.address.uri) as client:
        for chunk in chunks(speech("wake/okay_nabu_rms"), 20):
            await client.write_event(chunk.event())
        assert (await read(client)).data["name"] == "okay_nabu"


@pytest.mark.parametrize("request_type", ["transcribe", "transcibe"])
async def test_transcribe_is_relayed_to_the_asr_server_and_its_end_ends_the_conversation(
    servers: Servers, request_type: str
) -> None:
    async with AsyncClient.from_uri(servers.front.address.uri) as client:
        await client.write_event(Event(request_type, {"language": "en"}))
        await client.write_event(AudioStart(rate=16_000, width=2, channels=1).event())
        await client.write_event(AudioStop().event())
        assert Transcript.from_event(await read(client)).text == ""
        assert await is_closed(client)


async def test_a_selected_program_is_passed_on_with_the_request(servers: Servers) -> None:
    async with AsyncClient.from_uri(servers.front.address.uri) as client:
        await client.write_event(SelectProgram(name="microwakeword").event())
        await client.write_event(Detect(names=["hey_rhasspy"]).event())  # only openwakeword has this word
        assert (await read(client)).data["code"] == "unknown-model"
        assert await is_closed(client)


async def test_the_name_that_hubs_show_can_be_selected_like_any_other(servers: Servers) -> None:
    async with AsyncClient.from_uri(servers.front.address.uri) as client:
        await client.write_event(SelectProgram(name="Irene in the attic").event())
        await client.write_event(Event("transcribe", {"language": "en"}))
        await client.write_event(AudioStart(rate=16_000, width=2, channels=1).event())
        await client.write_event(AudioStop().event())
        assert Transcript.from_event(await read(client)).text == ""


async def test_describe_in_the_midst_of_a_conversation_gives_the_joined_info(servers: Servers, speech: Speech) -> None:
    word = chunks(speech("wake/okay_nabu_rms"), 20)
    async with AsyncClient.from_uri(servers.front.address.uri) as client:
        await client.write_event(Detect(names=None).event())
        for chunk in word[:10]:
            await client.write_event(chunk.event())
        assert await answers(client) == []
        await client.write_event(Describe().event())
        assert len(Info.from_event(await read(client)).asr) == 2
        for chunk in word[10:]:
            await client.write_event(chunk.event())
        assert (await read(client)).data["name"] == "okay_nabu"


async def test_a_request_for_the_other_server_moves_the_conversation(servers: Servers, speech: Speech) -> None:
    async with AsyncClient.from_uri(servers.front.address.uri) as client:
        await client.write_event(Detect(names=None).event())
        for chunk in chunks(speech("wake/okay_nabu_rms"), 20):
            await client.write_event(chunk.event())
        assert (await read(client)).data["name"] == "okay_nabu"
        await client.write_event(Transcribe(language="en").event())
        await client.write_event(AudioStart(rate=16_000, width=2, channels=1).event())
        await client.write_event(AudioStop().event())
        assert Transcript.is_type((await read(client)).type)


async def test_a_server_that_is_gone_gives_an_error_at_once_and_closes(servers: Servers) -> None:
    await servers.asr.stop()
    async with AsyncClient.from_uri(servers.front.address.uri) as client:
        await client.write_event(Transcribe(language="en").event())
        error = Error.from_event(await read(client))
        assert error.code == "server-unavailable"
        assert await is_closed(client)


async def test_a_server_that_goes_in_the_midst_ends_the_conversation(servers: Servers) -> None:
    async with AsyncClient.from_uri(servers.front.address.uri) as client:
        await client.write_event(Detect(names=None).event())
        await client.write_event(AudioStart(rate=16_000, width=2, channels=1).event())
        await client.write_event(Event("ping"))
        assert (await read(client)).type == "pong"
        await asyncio.wait_for(servers.wake.stop(), WAIT_S)
        assert await is_closed(client)


async def test_the_relay_leaves_no_connection_behind(servers: Servers, speech: Speech) -> None:
    for _ in range(3):
        async with AsyncClient.from_uri(servers.front.address.uri) as client:
            await client.write_event(Detect(names=None).event())
            for chunk in chunks(speech("wake/okay_nabu_rms"), 20)[:5]:
                await client.write_event(chunk.event())
    await until(lambda: not (servers.wake.connections or servers.front.connections))


async def test_a_recording_played_through_the_front_is_heard_to_its_end(servers: Servers, speech: Speech) -> None:
    word = speech("wake/okay_nabu_rms")
    three = Recording(word.format, bytes(320_000) + word.pcm)  # 10 s of silence first
    heard, _ = await detect(servers.front.address, three, ["okay_nabu"])
    assert [one.name for one in heard] == ["okay_nabu"]
    assert heard[0].score is not None
    text = await transcribe(servers.front.address, speech("asr/turn_on_the_living_room_light"))
    assert text.text == "turn on the living room light"


async def test_a_client_that_closes_its_side_still_gets_its_transcript(servers: Servers, speech: Speech) -> None:
    recording = speech("asr/turn_on_the_living_room_light")
    async with connect(servers.front.address) as wire:
        await wire.write(Transcribe(language="en"))
        await send(wire, recording, realtime=False)
        await wire.end()
        while (event := await expect(wire, WAIT_S)).type in STREAM:
            pass
        assert Transcript.from_event(event).text == "turn on the living room light"


async def test_the_front_waits_until_every_server_has_described_itself(configured: Callable[..., Config]) -> None:
    async with wake_server(configured()) as wake:
        assert await Directory({"wake": wake.address}).complete(WAIT_S)
        assert not await Directory({"wake": wake.address, "asr": Address("127.0.0.1", 1)}).complete(0.2)


async def test_those_who_ask_at_once_cost_the_servers_one_question(servers: Servers) -> None:
    directory = Directory({"wake": servers.wake.address})
    infos = await asyncio.gather(*(directory.info() for _ in range(50)))
    assert all(info == infos[0] for info in infos)
    assert servers.wake.connections <= 1


async def test_a_server_that_is_being_started_anew_is_waited_for(configured: Callable[..., Config]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = Address("127.0.0.1", free.getsockname()[1])
    limits = configured().front.limits

    async def serve(connection: Connection, _client: Client) -> None:
        while (event := await connection.read()) is not None and event.type != "audio-stop":
            pass
        await connection.write(Transcript("back"))

    async with front_server(configured(), {"asr": address}) as front, connect(front.address) as client:
        await client.write(Transcribe(language="en"))
        await until(lambda: front.connections == 1)
        async with Service("asr", address, limits, serve):
            await client.write(AudioStop())
            assert Transcript.from_event(await expect(client, WAIT_S)).text == "back"


async def test_clients_of_a_server_that_stands_still_are_told(configured: Callable[..., Config]) -> None:
    """After SIGSTOP the kernel accepts its connections and their audio."""
    config = configured()
    with socket.create_server(("127.0.0.1", 0)) as still:
        address = Address("127.0.0.1", still.getsockname()[1])
        directory = Directory({"wake": address})
        directory.pulses["wake"] = Pulse("wake", address, answer_s=0.2, every_s=0.1)

        async def serve(connection: Connection, client: Client) -> None:
            limits = config.front.limits
            await Handler(connection, client, lambda other: FrontRole(directory, other), directory.info, limits).run()

        async with Service("front", Address("127.0.0.1", 0), config.front.limits, serve) as front:
            for _ in range(2):
                async with connect(front.address) as client:
                    await client.write(Detect(names=None))
                    with pytest.raises(ProtocolError, match=r"wake server has not answered for 0\.2 s \(server-unav"):
                        await expect(client, WAIT_S)


async def test_a_server_that_answers_is_asked_only_while_somebody_talks_with_it(servers: Servers) -> None:
    pulse = Pulse("wake", servers.wake.address, every_s=0.05)
    watching = [asyncio.create_task(pulse.watch()) for _ in range(3)]
    await until(lambda: servers.wake.connections == 1)
    watching.pop().cancel()
    for watcher in watching[:1]:
        watcher.cancel()
    await until(lambda: servers.wake.connections == 1)
    await servers.wake.stop()  # the server has gone, and does not stand still
    await until(lambda: servers.wake.connections == 0)
    assert not watching[1].done()
    watching[1].cancel()
    await asyncio.wait(watching)
