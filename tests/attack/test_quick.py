"""Runs the long attacks in short, so that they work when they are needed."""

import asyncio
import importlib.util
import mmap
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wyoming.event import Event

from irene_wyoming.config.model import Config
from irene_wyoming.errors import ProtocolError
from irene_wyoming.household.alone import alone
from irene_wyoming.wire.connection import Connection
from irene_wyoming.wire.framing import encode
from irene_wyoming.wire.limits import CLIENT_LIMITS
from tests.attack import quarter
from tests.attack.fuzz import fuzz
from tests.attack.process import memory
from tests.attack.soak import slope

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.builds(
    Event,
    st.text(min_size=1, max_size=64),
    st.dictionaries(st.text(max_size=10), JSON, max_size=4),
    st.none() | st.binary(min_size=1, max_size=100),
)


class NoWriter(asyncio.StreamWriter):
    """A writer that is never used: reading needs none."""

    def __init__(self) -> None:
        pass

    def __del__(self) -> None:
        pass


async def events_of(sent: bytes, cuts: list[int]) -> list[Event]:
    """The events that a Connection makes of these bytes when they come in pieces."""
    reader = asyncio.StreamReader()
    wire = Connection(reader, NoWriter(), CLIENT_LIMITS)
    places = sorted({cut % (len(sent) + 1) for cut in cuts})
    for start, end in zip([0, *places], [*places, len(sent)], strict=True):
        reader.feed_data(sent[start:end])
    reader.feed_eof()
    events = []
    while (event := await wire.read()) is not None:
        events.append(event)
    return events


@given(st.lists(EVENTS, max_size=5), st.lists(st.integers(0, 10_000), max_size=5))
def test_what_is_written_is_read_however_it_is_cut(events: list[Event], cuts: list[int]) -> None:
    sent = b"".join(map(encode, events))
    assert asyncio.run(events_of(sent, cuts)) == events


@given(st.lists(EVENTS, max_size=3), st.binary(max_size=200), st.integers(0, 10_000))
def test_any_bytes_are_events_or_a_protocol_error(events: list[Event], noise: bytes, at: int) -> None:
    sent = b"".join(map(encode, events))
    at %= len(sent) + 1
    with suppress(ProtocolError):
        asyncio.run(events_of(sent[:at] + noise + sent[at:], []))


async def test_fuzzed_conversations_find_no_bug(configured: Callable[..., Config]) -> None:
    done = await fuzz(configured(MIC__SOURCE__KIND="silence"), 1_500, seed=1, say=lambda _text: None)
    assert done.unhandled == []
    assert done.hung == 0
    assert done.codes["protocol-error"] > 0


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
def test_bytes_that_look_for_new_code_find_no_bug(tmp_path: Path) -> None:
    attack = [sys.executable, "-m", "tests.attack", "coverage", "--conversations", "1000", "--corpus", str(tmp_path)]
    done = subprocess.run(attack, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.iterdir())) > 10  # inputs that reached code that others did not


def test_a_slope_is_told_from_noise() -> None:
    noise = [0, 30_000, -20_000, 10_000, -30_000, 20_000, 0, -10_000]
    level = [(float(second), 50_000_000 + noise[second % 8]) for second in range(600)]
    assert slope(level).flat
    leak = [(second, size + int(second * 2_000)) for second, size in level]
    assert not slope(leak).flat
    assert 100 < slope(leak).kb_per_minute < 130
    assert slope(leak).most > slope(leak).kb_per_minute
    assert slope(leak[:5]).most == float("inf")


PAGES_BYTES = 64_000_000


def grown(file: Path) -> tuple[int, int]:
    """The bytes by which this process grows when it reads a file's pages, and when it writes to as many of its own."""
    memory()
    before = memory().total
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ) as pages:
        assert sum(pages[::4096]) == 0
        read = memory().total - before
    with mmap.mmap(-1, PAGES_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as pages:
        pages.write(b"x" * PAGES_BYTES)
        return read, memory().total - before


def test_memory_that_is_written_to_is_counted_and_a_files_pages_are_not(tmp_path: Path) -> None:
    file = tmp_path / "pages"
    file.write_bytes(bytes(PAGES_BYTES))
    read, written = alone(grown, file)  # in a process where nothing else happens
    assert read < PAGES_BYTES / 4 < PAGES_BYTES * 3 / 4 < written


def test_a_small_machine_can_be_made_where_that_is_allowed() -> None:
    if (reason := quarter.why_not()) is not None:
        pytest.skip(reason)
    with quarter.limited(0.25, 256_000_000) as group:
        joins = "; ".join(f"echo $$ > {file}" for file in group.members)
        subprocess.run(["sh", "-c", f"{joins}; :"], check=True)  # its own process and no other
        assert group.killed() == 0
        assert group.most_bytes() >= 0
    assert not any(file.exists() for file in group.members)
