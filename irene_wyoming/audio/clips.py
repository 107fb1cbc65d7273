"""Whole recordings that were converted before: retries on another engine, repeated prompts, tests.

For whole recordings only. A chunk of a live stream is never the same twice, and its conversion depends on what came
before it, so live streams look nothing up here.
"""

from irene_wyoming.audio.cache import ByteBudgetCache, CacheStats
from irene_wyoming.audio.convert import Converter
from irene_wyoming.audio.format import AudioFormat

BUDGET = 16 << 20
"""Bytes of the whole cache: about 25 utterances of 5 s at 48 kHz, each in both formats."""

LOWEST, HIGHEST = 2 << 20, 64 << 20
TARGET_HIT_RATE = 0.6

ENTRY_BYTES = 600
"""Bytes of an entry besides its audio: the key's objects and the dict's slots."""

_Key = tuple[bytes, AudioFormat, AudioFormat, str, bool]


class ClipCache:
    """Caches conversions of whole recordings by their content.

    The key is the content itself, not a digest of it: its hash costs a quarter of blake2b's (25 us per second of 48 kHz
    against 110; the conversion 370), the same bytes object is hashed once in its life, and a hit compares the content,
    so it is never another recording's. The price is that the recording is kept beside its conversion; the budget counts
    both.
    """

    def __init__(self, budget: int = BUDGET, *, lowest: int | None = None, highest: int | None = None) -> None:
        self._cache: ByteBudgetCache[_Key, bytes] = ByteBudgetCache(
            budget,
            lambda key, converted: len(key[0]) + len(converted) + ENTRY_BYTES,
            lowest=min(LOWEST, budget) if lowest is None else lowest,
            highest=max(HIGHEST, budget) if highest is None else highest,
            target_hit_rate=TARGET_HIT_RATE,
        )

    def convert(
        self, pcm: bytes, source: AudioFormat, target: AudioFormat, quality: str, *, live: bool = False
    ) -> tuple[bytes, bool]:
        """Convert a whole recording; says also whether the result was found in this cache.

        :param quality: a level or another method's name.
        :param live: use the filters of live streams. False: the sharper ones for whole recordings.
        """
        if source == target:
            return Converter(source, target).push(pcm), False  # the same bytes, at less than the cost of a lookup
        key = (pcm, source, target, str(quality), live)
        found = self._cache.get(key)
        if found is not None:
            return found, True
        converter = Converter(source, target, quality, live=live)
        converted = converter.push(pcm) + converter.flush()
        self._cache.put(key, converted)
        return converted, False

    def stats(self) -> CacheStats:
        return self._cache.stats()

    def clear(self) -> None:
        self._cache.clear()

    def shed(self, fraction: float) -> int:
        """Give at least this share of the held bytes back; returns how many."""
        return self._cache.shed(fraction)

    def tune(self, target_hit_rate: float) -> int:
        """Set the wanted hit rate, 0 to 1; returns the budget in bytes that follows from the lookups so far."""
        self._cache.target_hit_rate = target_hit_rate
        return self._cache.tune(target_hit_rate)
