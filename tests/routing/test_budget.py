"""Budget: the rest of a provider's time, by a clock of the test."""

from dataclasses import dataclass

from irene_wyoming.routing.budget import Budget


@dataclass
class Time:
    now: float = 0.0
    ended: float | None = None

    def budget(self, *, last: bool) -> Budget:
        return Budget(5.0, lambda: self.ended, lambda: self.now, last=last)


def test_before_the_end_every_call_has_all_of_it() -> None:
    time = Time()
    for budget in (time.budget(last=True), time.budget(last=False)):
        with budget.spent():
            time.now += 100
        assert budget.left_s() == 5


def test_only_what_a_provider_takes_after_the_end_counts_where_another_could_answer() -> None:
    time = Time(now=10)
    budget = time.budget(last=False)
    with budget.spent():
        time.now, time.ended = 13, 12
    time.now = 20  # while it waits for its turn
    assert budget.left_s() == 4
    with budget.spent():
        time.now += 3
    assert budget.left_s() == 1
    with budget.spent():
        time.now += 3
    assert budget.left_s() == 0


def test_the_last_one_has_until_a_fixed_time_after_the_end() -> None:
    time = Time(now=10, ended=10)
    budget = time.budget(last=True)
    with budget.spent():
        time.now += 1
    time.now += 2
    assert budget.left_s() == 2
    time.now += 3
    assert budget.left_s() == 0
