import time

import pytest

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.batch.data import AudioData, converted
from irene_wyoming.errors import UnsupportedFormat


def test_a_recording_knows_its_format_and_duration() -> None:
    audio = AudioData(
        data=b"\x00\x01" * 800, timestamp=time.time(), sample_rate=16_000, channels=1, format="pcm16", metadata={}
    )
    assert audio.audio_format == AudioFormat(16_000, 2, 1)
    assert audio.duration_s == 0.05


@pytest.mark.parametrize(("name", "width"), [("pcm8", 1), ("pcm16", 2), ("pcm24", 3), ("pcm32", 4)])
def test_each_format_has_its_width(name: str, width: int) -> None:
    assert AudioData(b"", 0, 8_000, 2, name).audio_format.width == width


def test_recordings_do_not_share_their_metadata() -> None:
    assert AudioData(b"", 0, 8_000, 1).metadata is not AudioData(b"", 0, 8_000, 1).metadata


def test_a_conversion_keeps_the_time_and_the_metadata() -> None:
    audio = AudioData(b"\x00\x00", 7.5, 8_000, 1, metadata={"room": "attic"})
    after = converted(audio, b"\x00\x00\x00", AudioFormat(16_000, 3, 1), cache_hit=True)
    assert after == AudioData(b"\x00\x00\x00", 7.5, 16_000, 1, "pcm24", {"room": "attic", "cache_hit": True})
    assert audio.metadata == {"room": "attic"}


@pytest.mark.parametrize(
    ("audio", "says"),
    [
        (AudioData(b"", 0, 16_000, 1, "mp3"), "format 'mp3': expected pcm8, pcm16, pcm24, pcm32"),
        (AudioData(b"", 0, 100, 1), "rate 100"),
        (AudioData(b"", 0, 16_000, 99), "channels 99"),
    ],
)
def test_what_is_not_accepted_is_named(audio: AudioData, says: str) -> None:
    with pytest.raises(UnsupportedFormat, match=says):
        _ = audio.audio_format
