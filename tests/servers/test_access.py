"""Access: networks, permissions of a socket, TLS; and what happens to connected clients at the end."""

import asyncio
import datetime
import ipaddress
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from wyoming.client import AsyncClient
from wyoming.event import Event

from irene_wyoming.app.asr import asr_server
from irene_wyoming.app.front import front_server
from irene_wyoming.app.listening import public_of
from irene_wyoming.app.mic import mic_server
from irene_wyoming.app.wake import wake_server
from irene_wyoming.config.checks import ANY, PRIVATE
from irene_wyoming.config.model import Config
from irene_wyoming.discovery.zeroconf import instance_name
from irene_wyoming.errors import ConfigError, ServerUnavailable
from irene_wyoming.servers.access import is_allowed, is_local
from irene_wyoming.wire.client import connect, describe
from irene_wyoming.wire.hear import Recording, transcribe
from irene_wyoming.wire.proxy import SIGNATURE
from tests.servers.clients import WAIT_S, audio_start, chunks, read

Configured = Callable[..., Config]


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("192.168.1.7", True),
        ("172.31.255.255", True),
        ("172.32.0.0", False),
        ("10.1.2.3", True),
        ("100.101.102.103", True),
        ("169.254.7.7", True),
        ("8.8.8.8", False),
        ("fe80::1%eth0", True),
        ("fd12::1", True),
        ("2001:4860::8888", False),
        ("::ffff:192.168.1.7", True),
        ("::ffff:8.8.8.8", False),
    ],
)
def test_private_is_what_homes_use(host: str, private: bool) -> None:
    assert is_allowed(host, PRIVATE) is private
    assert is_allowed(host, ANY)
    assert is_allowed(host, ()) is is_local(host)


def test_one_network_is_one_network() -> None:
    only = (ipaddress.ip_network("192.168.1.0/24"),)
    assert is_allowed("192.168.1.200", only)
    assert not is_allowed("192.168.2.1", only)
    assert is_allowed("127.0.0.1", only), "the front address and the health check"


def test_only_addresses_of_the_whole_internet_are_warned_of() -> None:
    present = ["127.0.0.1", "192.168.1.5", "8.8.8.8", "fe80::1", "2001:4860::8888"]
    assert public_of({"0.0.0.0"}, present) == ["8.8.8.8"]
    assert public_of({"::"}, present) == ["2001:4860::8888", "8.8.8.8"]
    assert public_of({"192.168.1.5"}, present) == []
    assert public_of({"9.9.9.9"}, []) == ["9.9.9.9"]


async def test_a_socket_has_its_permissions(configured: Configured, tmp_path: Path) -> None:
    path = tmp_path / "wake.sock"
    async with wake_server(configured(WAKE__URI=f"unix://{path}", WAKE__ACCESS__SOCKET_MODE='"600"')):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a self-signed certificate and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "irene")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "irene.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


async def test_a_command_is_heard_over_tls_through_the_front(
    configured: Configured, certificate: Path, speech: Callable[[str], Recording]
) -> None:
    settings = {f"{name}__ACCESS__CERTIFICATE": str(certificate) for name in ("ASR", "FRONT")}
    config = configured(**settings)
    async with asr_server(config) as asr, front_server(config, {"asr": asr.address}) as front:
        assert front.address.uri.startswith("tls://127.0.0.1:")
        assert [program.name for program in (await describe(front.address)).asr][:1] == [instance_name("")]
        heard = await transcribe(front.address, speech("asr/set_a_timer_for_five_minutes"))
        assert heard.text == "set a timer for five minutes"


async def test_who_does_not_know_the_certificate_does_not_talk_to_it(configured: Configured, certificate: Path) -> None:
    async with mic_server(configured(MIC__SOURCE__KIND="silence", MIC__ACCESS__CERTIFICATE=str(certificate))) as mic:
        with pytest.raises(ServerUnavailable, match="certificate"):
            await describe(replace(mic.address, trust=None))
        with pytest.raises(ServerUnavailable):
            await describe(replace(mic.address, tls=False))
        assert (await describe(mic.address)).mic


async def test_a_certificate_that_cannot_be_used_is_named(configured: Configured, tmp_path: Path) -> None:
    path = tmp_path / "letter.pem"
    with pytest.raises(ConfigError, match=r"letter\.pem.*No such file"):
        await mic_server(configured(MIC__ACCESS__CERTIFICATE=str(path))).__aenter__()
    path.write_text("a letter")
    with pytest.raises(ConfigError, match=r"letter\.pem"):
        await mic_server(configured(MIC__ACCESS__CERTIFICATE=str(path))).__aenter__()


TOKEN = "correct horse battery staple"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


async def test_a_stranger_is_told_that_it_may_not(configured: Configured, other_host: str) -> None:
    async with asr_server(configured(ASR__URI=f"tcp://{other_host}:0", ASR__ACCESS__ALLOW="[]")) as asr:
        async with AsyncClient.from_uri(asr.address.uri) as client:
            error = await read(client)
        assert error is not None
        assert error.data["code"] == "not-allowed"
        assert error.data["text"] == f"{other_host} is in none of the networks that asr.access.allow names"


async def test_who_shows_the_token_is_served(
    configured: Configured, other_host: str, token_file: Path, speech: Callable[[str], Recording]
) -> None:
    uri = f"tcp://{other_host}:0"
    config = configured(ASR__URI=uri, ASR__ACCESS__ALLOW="[]", ASR__ACCESS__TOKEN_FILE=str(token_file))
    async with asr_server(config) as asr:
        mine = replace(asr.address, token=TOKEN)
        assert (await describe(mine)).asr
        heard = await transcribe(mine, speech("asr/set_a_timer_for_five_minutes"))
        assert heard.text == "set a timer for five minutes"
        for other in (asr.address, replace(mine, token=TOKEN[:-1]), replace(mine, token="\ud800")):
            with pytest.raises(ServerUnavailable, match=r"did not show the token first \(not-allowed\)"):
                await describe(other)
    assert TOKEN not in repr(mine)
    assert TOKEN not in mine.uri


async def test_the_provider_remote_shows_the_token(
    configured: Configured, other_host: str, token_file: Path, speech: Callable[[str], Recording]
) -> None:
    far = configured(ASR__URI=f"tcp://{other_host}:0", ASR__ACCESS__ALLOW="[]", ASR__ACCESS__TOKEN_FILE=str(token_file))
    async with asr_server(far) as there:
        remote = {"ENABLED": "true", "URI": there.address.uri, "API_KEY_FILE": str(token_file)}
        # enough for a busy machine
        remote |= {"CONNECT_TIMEOUT_S": "30", "RESPONSE_TIMEOUT_S": "60", "DEADLINE_S": "100"}
        settings = {f"ASR__PROVIDERS__REMOTE__{key}": value for key, value in remote.items()}
        near = configured(
            ASR__DEFAULT_PROVIDER="remote",
            ASR__FALLBACK_PROVIDERS="[]",
            ASR__PROVIDERS__GUIDED__ENABLED="false",
            **settings,
        )
        async with asr_server(near) as here:
            heard = await transcribe(here.address, speech("asr/set_a_timer_for_five_minutes"))
            assert heard.text == "set a timer for five minutes"


async def test_a_token_that_nobody_wants_does_no_harm(configured: Configured) -> None:
    async with mic_server(configured(MIC__SOURCE__KIND="silence")) as mic:
        assert (await describe(replace(mic.address, token=TOKEN))).mic


@pytest.mark.parametrize("content", ["", "too short", "x" * 257, "a token with\nanother line", "t\u00f6ken" * 4])
async def test_a_file_without_a_token_is_refused(configured: Configured, tmp_path: Path, content: str) -> None:
    path = tmp_path / "token"
    path.write_text(content)
    with pytest.raises(ConfigError, match="holds no token: expected 16 to 256 printable"):
        await mic_server(configured(MIC__ACCESS__TOKEN_FILE=str(path))).__aenter__()


async def test_a_missing_token_file_is_named(configured: Configured, tmp_path: Path) -> None:
    path = tmp_path / "none"
    with pytest.raises(ConfigError, match=f"access.token_file {path}: No such file"):
        await mic_server(configured(MIC__ACCESS__TOKEN_FILE=str(path))).__aenter__()


async def test_a_command_under_way_is_transcribed_before_the_server_stops(
    configured: Configured, speech: Callable[[str], Recording]
) -> None:
    """The client comes through the front, which stops, too; a client that is owed nothing leaves at once."""
    config = configured(SUPERVISE__DRAIN_S="100", SUPERVISE__STOP_TIMEOUT_S="120")
    recording = speech("asr/set_a_timer_for_five_minutes")
    asr = asr_server(config)
    service = await asr.__aenter__()
    front = front_server(config, {"asr": service.address})
    address = (await front.__aenter__()).address
    async with AsyncClient.from_uri(address.uri) as speaking, connect(address) as idle:
        await speaking.write_event(Event("transcribe"))
        await speaking.write_event(audio_start(recording).event())
        first, *rest = chunks(recording, 100)
        await speaking.write_event(first.event())
        await speaking.write_event(Event("ping"))
        assert (await read(speaking)).type == "pong"  # the speech-to-text server has the first words
        stopping = asyncio.gather(front.__aexit__(None, None, None), asr.__aexit__(None, None, None))
        assert await idle.read(WAIT_S) is None
        with pytest.raises(ServerUnavailable):
            await describe(address)
        for chunk in rest:
            await speaking.write_event(chunk.event())
        await speaking.write_event(Event("audio-stop"))
        transcript = await read(speaking)
        assert transcript.data["text"] == "set a timer for five minutes"
    await stopping


async def test_who_never_ends_a_command_is_not_waited_for_longer_than_that(configured: Configured) -> None:
    config = configured(SUPERVISE__DRAIN_S="0.1")
    async with asr_server(config) as service:
        client = AsyncClient.from_uri(service.address.uri)
        await client.connect()
        await client.write_event(Event("audio-start", {"rate": 16_000, "width": 2, "channels": 1}))
        await client.write_event(Event("ping"))
        await read(client)
    assert await asyncio.wait_for(client.read_event(), WAIT_S) is None
    await client.disconnect()


def proxied(source: str) -> bytes:
    """The header of PROXY protocol version 2 for a client."""
    packed = ipaddress.ip_address(source).packed
    rest = packed + packed + bytes(4)
    family = 0x11 if len(packed) == 4 else 0x21
    return SIGNATURE + bytes([0x21, family]) + len(rest).to_bytes(2, "big") + rest


async def asked(service_uri: str, before: bytes) -> Event | None:
    """The server's answer to a ``describe`` that follows these bytes."""
    async with AsyncClient.from_uri(service_uri) as client:
        assert client._writer is not None  # noqa: SLF001  # the client offers no way to send bytes
        client._writer.write(before)  # noqa: SLF001
        await client.write_event(Event("describe"))
        return await asyncio.wait_for(client.read_event(), WAIT_S)


@pytest.mark.parametrize(
    ("before", "answer"),
    [
        (proxied("192.168.1.20"), "info"),
        (proxied("fd00::20"), "info"),
        (proxied("8.8.8.8"), "error"),
        (SIGNATURE + b"\x20\x00\x00\x00", "info"),
        (b"", "error"),
        (SIGNATURE + b"\x21\x31\x00\x00", "error"),
    ],
)
async def test_whom_a_proxy_names_is_the_client(configured: Configured, before: bytes, answer: str) -> None:
    async with asr_server(configured(ASR__ACCESS__PROXIES="[127.0.0.1]")) as service:
        event = await asked(service.address.uri, before)
        assert event is not None
        assert event.type == answer


async def test_a_header_from_elsewhere_is_refused(configured: Configured) -> None:
    async with asr_server(configured()) as service:
        event = await asked(service.address.uri, proxied("192.168.1.20"))
        assert event is None or event.type == "error"


async def test_limits_hold_for_the_client_behind_the_proxy(configured: Configured) -> None:
    config = configured(
        ASR__ACCESS__PROXIES="[127.0.0.1]",
        ASR__LIMITS__MAX_CONNECTIONS_PER_ADDRESS="1",
    )
    async with asr_server(config) as service, AsyncClient.from_uri(service.address.uri) as first:
        assert first._writer is not None  # noqa: SLF001
        first._writer.write(proxied("192.168.1.20"))  # noqa: SLF001
        await first.write_event(Event("audio-start", {"rate": 16_000, "width": 2, "channels": 1}))  # else it is idle
        await first.write_event(Event("describe"))
        assert (await read(first)).type == "info"
        refused = await asked(service.address.uri, proxied("192.168.1.20"))
        assert refused is not None
        assert refused.type == "error"
        other = await asked(service.address.uri, proxied("192.168.1.21"))
        assert other is not None
        assert other.type == "info"
