"""AudioProcessor: whole recordings resampled, with a cache for those that come again."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from irene_wyoming.audio import plans
from irene_wyoming.audio.clips import TARGET_HIT_RATE, ClipCache
from irene_wyoming.audio.format import AudioFormat
from irene_wyoming.audio.methods import resampler
from irene_wyoming.batch.data import AudioData, converted
from irene_wyoming.batch.methods import ConversionMethod, ConversionPath, UseCase, optimal_path

COMMON_CONVERSIONS = ((44_100, 16_000), (48_000, 16_000), (16_000, 44_100))
"""Pairs of rates, Hz, that are common between sound cards and engines."""

INLINE_BYTES = 1 << 17
"""Bytes, in or out, up to which a conversion runs on the event loop (1.4 s of 48 kHz, 1 ms). A thread converts more."""


class AudioProcessor:
    """Resamples whole recordings, with one cache for the process.

    For the chunks of a stream use ``AudioFormatConverter``.
    """

    clips: ClassVar[ClipCache] = ClipCache()

    @classmethod
    async def resample_audio_data(
        cls, audio: AudioData, target_rate: int, method: ConversionMethod = ConversionMethod.ADAPTIVE
    ) -> AudioData:
        """Resample a recording to another rate, Hz; ``metadata["cache_hit"]`` tells whether it was cached.

        :raises UnsupportedFormat: a rate, format or channel count outside of what is accepted.
        """
        source = audio.audio_format
        return await cls.convert(audio, replace(source, rate=target_rate), method)

    @classmethod
    async def convert(cls, audio: AudioData, target: AudioFormat, method: ConversionMethod) -> AudioData:
        """Convert a recording to another format; ``metadata["cache_hit"]`` tells whether it was cached."""
        source = audio.audio_format
        arguments = (audio.data, source, target, method.quality)
        larger = max(len(audio.data), round(source.seconds(len(audio.data)) * target.rate) * target.frame_bytes)
        if larger <= INLINE_BYTES:
            data, hit = cls.clips.convert(*arguments, live=method.live)
        else:
            data, hit = await asyncio.to_thread(cls.clips.convert, *arguments, live=method.live)
        return converted(audio, data, target, cache_hit=hit)

    @classmethod
    def get_cache_stats(cls) -> dict[str, float]:
        """Figures of the cache: ``cache_hits``, ``cache_misses``, ``hit_rate`` (0 to 1), ``cache_size`` (recordings),
        ``bytes``, ``budget`` (bytes) and ``evictions``.
        """
        stats = cls.clips.stats()
        return {
            "cache_hits": stats.cache_hits,
            "cache_misses": stats.cache_misses,
            "hit_rate": stats.hit_rate,
            "cache_size": stats.cache_size,
            "bytes": stats.bytes,
            "budget": stats.budget,
            "evictions": stats.evictions,
        }

    @classmethod
    def clear_cache(cls) -> None:
        """Forget all recordings; the counts go on."""
        cls.clips.clear()

    @classmethod
    def warm_cache(cls, conversions: Iterable[tuple[int, int]] = COMMON_CONVERSIONS) -> int:
        """Prepare the filters for pairs of rates (Hz), so that the first recording need not wait up to 60 ms for each.

        Returns how many filters are held. No recording is put into the cache.
        """
        pairs = list(conversions)
        for source_rate, target_rate in pairs:
            if source_rate != target_rate:
                method = ConversionMethod.ADAPTIVE
                resampler(
                    source_rate, target_rate, 1, method.quality, live=method.live
                )  # loads the long filter's library
        return plans.warm(pairs)

    @classmethod
    def tune_cache(cls, target_hit_rate: float = TARGET_HIT_RATE) -> int:
        """Aim the cache's budget at a hit rate, 0 to 1, from now on; returns the present budget, bytes."""
        return cls.clips.tune(target_hit_rate)

    @staticmethod
    def get_optimal_conversion_path(
        source_rate: int, target_rate: int, use_case: UseCase = "general"
    ) -> ConversionPath:
        """Choose the method for a use case from one rate (Hz) to another, with the reason."""
        return optimal_path(source_rate, target_rate, use_case)
