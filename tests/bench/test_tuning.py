"""The target table of the tuning guide: every row is measured. How fast this machine is, is not tested."""

from collections.abc import Callable

from irene_wyoming.bench.tuning import above, below, by_group, measure
from irene_wyoming.wire.hear import Recording


def test_every_target_is_measured_for_both(speech: Callable[[str], Recording]) -> None:
    targets = measure(speech("wake/okay_nabu_rms"), speech("asr/turn_on_the_living_room_light"), 2)
    groups = by_group(targets)
    assert list(groups) == ["resampling latency", "throughput", "memory", "cache"]
    for rows in groups.values():
        assert {row.server for row in rows} == {"voice trigger", "speech-to-text"}
    assert all(row.kept for row in groups["cache"])  # what a cache finds does not depend on the machine
    assert {row.limit for row in targets} == {
        "< 0.1", "< 1", "< 100 ms", "< 500 ms", "< 50 MB", "< 200 MB", "> 30 %", "> 60 %", "> 10 x", "> 2 x",
    }  # fmt: skip


def test_a_limit_itself_is_not_met() -> None:
    assert below("g", "s", "a", 0.1, 0.1, "", 1).kept is False
    assert above("g", "s", "a", 2, 2, "x", 0).kept is False
