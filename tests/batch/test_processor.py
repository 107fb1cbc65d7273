from collections.abc import Iterator

import pytest

from irene_wyoming.audio import plans
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.batch.methods import ConversionMethod
from irene_wyoming.batch.processor import INLINE_BYTES, AudioProcessor
from irene_wyoming.errors import UnsupportedFormat
from tests.batch.recordings import at_once, recording

CD = AudioFormat(44_100, 2, 2)


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    AudioProcessor.clear_cache()
    yield
    AudioProcessor.clear_cache()


@pytest.mark.parametrize("seconds", [0.1, 4.0])
@pytest.mark.parametrize("method", ConversionMethod, ids=str)
async def test_a_recording_is_converted_as_the_audio_core_does(method: ConversionMethod, seconds: float) -> None:
    audio = recording(CD, seconds)
    result = await AudioProcessor.resample_audio_data(audio, 16_000, method)
    assert (result.sample_rate, result.channels, result.format) == (16_000, 2, "pcm16")
    assert result.timestamp == audio.timestamp
    assert result.data == at_once(audio.data, CD, AudioFormat(16_000, 2, 2), method)


@pytest.mark.parametrize("seconds", [0.1, 4.0])
async def test_the_same_recording_again_is_a_cache_hit(seconds: float) -> None:
    audio = recording(CD, seconds)
    assert (len(audio.data) > INLINE_BYTES) == (seconds > 1)
    before = AudioProcessor.get_cache_stats()
    first = await AudioProcessor.resample_audio_data(audio, 16_000)
    again = await AudioProcessor.resample_audio_data(recording(CD, seconds), 16_000)
    assert (first.metadata["cache_hit"], again.metadata["cache_hit"]) == (False, True)
    assert again.data == first.data
    stats = AudioProcessor.get_cache_stats()
    assert stats["cache_hits"] - before["cache_hits"] == stats["cache_misses"] - before["cache_misses"] == 1
    assert stats["cache_size"] == 1
    assert stats["bytes"] > len(audio.data)
    assert 0 < stats["hit_rate"] < 1


async def test_a_cleared_cache_converts_again() -> None:
    audio = recording(CD, 0.1)
    await AudioProcessor.resample_audio_data(audio, 16_000)
    AudioProcessor.clear_cache()
    assert AudioProcessor.get_cache_stats()["bytes"] == 0
    assert (await AudioProcessor.resample_audio_data(audio, 16_000)).metadata["cache_hit"] is False


async def test_the_same_rate_gives_the_same_bytes_object() -> None:
    audio = recording(CD, 0.1)
    assert (await AudioProcessor.resample_audio_data(audio, 44_100)).data is audio.data


async def test_a_rate_that_is_not_accepted_is_refused() -> None:
    with pytest.raises(UnsupportedFormat, match="rate 1: expected"):
        await AudioProcessor.resample_audio_data(recording(CD, 0.1), 1)


def test_a_warm_cache_has_the_plans_of_the_common_rates() -> None:
    plans.clear()
    assert AudioProcessor.warm_cache() == 9
    before = plans.stats()
    assert AudioProcessor.warm_cache([(48_000, 16_000), (16_000, 16_000)]) == 9
    assert plans.stats().cache_misses == before.cache_misses


def test_tuning_tells_the_budget() -> None:
    assert AudioProcessor.tune_cache(0.6) == AudioProcessor.get_cache_stats()["budget"]


def test_the_optimal_path_is_a_method_and_a_reason() -> None:
    path = AudioProcessor.get_optimal_conversion_path(48_000, 16_000)
    assert path.method is ConversionMethod.POLYPHASE
    assert "48000 to 16000 Hz" in path.why
