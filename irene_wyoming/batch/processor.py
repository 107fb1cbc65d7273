"""AudioProcessor: whole recordings from one sample rate to another, remembered where they may come again."""

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
"""Pairs of rates, Hz, between sound cards and engines."""

INLINE_BYTES = 1 << 17
"""Up to so much, in or out (1.4 s of 48 kHz, 1 ms of work), the event loop does not notice; a thread converts more."""


class AudioProcessor:
    """Resampling of whole recordings, with one cache for the process.

    A recording is converted as a whole: for chunks of one stream there is ``AudioFormatConverter``.
    """

    clips: ClassVar[ClipCache] = ClipCache()

    @classmethod
    async def resample_audio_data(
        cls, audio: AudioData, target_rate: int, method: ConversionMethod = ConversionMethod.ADAPTIVE
    ) -> AudioData:
        """The recording at another rate, Hz; ``metadata["cache_hit"]`` tells whether it was converted before.

        :raises UnsupportedFormat: a rate, format or channel count outside of what is accepted.
        """
        source = audio.audio_format
        return await cls.convert(audio, replace(source, rate=target_rate), method)

    @classmethod
    async def convert(cls, audio: AudioData, target: AudioFormat, method: ConversionMethod) -> AudioData:
        """The recording in another format; ``metadata["cache_hit"]`` tells whether it was converted before."""
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
        """``cache_hits``, ``cache_misses``, ``hit_rate`` (0 to 1), ``cache_size`` (recordings), ``bytes``, ``budget``
        (bytes) and ``evictions``."""
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
        """Let go of all recordings; the counts go on."""
        cls.clips.clear()

    @classmethod
    def warm_cache(cls, conversions: Iterable[tuple[int, int]] = COMMON_CONVERSIONS) -> int:
        """Prepare the filters for these pairs of rates, Hz, up to 60 ms each, so that the first recording does not
        wait for them; returns how many filters are held. No recording is invented for it."""
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
        """Which method to take from one rate to another, Hz, and why."""
        return optimal_path(source_rate, target_rate, use_case)
