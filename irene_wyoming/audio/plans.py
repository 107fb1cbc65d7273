"""Filter plans, computed once per ratio and quality and shared by all streams.

A plan takes 1 to 20 ms to compute, as long as a second of audio takes to convert; a stream that finds it here starts in
microseconds.
"""

from collections.abc import Iterable
from functools import lru_cache

from irene_wyoming.audio import fir
from irene_wyoming.audio.cache import CacheStats
from irene_wyoming.audio.format import Quality

MAX_PLANS = 32
"""Eleven rates are in use from 8 to 192 kHz, and a process converts at one level, to and from 16 kHz. Those 22 plans
take 3 MB. Clients that ask for odd ratios on purpose make it 32 MB at most (``fir.MAX_TABLE_BYTES``)."""


@lru_cache(MAX_PLANS)
def fir_plan(source_rate: int, target_rate: int, quality: Quality) -> fir.FirPlan:
    """The weights for this ratio, Hz, and quality. Streams in use keep their plan, whatever is forgotten here.

    :param quality: one of ``fir.LEVELS``.
    """
    return fir.plan(source_rate, target_rate, quality)


def warm(conversions: Iterable[tuple[int, int]], qualities: Iterable[Quality] = tuple(fir.LEVELS)) -> int:
    """Compute plans before they are needed; returns how many of them are held.

    :param conversions: pairs of source and target rate, Hz. Equal rates, and ratios whose plan would be too large,
        need none.
    """
    levels = tuple(qualities)
    for source, target in conversions:
        for level in levels:
            if source != target and fir.fits(source, target, level):
                fir_plan(source, target, level)
    return fir_plan.cache_info().currsize


def stats() -> CacheStats:
    """Lookups and plans held; bytes are not counted."""
    hits, misses, _, held = fir_plan.cache_info()
    return CacheStats(cache_hits=hits, cache_misses=misses, cache_size=held)


def clear() -> None:
    """Forget all plans, and the counts."""
    fir_plan.cache_clear()
