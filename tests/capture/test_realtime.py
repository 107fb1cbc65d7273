import os
import subprocess
import sys

import pytest

from irene_wyoming.capture.realtime import RealTime

SCRIPT = """
import logging, os, resource, sys
from irene_wyoming.capture.realtime import RealTime
logging.basicConfig(format="%(message)s")
if sys.argv[1] == "refused":
    resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
    os.setuid(65534)
realtime = RealTime(5)
for _ in range(3):
    realtime.give("test microphone")
print(os.sched_getscheduler(0) == os.SCHED_FIFO, os.sched_getparam(0).sched_priority)
"""


def run(how: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", SCRIPT, how], capture_output=True, text=True, check=True)


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give up its rights for sure")
def test_where_it_is_not_allowed_it_says_so_once_and_goes_on() -> None:
    done = run("refused")
    assert done.stdout == "False 0\n"
    assert done.stderr.count("test microphone: goes on without real-time priority (Operation not permitted)") == 1


def test_where_it_is_allowed_it_is_given() -> None:
    done = run("allowed")
    if done.stderr:
        pytest.skip(f"not allowed here: {done.stderr}")
    assert done.stdout == "True 5\n"


def test_no_priority_changes_nothing() -> None:
    RealTime(0).give("test microphone")
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
