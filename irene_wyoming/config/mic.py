"""The section ``mic``."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

from irene_wyoming.audio.format import AudioFormat, method_names
from irene_wyoming.checks import (
    Wrong,
    boolean,
    host,
    list_of,
    number,
    one_of,
    or_null,
    or_zero,
    path,
    setting,
    text,
    whole,
)
from irene_wyoming.config.checks import CHANNELS, CHUNK_SIZE, PORT, RATE, WIDTH, device, uri
from irene_wyoming.config.section import checked
from irene_wyoming.config.server import MAX_WAIT_S, ServerConfig, secured
from irene_wyoming.wire.address import Address

MIN_BLOCK_MS = 5
"""Shorter ones are lost on a busy machine."""

MAX_BLOCK_MS = 100
"""Longer ones are too long for some sound cards' buffers."""


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """Where the microphone server gets its audio."""

    kind: Literal["auto", "portaudio", "command", "wavfile", "silence"] = setting(
        one_of(("auto", "portaudio", "command", "wavfile", "silence"))
    )
    device: str = setting(device)
    """portaudio: name, part of a name, or index; empty: the system's default."""
    command: tuple[str, ...] = setting(list_of(text, what="a program and its arguments as a list of text"))
    """command: program and arguments; it writes raw PCM to its standard output."""
    sample_rate: int = setting(or_zero(RATE))
    """Hz; command and silence: what they deliver, never 0. portaudio: 0 is the device's own rate."""
    width: int = setting(WIDTH)
    """Bytes per sample that the source delivers or is asked for, never 0."""
    channels: int = setting(or_zero(CHANNELS))
    """Channels. command and silence: what they deliver, never 0. portaudio: 0 is what the device has."""
    file: Path | None = setting(or_null(path))
    """wavfile: what to play, at the pace of the clock."""
    loop: bool = setting(boolean)
    """wavfile: from the start again at the end, without a gap; otherwise silence follows."""
    stall_s: float = setting(number("seconds", 0.5, 60))
    """auto, portaudio, command: without audio for so long, seconds, it is opened anew."""
    realtime_priority: int = setting(whole("a priority", 0, 99))
    """Priority of the thread or program that records, 1 to 99; 0: the same as everything else."""

    def settled(self) -> Self:
        """:raises Wrong: what this kind of source needs is not there."""
        if self.kind == "command" and not self.command:
            raise Wrong("expected a program and its arguments, since kind is command", ("command",))
        if self.kind == "wavfile" and self.file is None:
            raise Wrong("expected a file, since kind is wavfile", ("file",))
        return self


@dataclass(frozen=True, slots=True)
class ExtraConfig:
    """A further address of the microphone server, as it is written. None: as at the server's own address."""

    host: str | None = setting(or_null(host), default=None)
    port: int | None = setting(or_null(PORT), default=None)
    uri: Address | None = setting(or_null(uri), default=None)
    sample_rate: int | None = setting(or_null(RATE), default=None)
    width: int | None = setting(or_null(WIDTH), default=None)
    channels: int | None = setting(or_null(CHANNELS), default=None)
    resample_quality: str | None = setting(or_null(one_of(method_names())), default=None)
    chunk_size: int | None = setting(or_null(CHUNK_SIZE), default=None)

    def settled(self) -> Self:
        """:raises Wrong: it is no further address."""
        if self.uri is None and self.port is None:
            raise Wrong("expected a port or a uri")
        return self


@dataclass(frozen=True, slots=True)
class MicOutput:
    """An address of the microphone server, and what is heard there."""

    address: Address
    format: AudioFormat
    resample_quality: str
    chunk_size: int
    """Frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MicConfig(ServerConfig):
    width: int = setting(WIDTH)
    """Bytes per sample that listeners get."""
    extra: tuple[ExtraConfig, ...] = setting(list_of(checked(ExtraConfig), what="a list of outputs"))
    """Further addresses; ``outputs`` has what comes of them."""
    always_on: bool = setting(boolean)
    """The device is open even when nobody listens."""
    mute: bool = setting(boolean)
    """Listeners hear silence, and the device stays closed."""
    gain_db: float = setting(number("decibel", -60, 60))
    noise_suppression: int = setting(whole("a level", 0, 4))
    """0 (off) to 4."""
    auto_gain: int = setting(whole("decibel below full scale", 0, 31))
    """dB below full scale that the level is brought to; 0: off."""
    source: SourceConfig
    buffer_ms: int = setting(whole("milliseconds", 100, 60_000))
    """Audio kept for a slow listener, ms; beyond it its oldest is dropped."""
    linger_s: float = setting(number("seconds", 0, MAX_WAIT_S))
    """How long the device stays open after the last listener has gone, seconds."""

    @property
    def format(self) -> AudioFormat:
        """What listeners get at the server's own address."""
        return AudioFormat(self.audio.sample_rate, self.width, self.audio.channels)

    @property
    def outputs(self) -> tuple[MicOutput, ...]:
        """The server's own address first."""
        own = MicOutput(self.address, self.format, self.audio.resample_quality, self.audio.chunk_size)
        return (own, *(self._output(extra) for extra in self.extra))

    @property
    def block_ms(self) -> int:
        """How much the device hands over at a time: a chunk for listeners, so that both cost one waking up."""
        chunk_ms = self.audio.chunk_size * 1000 // self.audio.sample_rate
        return min(max(chunk_ms, MIN_BLOCK_MS), MAX_BLOCK_MS)

    def settled(self) -> Self:
        """With its address. A source that cannot be asked delivers what listeners get, unless something else is said.

        :raises Wrong: a further address cannot have its format.
        """
        source = self.source
        if source.kind in ("command", "silence"):
            source = replace(
                source,
                sample_rate=source.sample_rate or self.audio.sample_rate,
                channels=source.channels or self.audio.channels,
            )
        for index, output in enumerate(self.outputs[1:]):
            if output.format != self.format and not self.audio.allow_resampling:
                problem = f"expected the format of mic, {self.format}, since allow_resampling is off"
                raise Wrong(problem, ("extra", index))
        return replace(ServerConfig.settled(self), source=source)

    def _output(self, extra: ExtraConfig) -> MicOutput:
        """What is not given is as at the server's own address; a chunk lasts as long."""
        own = self.format
        form = AudioFormat(extra.sample_rate or own.rate, extra.width or own.width, extra.channels or own.channels)
        return MicOutput(
            secured(extra.uri or Address(extra.host or self.host, extra.port or 0), self.access),
            form,
            extra.resample_quality or self.audio.resample_quality,
            extra.chunk_size or max(1, self.audio.chunk_size * form.rate // own.rate),
        )
