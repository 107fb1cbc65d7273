"""A change of the system clock, or of summer time, must not end or delay anything."""

import ast
from pathlib import Path

import irene_wyoming

WALL_CLOCKS = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today"}
TELLS_THE_DATE = {
    "engines/wake/recorder.py",
    "app/doctor_hub.py",  # it compares the clocks of this machine and the hub
    "app/page.py",
    "home/watch.py",
    "news.py",
    "servers/shown.py",
}
"""Modules that write a date for people to read."""


def test_nothing_is_timed_by_the_wall_clock() -> None:
    root = Path(irene_wyoming.__file__).parent
    users = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in WALL_CLOCKS
    }
    assert users <= TELLS_THE_DATE
