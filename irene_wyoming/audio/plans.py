"""Filter plans, computed once per ratio and quality and shared by all streams.

A plan takes 1 to 20 ms to compute, as long as a second of audio takes to convert; a stream that finds it here starts in
microseconds.
"""

from collections.abc import Iterable

from irene_wyoming.audio import fir
from irene_wyoming.audio.cache import ByteBudgetCache, CacheStats
from irene_wyoming.audio.format import Quality

BUDGET = 8 << 20
"""Bytes. The plans of all rates in use from 8 to 192 kHz, to and from 16 kHz at every level, take 80 % of it."""

CACHE: ByteBudgetCache[tuple[int, int, Quality], fir.FirPlan] = ByteBudgetCache(BUDGET, lambda _, plan: plan.nbytes)
"""One per process. Streams in use keep their plan, whatever happens here."""


def fir_plan(source_rate: int, target_rate: int, quality: Quality) -> fir.FirPlan:
    """The weights for this ratio, Hz, and quality.

    :param quality: one of ``fir.LEVELS``.
    """
    return CACHE.get_or_make((source_rate, target_rate, quality), lambda: fir.plan(source_rate, target_rate, quality))


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
    return CACHE.stats().cache_size


def stats() -> CacheStats:
    return CACHE.stats()


def clear() -> None:
    CACHE.clear()
