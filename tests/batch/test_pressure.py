from pathlib import Path

import pytest

from irene_wyoming.audio.clips import ClipCache
from irene_wyoming.audio.format import SPEECH, AudioFormat, Quality
from irene_wyoming.batch.pressure import (
    MemoryReading,
    PressureLevel,
    cgroup_path,
    limit_fraction,
    parse_flat,
    parse_meminfo,
    parse_psi,
    pressure_level,
    read_pressure,
    shed,
)

PSI = "some avg10=12.50 avg60=3.10 avg300=0.90 total=1234\nfull avg10=1.25 avg60=0.30 avg300=0.10 total=99\n"
MEMINFO = "MemTotal:        4000000 kB\nMemFree:          100000 kB\nMemAvailable:    1000000 kB\nHugePages_Total:  0\n"
EVENTS = "low 0\nhigh 3\nmax 4\noom 1\noom_kill 1\n"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_psi_gives_the_last_ten_seconds() -> None:
    assert parse_psi(PSI) == {"some": 12.5, "full": 1.25}
    assert parse_psi("") == {}


def test_meminfo_and_cgroup_files_give_numbers_by_name() -> None:
    assert parse_meminfo(MEMINFO)["MemAvailable"] == 1_000_000
    assert parse_flat(EVENTS)["max"] == 4


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("0::/system.slice/irene.service\n", "system.slice/irene.service"),
        ("9:memory:/old\n0::/\n", "."),
        ("9:memory:/old\n", None),
        ("", None),
    ],
)
def test_the_cgroup_is_that_of_version_2(text: str, path: str | None) -> None:
    found = cgroup_path(text)
    assert (None if found is None else str(found)) == path


@pytest.mark.parametrize(
    ("current", "limit", "inactive_file", "fraction"),
    [
        ("900\n", "1000\n", 0, 0.9),
        ("900\n", "1000\n", 400, 0.5),  # the kernel drops such files before anybody is short
        ("900\n", "max\n", 0, None),
        ("", "", 0, None),
        ("900\n", "0\n", 0, None),
    ],
)
def test_what_counts_against_a_limit(current: str, limit: str, inactive_file: int, fraction: float | None) -> None:
    assert limit_fraction(current, limit, {"inactive_file": inactive_file}) == fraction


def test_a_machine_without_containers_is_read(tmp_path: Path) -> None:
    root = write(tmp_path, {"proc/pressure/memory": PSI, "proc/meminfo": MEMINFO})
    assert read_pressure(root) == MemoryReading(stalled_some=12.5, stalled_full=1.25, available=0.25)


def test_the_tightest_limit_above_us_counts(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/addons/irene\n",
            "proc/pressure/memory": PSI,
            "sys/fs/cgroup/addons/irene/memory.pressure": "some avg10=0.00\nfull avg10=0.00\n",
            "sys/fs/cgroup/addons/irene/memory.current": "100\n",
            "sys/fs/cgroup/addons/irene/memory.max": "max\n",
            "sys/fs/cgroup/addons/irene/memory.events": EVENTS,
            "sys/fs/cgroup/addons/memory.current": "900\n",
            "sys/fs/cgroup/addons/memory.max": "1000\n",
            "sys/fs/cgroup/addons/memory.stat": "anon 800\ninactive_file 100\n",
        },
    )
    assert read_pressure(root) == MemoryReading(
        stalled_some=0.0, stalled_full=0.0, limit_used=0.8, throttled=7, killed=1
    )


def test_a_system_that_tells_nothing_is_under_no_pressure(tmp_path: Path) -> None:
    assert read_pressure(tmp_path) == MemoryReading()
    assert pressure_level(MemoryReading()) is PressureLevel.NONE


def test_this_system_can_be_read() -> None:
    reading = read_pressure()
    assert reading.available is None or 0 < reading.available <= 1


@pytest.mark.parametrize(
    ("now", "level"),
    [
        (MemoryReading(stalled_some=2, stalled_full=0, available=0.5, limit_used=0.5), PressureLevel.NONE),
        (MemoryReading(stalled_some=10), PressureLevel.SOME),
        (MemoryReading(stalled_some=20, stalled_full=5), PressureLevel.CRITICAL),
        (MemoryReading(available=0.15), PressureLevel.SOME),
        (MemoryReading(available=0.04), PressureLevel.CRITICAL),
        (MemoryReading(limit_used=0.9), PressureLevel.SOME),
        (MemoryReading(limit_used=0.97, available=0.9), PressureLevel.CRITICAL),
        (MemoryReading(throttled=900, killed=3), PressureLevel.NONE),  # long ago
    ],
)
def test_the_worst_sign_decides(now: MemoryReading, level: PressureLevel) -> None:
    assert pressure_level(now) is level


def test_what_the_limit_did_since_the_last_reading_counts() -> None:
    before = MemoryReading(throttled=7, killed=1)
    assert pressure_level(MemoryReading(throttled=7, killed=1), before) is PressureLevel.NONE
    assert pressure_level(MemoryReading(throttled=8, killed=1), before) is PressureLevel.SOME
    assert pressure_level(MemoryReading(throttled=8, killed=2), before) is PressureLevel.CRITICAL
    assert pressure_level(before, MemoryReading()) is PressureLevel.NONE


def test_caches_give_back_what_the_pressure_asks_for() -> None:
    clips = ClipCache()
    for n in range(1, 11):
        clips.convert(bytes(3_200 * n), AudioFormat(48_000, 2, 1), SPEECH, Quality.FAST, live=True)
    held = clips.stats().bytes
    assert shed([clips], PressureLevel.NONE) == 0
    assert held / 2 <= shed([clips], PressureLevel.SOME) < held
    assert shed([clips], PressureLevel.CRITICAL) > 0
    assert clips.stats().bytes == 0
