"""The performance guide's examples run as written, with our package's name."""

import time
from typing import Any

from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.batch.converter import AudioFormatConverter
from irene_wyoming.batch.data import AudioData
from irene_wyoming.batch.methods import ConversionMethod
from irene_wyoming.batch.processor import AudioProcessor
from tests.batch.recordings import chunks, noise


def create_test_audio(sample_rate: int, seconds: float) -> AudioData:
    return AudioData(
        data=noise(AudioFormat(sample_rate, 2, 1), seconds),
        timestamp=time.time(),
        sample_rate=sample_rate,
        channels=1,
        format="pcm16",
        metadata={},
    )


async def test_quality_measurement() -> None:
    audio_data = create_test_audio(44100, 1.0)
    methods = [
        (ConversionMethod.LINEAR, "fast"),
        (ConversionMethod.POLYPHASE, "medium"),
        (ConversionMethod.SINC_KAISER, "high"),
        (ConversionMethod.ADAPTIVE, "adaptive"),
    ]
    for method, name in methods:
        result = await AudioProcessor.resample_audio_data(audio_data, 16000, method)
        assert (result.sample_rate, len(result.data)) == (16000, 32000)
        assert method.quality == name


async def test_chunked_processing() -> None:
    audio_chunks = chunks(create_test_audio(48000, 0.5), 0.1)
    converted_chunks = await AudioFormatConverter.convert_audio_data_streaming(
        audio_chunks, target_rate=16000, parallel_processing=True
    )
    assert [len(chunk.data) for chunk in converted_chunks] == [3200] * 5


async def test_monitoring_cache_effectiveness() -> None:
    AudioProcessor.clear_cache()
    hits = []
    for _ in range(2):
        result = await AudioProcessor.resample_audio_data(create_test_audio(48000, 0.1), 16000)
        hits.append(result.metadata.get("cache_hit", False))
    assert hits == [False, True]
    stats: dict[str, Any] = AudioProcessor.get_cache_stats()
    said = f"{stats['hit_rate']:.2%} {stats['cache_size']} {stats['cache_hits']} {stats['cache_misses']}"
    assert said.split()[1] == "1"
    AudioProcessor.clear_cache()
    assert AudioProcessor.get_cache_stats()["cache_size"] == 0


async def test_custom_conversion_methods() -> None:
    class CustomAudioProcessor(AudioProcessor):
        @staticmethod
        async def fast_hardware_resample(audio_data: AudioData, target_rate: int) -> AudioData:
            return await AudioProcessor.resample_audio_data(audio_data, target_rate, ConversionMethod.LINEAR)

    processor = CustomAudioProcessor()
    result = await processor.fast_hardware_resample(create_test_audio(48000, 0.1), 16000)
    assert result.sample_rate == 16000
    assert processor.get_cache_stats() == AudioProcessor.get_cache_stats()
