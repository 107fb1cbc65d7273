"""What becomes of audio that the engines cannot keep up with."""

import pytest

from irene_wyoming.servers.lag import Sender


@pytest.mark.parametrize("kept_s", [0.0, 1.0, 2.0])
def test_who_speaks_is_live_whatever_he_had_kept_before(kept_s: float) -> None:
    sender = Sender(3.0)
    sender.arrived(kept_s, 0.0)
    for step in range(1, 1000):
        sender.arrived(0.1, step * 0.1)
    assert sender.live


def test_a_network_that_stalls_makes_no_recording_of_a_stream() -> None:
    sender = Sender(3.0)
    sender.arrived(0.1, 0.0)
    for _ in range(100):
        sender.arrived(0.1, 10.0)
    assert sender.live


def test_who_sends_faster_than_anybody_speaks_sends_a_recording_to_its_end() -> None:
    sender = Sender(3.0)
    for _ in range(30):
        sender.arrived(0.1, 0.01)
    assert not sender.live
    sender.arrived(0.1, 1000.0)
    assert not sender.live
