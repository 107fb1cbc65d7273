import pytest

from irene_wyoming.servers.pace import LEAST_REST_S, PUNCTUAL_S, Pace


def follow(pace: Pace, arrivals: list[float], seconds: float = 0.02) -> None:
    for now in arrivals:
        pace.arrived(seconds, now)


def test_at_the_pace_of_speech_what_is_missing_is_due_when_it_has_been_spoken() -> None:
    pace = Pace()
    follow(pace, [10.02, 10.04, 10.06])
    assert pace.due(0.08, 10.06) == pytest.approx(0.08, abs=0.001)
    assert pace.due(0.08, 10.10) == pytest.approx(0.04, abs=0.001)


def test_late_arrivals_do_not_move_what_is_due() -> None:
    pace = Pace()
    follow(pace, [10.02, 10.04, 10.09, 10.09, 10.13])
    assert pace.due(0.02, 10.13) == pytest.approx(-0.01, abs=0.002)


def test_a_client_that_falls_behind_is_followed_slowly() -> None:
    pace = Pace()
    follow(pace, [0.02, *(0.07 + 0.02 * number for number in range(1, 5000))])
    assert pace.due(0.1, 0.07 + 0.02 * 4999) == pytest.approx(0.1, abs=0.001)


def test_one_who_looks_only_when_audio_is_due_stays_punctual() -> None:
    """Audio comes every 20 ms, and the server looks when 80 ms of it should be there."""
    pace, now, chunks = Pace(), 0.02, 1
    pace.arrived(0.02, now)
    late = []
    while chunks < 8000:
        rest = pace.due((4 - chunks % 4) * 0.02, now) + PUNCTUAL_S
        now = now + rest if rest >= LEAST_REST_S else max(now, (chunks + 1) * 0.02)
        while (chunks + 1) * 0.02 <= now + 1e-9:
            chunks += 1
            pace.arrived(0.02, now)
        late.append(now - chunks * 0.02)
    assert max(late) < 0.02
    assert sorted(late)[len(late) * 9 // 10] < 0.003


def test_of_one_that_sends_faster_than_it_speaks_more_may_be_here_at_once() -> None:
    pace = Pace()
    follow(pace, [10.0] * 50)
    assert pace.due(0.1, 10.0) == 0


def test_after_a_burst_it_is_followed_again() -> None:
    pace = Pace()
    follow(pace, [10.0] * 50)
    follow(pace, [10.02, 10.04])
    assert pace.due(0.1, 10.04) == pytest.approx(0.1, abs=0.002)


def test_before_anything_has_come_everything_is_due() -> None:
    assert Pace().due(0.1, 10.0) == 0
