"""The section ``mic`` of the configuration."""

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
"""Least milliseconds of a block: shorter ones are lost on a busy machine."""

MAX_BLOCK_MS = 100
"""Most milliseconds of a block: longer ones exceed some sound cards' buffers."""


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """The microphone server's source of audio."""

    kind: Literal["auto", "portaudio", "command", "wavfile", "silence"] = setting(
        one_of(("auto", "portaudio", "command", "wavfile", "silence"))
    )
    device: str = setting(device)
    """Kind ``portaudio``: name, part of a name, or index; empty: the system's default."""
    command: tuple[str, ...] = setting(list_of(text, what="a program and its arguments as a list of text"))
    """Kind ``command``: program and arguments; it writes raw PCM to its standard output."""
    sample_rate: int = setting(or_zero(RATE))
    """Rate, Hz. Kinds ``command`` and ``silence``: what they deliver, never 0. ``portaudio``: 0 is the device's own."""
    width: int = setting(WIDTH)
    """Bytes per sample that the source delivers or is asked for, never 0."""
    channels: int = setting(or_zero(CHANNELS))
    """Channels. Kinds ``command`` and ``silence``: what they deliver, never 0. ``portaudio``: 0 is the device's own."""
    file: Path | None = setting(or_null(path))
    """Kind ``wavfile``: the file to play, at the pace of the clock."""
    loop: bool = setting(boolean)
    """Kind ``wavfile``: repeat it without a gap. False: silence follows it."""
    stall_s: float = setting(number("seconds", 0.5, 60))
    """Kinds ``auto``, ``portaudio``, ``command``: seconds without audio after which the source is reopened."""
    realtime_priority: int = setting(whole("a priority", 0, 99))
    """Priority of the thread or program that records, 1 to 99; 0: no special one."""

    def settled(self) -> Self:
        """Check the kind's settings; raises Wrong where one that it needs is missing."""
        if self.kind == "command" and not self.command:
            raise Wrong("expected a program and its arguments, since kind is command", ("command",))
        if self.kind == "wavfile" and self.file is None:
            raise Wrong("expected a file, since kind is wavfile", ("file",))
        return self


@dataclass(frozen=True, slots=True)
class ExtraConfig:
    """A further address of the microphone server, as written. None: as at the server's own address."""

    host: str | None = setting(or_null(host), default=None)
    port: int | None = setting(or_null(PORT), default=None)
    uri: Address | None = setting(or_null(uri), default=None)
    sample_rate: int | None = setting(or_null(RATE), default=None)
    width: int | None = setting(or_null(WIDTH), default=None)
    channels: int | None = setting(or_null(CHANNELS), default=None)
    resample_quality: str | None = setting(or_null(one_of(method_names())), default=None)
    chunk_size: int | None = setting(or_null(CHUNK_SIZE), default=None)

    def settled(self) -> Self:
        """Check the address; raises Wrong where it is not a further one."""
        if self.uri is None and self.port is None:
            raise Wrong("expected a port or a uri")
        return self


@dataclass(frozen=True, slots=True)
class MicOutput:
    """An address of the microphone server, and the audio that listeners get there."""

    address: Address
    format: AudioFormat
    resample_quality: str
    chunk_size: int
    """Frames per chunk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MicConfig(ServerConfig):
    width: int = setting(WIDTH)
    """Bytes per sample that listeners get."""
    extra: tuple[ExtraConfig, ...] = setting(list_of(checked(ExtraConfig), what="a list of outputs"))
    """Further addresses as written; ``outputs`` has them filled in."""
    always_on: bool = setting(boolean)
    """Whether the device is open even when nobody listens."""
    mute: bool = setting(boolean)
    """Whether listeners hear silence and the device stays closed."""
    gain_db: float = setting(number("decibel", -60, 60))
    noise_suppression: int = setting(whole("a level", 0, 4))
    """Level of noise suppression, 0 (off) to 4."""
    auto_gain: int = setting(whole("decibel below full scale", 0, 31))
    """Target level, dB below full scale; 0: off."""
    source: SourceConfig
    buffer_ms: int = setting(whole("milliseconds", 100, 60_000))
    """Milliseconds of audio kept for a slow listener; beyond it the oldest is dropped."""
    linger_s: float = setting(number("seconds", 0, MAX_WAIT_S))
    """Seconds that the device stays open after the last listener has gone."""

    @property
    def format(self) -> AudioFormat:
        """The audio format at the server's own address."""
        return AudioFormat(self.audio.sample_rate, self.width, self.audio.channels)

    @property
    def outputs(self) -> tuple[MicOutput, ...]:
        """All addresses with their audio; the server's own comes first."""
        own = MicOutput(self.address, self.format, self.audio.resample_quality, self.audio.chunk_size)
        return (own, *(self._output(extra) for extra in self.extra))

    @property
    def block_ms(self) -> int:
        """Milliseconds of audio per block of the device: a chunk for listeners, so that one wake-up serves both."""
        chunk_ms = self.audio.chunk_size * 1000 // self.audio.sample_rate
        return min(max(chunk_ms, MIN_BLOCK_MS), MAX_BLOCK_MS)

    def settled(self) -> Self:
        """Fill in the address. A source whose format cannot be asked is taken to deliver the listeners' format, unless
        set.

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
        """Fill in a further address from the server's own settings; a chunk lasts as long as there."""
        own = self.format
        form = AudioFormat(extra.sample_rate or own.rate, extra.width or own.width, extra.channels or own.channels)
        return MicOutput(
            secured(extra.uri or Address(extra.host or self.host, extra.port or 0), self.access),
            form,
            extra.resample_quality or self.audio.resample_quality,
            extra.chunk_size or max(1, self.audio.chunk_size * form.rate // own.rate),
        )
