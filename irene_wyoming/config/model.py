"""The configuration as the rest of the program sees it: frozen, complete, checked."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from irene_wyoming.audio.format import AudioFormat, Mix
from irene_wyoming.engines.base import Sensitivity, Vocabulary, WakeSettings
from irene_wyoming.errors import ConfigError
from irene_wyoming.routing.policy import PolicyName

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]

MAX_PORT = 65_535

MIN_BLOCK_MS = 5
"""Shorter ones are lost on a busy machine."""

MAX_BLOCK_MS = 100
"""Longer ones are too long for some sound cards' buffers."""

MAX_SOCKET_PATH = 107
"""Bytes. Linux keeps a unix socket's path in 108, the closing zero included."""

_TCP = re.compile(r"(?P<scheme>tcp|tls)://(?:\[(?P<ipv6>[^\[\]]+)\]|(?P<host>[^\s:/@?#\[\]]+)):(?P<port>[0-9]{1,5})/?")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens: TCP host and port, or a unix socket."""

    host: str = ""
    port: int = 0
    """0: any free port (tests)."""
    path: str = ""
    """Unix socket; empty for TCP."""
    tls: bool = False
    trust: Path | None = None
    """With tls: the certificate that a client must find there; None: any that its system trusts."""
    token: str = field(default="", repr=False)
    """What a client shows first; empty: nothing."""

    @property
    def uri(self) -> str:
        if self.path:
            return f"unix://{self.path}"
        scheme = "tls" if self.tls else "tcp"
        return f"{scheme}://[{self.host}]:{self.port}" if ":" in self.host else f"{scheme}://{self.host}:{self.port}"

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Read ``tcp://host:port`` or ``tls://host:port`` (IPv6 in brackets), or ``unix:///absolute/path``.

        :raises ConfigError: naming the address and what is wrong with it.
        """
        if uri.startswith("unix://"):
            return cls(path=_socket_path(uri, uri.removeprefix("unix://")))
        found = _TCP.fullmatch(uri)
        if not found:
            raise ConfigError(
                f"{uri!r}: expected tcp://host:port, with an IPv6 address in brackets, or unix:///path/of/socket"
            )
        if int(found["port"]) > MAX_PORT:
            raise ConfigError(f"{uri!r}: expected a port, 0 to {MAX_PORT}")
        host = found["host"] or _ipv6(uri, found["ipv6"])
        return cls(host=host, port=int(found["port"]), tls=found["scheme"] == "tls")


def _socket_path(uri: str, path: str) -> str:
    if not path.startswith("/") or path.endswith("/") or not path.isprintable():
        raise ConfigError(f"{uri!r}: expected the absolute path of a socket, with three slashes: unix:///run/wake.sock")
    if len(path.encode()) > MAX_SOCKET_PATH:
        raise ConfigError(f"{uri!r}: expected a path of at most {MAX_SOCKET_PATH} bytes")
    return path


def _ipv6(uri: str, host: str) -> str:
    try:
        return str(ipaddress.IPv6Address(host))
    except ValueError as error:
        raise ConfigError(f"{uri!r}: expected an IPv6 address in the brackets") from error


@dataclass(frozen=True, slots=True)
class Access:
    """Who may connect to one server, and how."""

    allow: tuple[Network, ...]
    """Networks that clients may connect from, besides this machine itself."""
    socket_mode: int
    """Permissions of a unix socket."""
    certificate: Path | None
    """PEM, with the chain up to its authority; the server then speaks TLS and nothing else. None: no TLS."""
    key: Path | None
    """PEM; None: it is in the certificate's file."""
    token_file: Path | None
    """Whoever shows the token in it may connect from anywhere. None: nobody may, but from ``allow``."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server accepts from the network. default.yaml gives the reason of each number."""

    max_connections: int
    max_connections_per_address: int
    """From one network address."""
    header_bytes: int
    data_bytes: int
    payload_bytes: int
    total_payload_bytes: int
    """Of all clients together, those up to 64 KiB not counted."""
    event_timeout_s: float
    """From the first byte of an event to its last."""
    write_timeout_s: float
    """A peer that reads nothing for so long is dropped."""
    idle_timeout_s: float
    """Silence of a peer after which it is dropped, where a role has no reason to wait longer."""


@dataclass(frozen=True, slots=True)
class AudioProfile:
    """How a server treats the audio that it is sent (wake, ASR) or sends (mic)."""

    sample_rate: int
    """Hz."""
    channels: int
    resample_quality: str
    """A quality level, or the name of another method."""
    mix: Mix
    """How several channels become one."""
    allow_resampling: bool
    """False: audio of any other format than the server's own is refused."""
    strict_validation: bool
    """True: audio that contradicts its audio-start, or cuts a frame in two, is refused; False: made the best of."""
    chunk_size: int
    """Frames: wake and ASR hand at most so many to an engine at a time; mic sends so many per chunk."""


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """One engine: whether it is used, and its options with every default filled in."""

    enabled: bool
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AsrProviderConfig(ProviderConfig):
    """Besides: how it is kept from harming the others."""

    deadline_s: float
    """From the end of the audio to its transcript; then the next provider is asked."""
    process: bool
    """True: it runs in a process of its own."""
    memory_mb: int | None
    """Of that process; more, and it is ended. None: no limit."""


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """What the three servers have in common."""

    enabled: bool
    address: Address
    audio: AudioProfile
    limits: Limits
    access: Access


@dataclass(frozen=True, slots=True)
class SatelliteConfig:
    """How one satellite's words are heard, where that differs from the others'."""

    settings: WakeSettings
    """For every word."""
    models: Mapping[str, WakeSettings]
    """By word, for some; goes before ``settings``."""


@dataclass(frozen=True, slots=True)
class RecordingsConfig:
    """Recordings of wake words that were heard, or nearly."""

    enabled: bool
    folder: Path | None
    """None: under the data folder."""
    near_miss_threshold: float | None
    """Score of a word that was not heard from which it is kept, 0 to 1; None: it is not."""
    seconds_before: float
    max_files: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class WakeConfig(ServerConfig):
    default_models: tuple[str, ...]
    """Words to listen for when a client names none."""
    models: Mapping[str, WakeSettings]
    """By word, for every satellite."""
    satellites: Mapping[str, SatelliteConfig]
    """By address, network or name."""
    idle_gate: bool
    """Whether an engine rests while nothing changes."""
    recordings: RecordingsConfig
    providers: Mapping[str, ProviderConfig]
    default_provider: str
    fallback_providers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BreakerConfig:
    """When a provider that fails is left alone."""

    failures: int
    """In a row."""
    cool_down_s: float
    """The first time; doubled with each trial that fails up to cool_down_max_s."""
    cool_down_max_s: float


@dataclass(frozen=True, slots=True)
class AdmissionConfig:
    """How many utterances are heard at a time."""

    at_once: int
    waiting: int
    """Further ones that wait for their turn; beyond that a client is told to try again."""
    answer_timeout_s: float
    """From the end of an utterance to its transcript, waiting included."""


@dataclass(frozen=True, slots=True)
class EndpointingConfig:
    """How the end of a command is found."""

    enabled: bool
    """False: clients say where it is."""
    silence_s: Mapping[Sensitivity, float]
    """Silence that ends a command, by what a client asks for."""
    timeout_s: float
    """A command is over after this in any case."""


@dataclass(frozen=True, slots=True)
class AsrConfig(ServerConfig):
    language: str
    max_utterance_s: float
    """Audio of one utterance, seconds; more is refused."""
    vocabulary: Vocabulary
    providers: Mapping[str, AsrProviderConfig]
    default_provider: str
    fallback_providers: tuple[str, ...]
    policy: PolicyName
    cascade_confidence: float
    """cascade: least confidence, 0 to 1, of the first provider's answer that needs no second one."""
    breaker: BreakerConfig
    admission: AdmissionConfig
    trim_silence: bool | None
    """Silence before and after speech is not decoded. None: where an engine does not look for speech itself."""
    endpointing: EndpointingConfig


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """Where the microphone server gets its audio."""

    kind: Literal["auto", "portaudio", "command", "wavfile", "silence"]
    device: str
    """portaudio: name, part of a name, or index; empty: the system's default."""
    command: tuple[str, ...]
    """command: program and arguments; it writes raw PCM to its standard output."""
    sample_rate: int
    """Hz; command and silence: what they deliver, never 0. portaudio: 0 is the device's own rate."""
    width: int
    """Bytes per sample, likewise; never 0."""
    channels: int
    """Likewise; portaudio: 0 is what the device has."""
    file: Path | None
    """wavfile: what to play, at the pace of the clock."""
    loop: bool
    """wavfile: from the start again at the end, without a gap; otherwise silence follows."""
    stall_s: float
    """auto, portaudio, command: without audio for so long, seconds, it is opened anew."""
    realtime_priority: int
    """Likewise: 1 to 99, of the thread or program that records; 0: like everything else."""


@dataclass(frozen=True, slots=True)
class MicOutput:
    """An address of the microphone server, and what is heard there."""

    address: Address
    format: AudioFormat
    resample_quality: str
    chunk_size: int
    """Frames."""


@dataclass(frozen=True, slots=True)
class MicConfig(ServerConfig):
    width: int
    """Bytes per sample that listeners get."""
    extra: tuple[MicOutput, ...]
    """Further addresses."""
    source: SourceConfig
    always_on: bool
    """The device is open even when nobody listens."""
    mute: bool
    """Listeners hear silence, and the device stays closed."""
    gain_db: float
    noise_suppression: int
    """0 (off) to 4."""
    auto_gain: int
    """dB below full scale that the level is brought to, up to 31; 0: off."""
    buffer_ms: int
    """Audio kept for a slow listener, ms; beyond it its oldest is dropped."""
    linger_s: float
    """How long the device stays open after the last listener has gone, seconds."""

    @property
    def format(self) -> AudioFormat:
        """What listeners get at the server's own address."""
        return AudioFormat(self.audio.sample_rate, self.width, self.audio.channels)

    @property
    def outputs(self) -> tuple[MicOutput, ...]:
        """The server's own address first."""
        own = MicOutput(self.address, self.format, self.audio.resample_quality, self.audio.chunk_size)
        return (own, *self.extra)

    @property
    def block_ms(self) -> int:
        """How much the device hands over at a time: a chunk for listeners, so that both cost one waking up."""
        chunk_ms = self.audio.chunk_size * 1000 // self.audio.sample_rate
        return min(max(chunk_ms, MIN_BLOCK_MS), MAX_BLOCK_MS)


@dataclass(frozen=True, slots=True)
class FrontConfig:
    enabled: bool
    address: Address
    limits: Limits
    access: Access


@dataclass(frozen=True, slots=True)
class DiscoveryConfig:
    zeroconf: bool
    name: str
    """What hubs show; empty: Irene and the host's name."""


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """The HTTP address of figures and health."""

    enabled: bool
    address: Address


@dataclass(frozen=True, slots=True)
class SuperviseConfig:
    """How ``run`` treats its servers."""

    restart_delay_s: float
    """Before the first restart; doubled with each further one up to restart_delay_max_s."""
    restart_delay_max_s: float
    healthy_after_s: float
    """A server that lived so long starts again from restart_delay_s."""
    drain_s: float
    """From SIGTERM on, for the transcripts that are under way."""
    stop_timeout_s: float
    """From SIGTERM to SIGKILL."""


@dataclass(frozen=True, slots=True)
class Config:
    log_level: LogLevel
    log_format: LogFormat
    data_dir: Path | None
    hardware: str
    """The profile that the defaults are of, never auto."""
    wake: WakeConfig
    asr: AsrConfig
    mic: MicConfig
    front: FrontConfig
    discovery: DiscoveryConfig
    metrics: MetricsConfig
    supervise: SuperviseConfig
