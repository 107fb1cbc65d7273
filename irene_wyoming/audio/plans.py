"""Filter plans, computed once per ratio and quality and shared by all streams.

Computing one takes 1 to 20 ms, as long as converting a second of audio. A plan from this cache takes microseconds.
"""

from collections.abc import Iterable
from functools import lru_cache

from irene_wyoming.audio import fir
from irene_wyoming.audio.cache import CacheStats
from irene_wyoming.audio.format import Quality

MAX_PLANS = 32
"""Plans kept at most. Eleven rates are in use, so one level to and from 16 kHz needs 22 plans, 3 MB. Hostile clients
with odd ratios make it 32 MB at most (``fir.MAX_TABLE_BYTES``).
"""


@lru_cache(MAX_PLANS)
def fir_plan(source_rate: int, target_rate: int, quality: Quality) -> fir.FirPlan:
    """Give the weights for two rates (Hz) and a quality. Streams keep their plan when it leaves the cache.

    :param quality: one of ``fir.LEVELS``.
    """
    return fir.plan(source_rate, target_rate, quality)


def warm(conversions: Iterable[tuple[int, int]], qualities: Iterable[Quality] = tuple(fir.LEVELS)) -> int:
    """Compute plans before they are needed; returns how many the cache holds.

    :param conversions: pairs of source and target rate, Hz. Equal rates, and ratios whose plan would be too large, need
        none.
    """
    levels = tuple(qualities)
    for source, target in conversions:
        for level in levels:
            if source != target and fir.fits(source, target, level):
                fir_plan(source, target, level)
    return fir_plan.cache_info().currsize


def stats() -> CacheStats:
    """Lookups and number of plans; their bytes are not counted."""
    hits, misses, _, held = fir_plan.cache_info()
    return CacheStats(cache_hits=hits, cache_misses=misses, cache_size=held)


def clear() -> None:
    """Forget all plans and their counts."""
    fir_plan.cache_clear()
