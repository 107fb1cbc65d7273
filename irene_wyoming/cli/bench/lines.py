"""Output that several measurements share."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from irene_wyoming.bench.machine import machine
from irene_wyoming.bench.rows import Gate


def about_machine() -> str:
    return ", ".join(f"{name} {value}" for name, value in machine().items())


def gate_lines(gates: Sequence[Gate]) -> Iterator[str]:
    signs = {True: "kept  ", False: "BROKEN", None: "?     "}
    for gate in gates:
        yield f"{signs[gate.kept]} {gate.about}: {gate.value} ({gate.limit})"


def plain(part: Any) -> Any:
    """Rows as values for JSON."""
    return [asdict(row) for row in part] if isinstance(part, list) else part


def number(value: float | None, width: int, places: int) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:{width}.{places}f}"
