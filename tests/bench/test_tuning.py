"""The target table of the tuning guide. tests/docs measures every row; this machine's speed is not tested."""

from irene_wyoming.bench.tuning import above, below


def test_a_limit_itself_is_not_met() -> None:
    assert below("g", "s", "a", 0.1, 0.1, "", 1).kept is False
    assert above("g", "s", "a", 2, 2, "x", 0).kept is False
