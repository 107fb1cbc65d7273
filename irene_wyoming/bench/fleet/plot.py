"""Draws delays and losses of each phase. Needs matplotlib, which only the plots use."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from irene_wyoming.bench.rows import FleetRow


def write(rows: Sequence[FleetRow], path: Path) -> None:
    """Draw two axes, phase by phase: delays of words and commands, and losses."""
    figure = import_module("matplotlib.figure").Figure(figsize=(12, 5), layout="constrained")
    delay, lost = figure.subplots(1, 2)
    places = list(range(len(rows)))
    names = [row.phase for row in rows]
    for name, spreads in (
        ("word", [row.word_delay for row in rows]),
        ("command", [row.command_delay for row in rows]),
    ):
        delay.plot(places, [one.p50_ms for one in spreads], "o", label=f"{name}, p50")
        delay.plot(places, [one.p99_ms for one in spreads], "^", label=f"{name}, p99")
    delay.set(title="from the end of what was said", ylabel="ms", xticks=places, xticklabels=names)
    lost.bar(places, [row.words_lost for row in rows], label="words")
    lost.bar(places, [row.commands_lost for row in rows], bottom=[row.words_lost for row in rows], label="commands")
    lost.set(title="lost", xticks=places, xticklabels=names)
    for axes in (delay, lost):
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path)
