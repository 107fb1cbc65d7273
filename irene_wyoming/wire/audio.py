"""Audio events: their format, their timestamps, and several chunks as one event."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from wyoming.audio import AudioChunk as ChunkEvent
from wyoming.audio import AudioStart, AudioStop
from wyoming.event import Event

from irene_wyoming.audio.format import AudioFormat


@dataclass
class AudioRun(Event):
    """Audio chunks of one format that arrived together, as one chunk with all their audio."""

    chunks: Sequence[tuple[int, int | None]] = ()
    """The end of each chunk in the payload (bytes) and its timestamp, as ``timestamp`` gives it."""


def is_audio(event_type: str) -> bool:
    """Whether events of this type carry audio."""
    return ChunkEvent.is_type(event_type)


def audio_format(data: dict[str, Any]) -> AudioFormat:
    """Read the format fields of an audio event.

    :raises UnsupportedFormat: a field is missing, of the wrong type, or out of range.
    """
    fields = data.get("rate"), data.get("width"), data.get("channels")
    try:
        return _audio_format(*fields)
    except TypeError:  # a value such as a list cannot be a key of the cache
        return AudioFormat(*fields)  # type: ignore[arg-type]  # it checks


@lru_cache(maxsize=256, typed=True)
def _audio_format(rate: Any, width: Any, channels: Any) -> AudioFormat:
    """Make an audio format, cached: every chunk repeats its format, mostly the same one."""
    return AudioFormat(rate, width, channels)


def timestamp(data: dict[str, Any]) -> int | None:
    """The timestamp of an audio event, as sent; None where it is missing or cannot be sent back."""
    value = data.get("timestamp")
    return int(value) if isinstance(value, int | float) and type(value) is not bool and abs(value) < 2**63 else None


def chunks(event: Event) -> Sequence[tuple[int, int | None]]:
    """The chunks of an audio event, at least one, in the form of ``AudioRun.chunks``."""
    return event.chunks if isinstance(event, AudioRun) else [(len(event.payload or b""), timestamp(event.data))]


def layout(form: AudioFormat) -> dict[str, int]:
    """The format as the fields of an audio event."""
    return {"rate": form.rate, "width": form.width, "channels": form.channels}


def start_event(form: AudioFormat, stamp: int | None = None) -> Event:
    """Make an ``audio-start`` event."""
    return AudioStart(**layout(form), timestamp=stamp).event()


def chunk_event(form: AudioFormat, pcm: bytes, stamp: int | None = None) -> Event:
    """Make an ``audio-chunk`` event with this audio."""
    return ChunkEvent(**layout(form), audio=pcm, timestamp=stamp).event()


def stop_event(stamp: int | None = None) -> Event:
    """Make an ``audio-stop`` event."""
    return AudioStop(timestamp=stamp).event()
