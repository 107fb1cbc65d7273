"""The choice of providers, made without asking them."""

from collections import Counter

import pytest

from irene_wyoming.routing.policy import Breaker, LeastBusy, Ordered, Policy, RoundRobin, Standing

UP = [Standing("a", ready=True), Standing("b", ready=True), Standing("c", ready=True)]


@pytest.mark.parametrize("policy", [Ordered(), RoundRobin(), LeastBusy()])
def test_every_provider_is_named_once_and_those_that_fail_last(policy: Policy) -> None:
    standings = [Standing("a", ready=False), Standing("b", ready=True), Standing("c", ready=True)]
    for _ in range(5):
        order = policy.order(standings)
        assert sorted(order) == ["a", "b", "c"]
        assert order[-1] == "a"


@pytest.mark.parametrize("policy", [Ordered(), RoundRobin(), LeastBusy()])
def test_where_all_fail_all_are_named(policy: Policy) -> None:
    assert sorted(policy.order([Standing("a", ready=False), Standing("b", ready=False)])) == ["a", "b"]


def test_ordered_keeps_the_order() -> None:
    assert [Ordered().order(UP) for _ in range(3)] == [["a", "b", "c"]] * 3


def test_round_robin_shares_within_5_percent() -> None:
    policy = RoundRobin()
    shares = Counter(policy.order(UP)[0] for _ in range(1000))
    assert all(abs(count - 1000 / 3) < 0.05 * 1000 / 3 for count in shares.values())


def test_round_robin_shares_what_a_provider_leaves_among_the_others_and_does_not_make_it_catch_up() -> None:
    policy = RoundRobin()
    without_b = [Standing("a", ready=True), Standing("b", ready=False), Standing("c", ready=True)]
    assert Counter(policy.order(without_b)[0] for _ in range(100)) == {"a": 50, "c": 50}
    assert Counter(policy.order(UP)[0] for _ in range(30)) == {"a": 10, "b": 10, "c": 10}


def test_least_busy_asks_the_one_with_the_least_to_do() -> None:
    standings = [Standing("a", ready=True, busy=2), Standing("b", ready=True, busy=1), Standing("c", ready=True)]
    assert LeastBusy().order(standings) == ["c", "b", "a"]
    assert LeastBusy().order(UP) == ["a", "b", "c"]


def test_a_breaker_opens_after_failures_in_a_row_only() -> None:
    breaker = Breaker(3, 10, 60)
    for _ in range(5):
        breaker.failed(0)
        breaker.failed(0)
        breaker.succeeded()
    assert breaker.allows(0)
    for _ in range(3):
        breaker.failed(0)
    assert not breaker.allows(9.9)
    assert breaker.allows(10)


def test_a_deadline_that_has_passed_opens_it_at_once() -> None:
    breaker = Breaker(3, 10, 60)
    breaker.failed(0, at_once=True)
    assert not breaker.allows(1)


def test_one_utterance_is_the_trial_and_a_failed_one_doubles_the_cool_down() -> None:
    breaker = Breaker(1, 10, 60)
    breaker.failed(0)
    breaker.asked(10)
    assert not breaker.allows(11)  # another utterance is on trial
    breaker.failed(12)
    waits = []
    now = 12.0
    for _ in range(4):
        until = next(second for second in range(1000) if breaker.allows(now + second))
        waits.append(until)
        now += until
        breaker.asked(now)
        breaker.failed(now)
    assert waits == [20, 40, 60, 60]


def test_a_trial_that_succeeds_closes_it_and_forgets() -> None:
    breaker = Breaker(1, 10, 60)
    breaker.failed(0)
    breaker.asked(10)
    breaker.succeeded()
    assert not breaker.open
    assert breaker.allows(10)
    breaker.failed(11)
    assert breaker.allows(21)
