"""The byte-budget cache: what it keeps and counts, and how its budget follows its use."""

import itertools
import sys
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import pytest

from irene_wyoming.audio.cache import MAX_ENTRIES, TUNE_EVERY, ByteBudgetCache, CacheStats, since, tuned_budget

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def cache(budget: int = 10, lowest: int | None = None, highest: int | None = None) -> ByteBudgetCache[str, str]:
    """A cache in which a value takes as many bytes as it has letters."""
    return ByteBudgetCache(budget, lambda _, value: len(value), lowest=lowest, highest=highest)


def got_or_made(kept: ByteBudgetCache[K, V], key: K, make: Callable[[], V]) -> V:
    """Get a value, or make it, as a user of the cache does."""
    value = kept.get(key)
    if value is None:
        value = make()
        kept.put(key, value)
    return value


def held(kept: ByteBudgetCache[str, str], keys: str) -> str:
    return "".join(key for key in keys if kept.get(key) is not None)


def test_the_least_recently_used_goes_first() -> None:
    kept = cache(3)
    for key in "abc":
        kept.put(key, "x")
    kept.get("a")
    kept.put("d", "x")
    assert held(kept, "abcd") == "acd"


def test_the_budget_counts_bytes_not_entries() -> None:
    kept = cache(10)
    for key in "abcde":
        kept.put(key, "xx")
    kept.put("f", "xxxxxxx")
    assert held(kept, "abcdef") == "ef"
    assert kept.stats().bytes == 9


def test_a_value_larger_than_the_budget_does_not_drive_out_the_others() -> None:
    kept = cache(10)
    kept.put("a", "x")
    kept.put("b", "x" * 11)
    assert held(kept, "ab") == "a"


def test_a_value_put_again_replaces_the_old_one() -> None:
    kept = cache(10)
    kept.put("a", "xxxx")
    kept.put("a", "yy")
    assert kept.get("a") == "yy"
    assert kept.stats().bytes == 2
    assert kept.stats().evictions == 0


def test_tiny_values_are_bounded_in_number() -> None:
    kept = cache(1 << 30)
    for n in range(MAX_ENTRIES + 5):
        kept.put(str(n), "x")
    assert kept.stats().cache_size == MAX_ENTRIES


def test_statistics_tell_hits_misses_and_what_is_held() -> None:
    kept = cache(4)
    assert kept.stats().hit_rate == 0
    for key in "aba":
        got_or_made(kept, key, lambda: "xx")
    kept.put("c", "xx")
    assert kept.stats() == CacheStats(
        cache_hits=1, cache_misses=2, cache_size=2, bytes=4, budget=4, evictions=1, regrets=0
    )
    assert kept.stats().hit_rate == pytest.approx(1 / 3)


def test_a_miss_of_what_was_just_evicted_is_a_regret_once() -> None:
    kept = cache(1)
    kept.put("a", "x")
    kept.put("b", "x")
    kept.get("a")
    kept.get("a")
    kept.get("c")
    assert kept.stats().regrets == 1


def test_clear_lets_go_of_everything_and_counts_on() -> None:
    kept = cache()
    kept.put("a", "x")
    kept.get("a")
    kept.clear()
    assert kept.get("a") is None
    assert kept.stats() == CacheStats(cache_hits=1, cache_misses=1, budget=10)


def test_shedding_gives_back_the_oldest_and_does_not_fill_up_again() -> None:
    kept = cache(8, lowest=2)
    for key in "abcd":
        kept.put(key, "xx")
    assert kept.shed(0.5) == 4
    assert held(kept, "abcd") == "cd"
    assert kept.budget == 4
    kept.put("e", "xx")
    assert held(kept, "cde") == "de"


def test_shedding_everything_leaves_the_lowest_budget() -> None:
    kept = cache(8, lowest=2)
    kept.put("a", "xxxx")
    assert kept.shed(1) == 4
    assert kept.stats() == CacheStats(budget=2, evictions=1)
    with pytest.raises(ValueError, match="fraction 2"):
        kept.shed(2)


def test_a_budget_outside_its_limits_is_refused() -> None:
    with pytest.raises(ValueError, match="budget 5: expected 6 to 8 bytes"):
        cache(5, lowest=6, highest=8)


def period(hits: int, misses: int, *, regrets: int = 0, used: int = 1000) -> CacheStats:
    return CacheStats(
        cache_hits=hits, cache_misses=misses, cache_size=9, bytes=used, budget=1000, evictions=misses, regrets=regrets
    )


@pytest.mark.parametrize(
    ("went", "becomes"),
    [
        (period(50, 50, regrets=10), 1500),  # too few hits, and more room would have given more
        (period(0, 100), 1000),  # nothing is asked for twice: room would not help
        (period(70, 30, regrets=10), 1000),  # enough hits, all of it used
        (period(70, 30, used=500), 800),  # enough hits with half of it
        (period(50, 50, used=100), 1000),  # too few hits, but not for want of room
        (period(30, 30, regrets=30), 1000),  # too few lookups to tell
    ],
)
def test_the_budget_follows_its_use(went: CacheStats, becomes: int) -> None:
    assert tuned_budget(went, 0.6, 100, 2000) == becomes


def test_the_budget_stays_within_its_limits() -> None:
    assert tuned_budget(period(50, 50, regrets=10), 0.6, 100, 1200) == 1200
    assert tuned_budget(period(70, 30, used=0), 0.6, 900, 2000) == 900


def test_a_period_is_what_happened_since_the_last_look() -> None:
    assert since(CacheStats(5, 5, 1, 10, 20, 1, 1), CacheStats(9, 7, 2, 15, 30, 4, 2)) == CacheStats(
        4, 2, 2, 15, 30, 3, 1
    )


def test_it_grows_by_itself_until_the_working_set_fits() -> None:
    kept: ByteBudgetCache[int, bytes] = ByteBudgetCache(
        40, lambda _, value: len(value), lowest=40, highest=1000, target_hit_rate=0.9
    )
    for key in itertools.islice(itertools.cycle(range(20)), 20 * TUNE_EVERY):
        got_or_made(kept, key, lambda: bytes(10))
    before = kept.stats()
    for key in range(20):
        got_or_made(kept, key, lambda: bytes(10))
    assert 200 <= kept.budget <= 300
    assert since(before, kept.stats()).hit_rate == 1


def test_what_is_never_asked_for_twice_does_not_make_it_grow() -> None:
    kept: ByteBudgetCache[int, bytes] = ByteBudgetCache(
        40, lambda _, value: len(value), highest=1000, target_hit_rate=0.9
    )
    for key in range(10 * TUNE_EVERY):
        got_or_made(kept, key, lambda: bytes(10))
    assert kept.budget == 40


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Let threads take turns as often as the interpreter can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("hasty_threads")
def test_threads_that_share_it_get_their_own_values_and_keep_the_budget() -> None:
    kept: ByteBudgetCache[int, bytes] = ByteBudgetCache(200, lambda _, value: len(value))

    def ten(key: int) -> bytes:
        return bytes([key]) * 10

    def work(seed: int) -> bool:
        keys = [(seed * 7 + n * n) % 60 for n in range(4000)]
        return all(got_or_made(kept, key, partial(ten, key)) == ten(key) for key in keys)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))
    kept.put(1, bytes(1))
    stats = kept.stats()
    assert stats.bytes <= 200
    assert stats.cache_size <= 20
