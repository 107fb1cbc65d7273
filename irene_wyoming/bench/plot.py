"""Draws quality against delay and against cost. Needs matplotlib, which only the plots use."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from irene_wyoming.bench.methods import METHODS
from irene_wyoming.bench.rows import MethodRow

MARKERS = "os^Dv<>PX*"
TICKS = (0, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)


def write(rows: Sequence[MethodRow], path: Path) -> None:
    """Draw a row of axes per ratio: alias rejection from 10 kHz up against delay, and against CPU."""
    figure_class = import_module("matplotlib.figure").Figure
    ratios = list(dict.fromkeys((row.source_rate, row.target_rate) for row in rows))
    figure = figure_class(figsize=(12, 5 * len(ratios)), layout="constrained")
    grid = figure.subplots(len(ratios), 2, squeeze=False)
    for axes, (source, target) in zip(grid, ratios, strict=True):
        some = [row for row in rows if (row.source_rate, row.target_rate) == (source, target)]
        chunk_ms = min(some[0].cost)
        for row in some:
            draw(axes[0], row, max(0.0, row.held.max_ms))
            draw(axes[1], row, row.cost[chunk_ms].least_us)
        axes[0].set_xscale("symlog", linthresh=1)
        axes[0].set_xlabel("held back at most, ms")
        axes[1].set_xscale("log")
        for one in axes:
            mark(one)
        axes[1].set_xlabel(f"CPU per chunk of {chunk_ms} ms, microseconds")
        axes[1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
        for one in axes:
            one.set_ylabel("alias rejection from 10 kHz up, dB")
            one.set_title(f"{source} to {target} Hz")
            one.grid(alpha=0.3)
    figure.savefig(path)


def mark(axes: Any) -> None:
    """Put round numbers along a logarithmic axis, without widening it."""
    lowest, highest = axes.get_xlim()
    axes.set_xticks(some := [tick for tick in TICKS if lowest <= tick <= highest], [f"{tick:g}" for tick in some])
    axes.minorticks_off()


def draw(axes: Any, row: MethodRow, position: float) -> None:
    """Draw one method as a hollow point, since some lie on others, with its own colour and shape."""
    rejection = row.fidelity.alias_from_10k_db
    if rejection is None:
        return
    place = next(i for i, method in enumerate(METHODS) if method.name == row.method)
    looks = {"marker": MARKERS[place % len(MARKERS)], "color": f"C{place % 10}", "fillstyle": "none"}
    axes.plot([position], [rejection], linestyle="none", markersize=10, markeredgewidth=2, label=row.method, **looks)
