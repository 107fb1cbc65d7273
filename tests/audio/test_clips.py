import numpy as np
import pytest

from irene_wyoming.audio.cache import TUNE_EVERY
from irene_wyoming.audio.clips import ENTRY_BYTES, ClipCache
from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import SPEECH, AudioFormat, Quality

STUDIO = AudioFormat(48_000, 2, 1)


def clip(seed: int = 1, seconds: float = 0.2) -> bytes:
    return np.random.default_rng(seed).integers(-9000, 9000, int(48_000 * seconds)).astype("<i2").tobytes()


def convert(pcm: bytes, quality: Quality, *, live: bool) -> bytes:
    converter = Converter(STUDIO, SPEECH, quality, live=live)
    return converter.push(pcm) + converter.flush()


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("quality", [Quality.FAST, Quality.HIGH])
def test_a_clip_is_converted_once_as_the_converter_does(quality: Quality, live: bool) -> None:
    clips = ClipCache()
    first, found = clips.convert(clip(), STUDIO, SPEECH, quality, live=live)
    assert not found
    assert first == convert(clip(), quality, live=live)
    again, found = clips.convert(clip(), STUDIO, SPEECH, quality, live=live)
    assert found
    assert again is first


def test_other_content_format_or_quality_is_another_clip() -> None:
    clips = ClipCache()
    stereo = AudioFormat(48_000, 2, 2)
    wide = AudioFormat(16_000, 3, 1)
    nearly = clip()[:-1] + b"\x00"
    asked = [
        (clip(), STUDIO, SPEECH, Quality.HIGH, False),
        (nearly, STUDIO, SPEECH, Quality.HIGH, False),
        (clip(), stereo, SPEECH, Quality.HIGH, False),
        (clip(), STUDIO, wide, Quality.HIGH, False),
        (clip(), STUDIO, SPEECH, Quality.FAST, False),
        (clip(), STUDIO, SPEECH, Quality.HIGH, True),
    ]
    for _ in range(2):
        for pcm, source, target, quality, live in asked:
            clips.convert(pcm, source, target, quality, live=live)
    assert clips.stats().cache_misses == clips.stats().cache_hits == len(asked)


def test_what_needs_no_conversion_is_neither_looked_up_nor_kept() -> None:
    clips = ClipCache()
    pcm = bytes(640)
    converted, found = clips.convert(pcm, SPEECH, SPEECH, Quality.HIGH)
    assert converted is pcm
    assert not found
    assert clips.stats().lookups == clips.stats().cache_size == 0


def test_the_budget_counts_the_recording_and_its_conversion() -> None:
    clips = ClipCache(budget=60_000)
    clips.convert(clip(1), STUDIO, SPEECH, Quality.HIGH)
    assert clips.stats().bytes == len(clip()) + len(clip()) // 3 + ENTRY_BYTES
    for seed in (2, 3):
        clips.convert(clip(seed), STUDIO, SPEECH, Quality.HIGH)
    assert clips.stats().cache_size == 2
    assert clips.stats().evictions == 1


def test_a_clip_that_was_shed_is_converted_again() -> None:
    clips = ClipCache()
    clips.convert(clip(), STUDIO, SPEECH, Quality.HIGH)
    assert clips.shed(1) > len(clip())
    assert clips.convert(clip(), STUDIO, SPEECH, Quality.HIGH)[1] is False


def test_the_budget_grows_until_clips_that_recur_are_held() -> None:
    clips = ClipCache(budget=30_000, lowest=30_000, highest=200_000)
    pcm = [clip(1), clip(2)]
    for n in range(2 * TUNE_EVERY + 4):
        _, found = clips.convert(pcm[n % 2], STUDIO, SPEECH, Quality.FAST, live=True)
    assert found
    assert 2 * len(pcm[0]) < clips.stats().bytes <= clips.stats().budget < 200_000


def test_aiming_at_a_hit_rate_tells_the_budget() -> None:
    assert ClipCache(budget=30_000).tune(0.9) == 30_000
