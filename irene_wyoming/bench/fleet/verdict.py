"""The promises that a fleet has to keep."""

from collections.abc import Iterator, Sequence

from irene_wyoming.bench.fleet.run import KILLED, ROLLING, SLOW, STEADY, WORDS
from irene_wyoming.bench.rows import FleetRow, Gate, ScaleRow

BACK_S = 5.0
"""Most seconds until every satellite of a killed server is listened to again."""

EFFICIENT = 1.9
"""Least capacity of two servers, as a multiple of one server's."""

UNCHANGED = 1.2
"""Most increase of the delay's 95th percentile over one server's: it varies by that between runs."""


def gates(rows: Sequence[FleetRow], scale: Sequence[ScaleRow] = ()) -> list[Gate]:
    """Judge each promise that these rows can show."""
    judge = {STEADY: of_nothing, KILLED: of_a_kill, SLOW: of_a_slow_one, ROLLING: of_a_restart}
    judged = [gate for row in rows if row.phase in judge for gate in judge[row.phase](row)]
    return judged + (list(of_scale(scale[0], scale[-1])) if len(scale) > 1 else [])


def lost(row: FleetRow) -> int:
    return row.words_lost + row.commands_lost


def blameless(row: FleetRow) -> bool | None:
    """Whether nothing was lost; None: something was, but satellites were late themselves, so the cause is unknown."""
    return True if not lost(row) else None if row.held_up_s else False


def of_nothing(row: FleetRow) -> Iterator[Gate]:
    about = f"words and commands lost while nothing happens, of {row.words + row.commands}"
    yield gate(about, lost(row), "0", blameless(row))


def of_a_kill(row: FleetRow) -> Iterator[Gate]:
    back = "satellites of a killed server are listened to again, s"
    yield gate(back, row.back_s, f"<= {BACK_S:g}", row.back_s <= BACK_S)
    others = f"those on it, {row.hung_on}"
    yield gate("satellites that a kill disturbs", row.disturbed, others, row.disturbed == row.hung_on)


def of_a_slow_one(row: FleetRow) -> Iterator[Gate]:
    """Judge the phase with a slow server: commands go to any server, satellites keep theirs."""
    taken = [count for name, count in row.taken.items() if name.startswith("asr")]
    if len(taken) > 1:
        slow, least = taken[0], min(taken[1:])
        yield gate("commands that go to a slow server", slow, f"< {least}, what the others got", slow < least)


def of_a_restart(row: FleetRow) -> Iterator[Gate]:
    said = row.words + row.commands
    about = f"words and commands lost in a rolling restart, of {said}"
    yield gate(about, lost(row), f"0 of {WORDS} or more", blameless(row) if said >= WORDS else None)


def of_scale(one: ScaleRow, more: ScaleRow) -> Iterator[Gate]:
    carried = more.servers / one.servers * one.cpu_ms_per_s / more.cpu_ms_per_s
    yield gate(f"what {more.servers} servers carry of one", carried, f">= {EFFICIENT:g}", carried >= EFFICIENT)
    if one.delay.p95_ms and more.delay.p95_ms:
        longer = more.delay.p95_ms / one.delay.p95_ms
        about = f"delay of {more.servers} servers by that of one, p95"
        yield gate(about, longer, f"<= {UNCHANGED:g}", longer <= UNCHANGED)


def gate(about: str, value: float, limit: str, kept: bool | None) -> Gate:
    return Gate(about, limit, f"{value:.3g}", kept)
