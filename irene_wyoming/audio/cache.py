"""ByteBudgetCache: a cache bounded in bytes; the least recently used entry is evicted first.

Threads may share a cache without a lock: each step is one call into Python's own dict, which the interpreter lock makes
atomic. A lost step leaves no count wrong for good. Two threads that miss the same key at once both make the value, and
one of the two is kept; a count of hits may miss one.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from operator import itemgetter
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MAX_ENTRIES = 1_000
"""Most entries of one cache: summing up the sizes of a thousand takes 35 us, little beside making a value."""

TUNE_EVERY = 100
"""Lookups between two adjustments of the budget: enough to measure a hit rate to a few percent."""

REGRETS = 0.01
"""Share of lookups that miss a recently evicted key. From here on a larger budget is worthwhile."""


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What a cache has done since it was made, and what it holds now."""

    cache_hits: int = 0
    cache_misses: int = 0
    cache_size: int = 0
    """Entries held."""
    bytes: int = 0
    """Bytes held."""
    budget: int = 0
    """Bytes that may be held."""
    evictions: int = 0
    """Entries that were evicted."""
    regrets: int = 0
    """Misses of recently evicted keys: a larger budget would have made them hits."""

    @property
    def lookups(self) -> int:
        return self.cache_hits + self.cache_misses

    @property
    def hit_rate(self) -> float:
        """Hits per lookup, 0 to 1; 0 before the first lookup."""
        return self.cache_hits / self.lookups if self.lookups else 0.0


class ByteBudgetCache(Generic[K, V]):
    """Keeps values by key while their sizes add up to at most ``budget`` bytes.

    :param size_of: bytes that an entry takes, counted once when it is put in.
    :param lowest: bytes below which tuning and shedding leave the budget.
    :param highest: bytes above which tuning does not raise it; both default to ``budget``, which then is fixed.
    :param target_hit_rate: the cache tunes itself toward it every ``TUNE_EVERY`` lookups. None: only when told to.
    """

    def __init__(
        self,
        budget: int,
        size_of: Callable[[K, V], int],
        *,
        lowest: int | None = None,
        highest: int | None = None,
        target_hit_rate: float | None = None,
    ) -> None:
        self.budget = budget
        self.lowest = budget if lowest is None else lowest
        self.highest = budget if highest is None else highest
        if not 0 <= self.lowest <= budget <= self.highest:
            raise ValueError(f"budget {budget}: expected {self.lowest} to {self.highest} bytes")
        self.target_hit_rate = target_hit_rate
        self._size_of = size_of
        self._entries: dict[K, tuple[V, int]] = {}  # least recently used first; the value and its bytes
        self._evicted: dict[int, None] = {}  # hashes of evicted keys, oldest first; the keys themselves can be large
        self._hits = self._misses = self._evictions = self._regrets = 0
        self._tuned_at = CacheStats()  # when the budget was last looked at

    def get(self, key: K) -> V | None:
        """Look a value up, which makes it the most recently used; None where it is not held."""
        entry = self._entries.pop(key, None)
        if entry is None:
            self._misses += 1
            if hash(key) in self._evicted:
                self._evicted.pop(hash(key), None)
                self._regrets += 1
        else:
            self._entries[key] = entry
            self._hits += 1
        if self.target_hit_rate is not None and (self._hits + self._misses) % TUNE_EVERY == 0:
            self.tune(self.target_hit_rate)
        return None if entry is None else entry[0]

    def put(self, key: K, value: V) -> None:
        """Hold a value. One larger than the budget is not held, since all others would have to go for it."""
        size = self._size_of(key, value)
        if size > self.budget:
            return
        self._entries.pop(key, None)
        self._entries[key] = (value, size)
        self._shrink(self.budget)

    def clear(self) -> None:
        """Let go of all entries; the counts go on."""
        self._entries.clear()
        self._evicted.clear()

    def shed(self, fraction: float) -> int:
        """Give at least this share of the held bytes back, least recently used first; returns how many.

        The budget goes down to what is left, lest it fills up again at once: tuning raises it where that pays.
        """
        if not 0 <= fraction <= 1:
            raise ValueError(f"fraction {fraction}: expected 0 to 1")
        held = self._held()
        self._shrink(int(held * (1 - fraction)))
        left = self._held()
        self.budget = min(self.budget, max(self.lowest, left))
        return held - left

    def tune(self, target_hit_rate: float) -> int:
        """Adjust the budget by what happened since the last time; returns the new one, bytes."""
        now = self.stats()
        before, self._tuned_at = self._tuned_at, now
        self.budget = tuned_budget(since(before, now), target_hit_rate, self.lowest, self.highest)
        self._shrink(self.budget)
        return self.budget

    def stats(self) -> CacheStats:
        return CacheStats(
            cache_hits=self._hits,
            cache_misses=self._misses,
            cache_size=len(self._entries),
            bytes=self._held(),
            budget=self.budget,
            evictions=self._evictions,
            regrets=self._regrets,
        )

    def _held(self) -> int:
        return sum(map(itemgetter(1), list(self._entries.values())))  # the list is made in one call

    def _shrink(self, limit: int) -> None:
        excess = self._held() - limit
        crowd = len(self._entries) - MAX_ENTRIES
        if excess <= 0 and crowd <= 0:
            return
        for key in list(self._entries):
            if excess <= 0 and crowd <= 0:
                return
            entry = self._entries.pop(key, None)
            if entry is not None:
                excess -= entry[1]
                crowd -= 1
                self._evictions += 1
                self._remember(hash(key))

    def _remember(self, evicted: int) -> None:
        self._evicted[evicted] = None
        if len(self._evicted) > MAX_ENTRIES:
            for oldest in list(self._evicted)[: MAX_ENTRIES // 10]:
                self._evicted.pop(oldest, None)


def since(before: CacheStats, now: CacheStats) -> CacheStats:
    """The lookups and evictions between two looks at a cache, with its present size."""
    return CacheStats(
        cache_hits=now.cache_hits - before.cache_hits,
        cache_misses=now.cache_misses - before.cache_misses,
        cache_size=now.cache_size,
        bytes=now.bytes,
        budget=now.budget,
        evictions=now.evictions - before.evictions,
        regrets=now.regrets - before.regrets,
    )


def tuned_budget(period: CacheStats, target_hit_rate: float, lowest: int, highest: int) -> int:
    """The budget in bytes for the next period, given how this one went.

    It grows by half where hits are too few and recently evicted entries are asked for again. Entries that nobody asks
    for twice are no reason to grow. It shrinks by a fifth where hits are enough and at least half of it lies unused.
    Fewer lookups than ``TUNE_EVERY`` tell too little and change nothing.
    """
    budget = period.budget
    if period.lookups >= TUNE_EVERY:
        if period.hit_rate < target_hit_rate and period.regrets >= REGRETS * period.lookups:
            budget = budget * 3 // 2
        elif period.hit_rate >= target_hit_rate and period.bytes <= budget // 2:
            budget = budget * 4 // 5
    return min(highest, max(lowest, budget))
