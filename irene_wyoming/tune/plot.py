"""Draws recall against false accepts. Needs matplotlib, which only the plots use."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from irene_wyoming.tune.thresholds import LEVELS, Tuned


def write(words: Sequence[Tuned], path: Path) -> None:
    """Draw one row of axes per word: false accepts per hour against recall, and recall against the threshold."""
    figure = import_module("matplotlib.figure").Figure(figsize=(12, 4.5 * len(words)), layout="constrained")
    grid = figure.subplots(len(words), 2, squeeze=False)
    for axes, word in zip(grid, words, strict=True):
        for level in LEVELS:
            some = [point for point in word.points if point.trigger_level == level]
            label = f"trigger_level {level}"
            axes[0].plot([p.false_per_hour for p in some], [100 * p.recall for p in some], marker=".", label=label)
            axes[1].plot([p.threshold for p in some], [100 * p.recall for p in some], marker=".", label=label)
        if word.best is not None:
            axes[0].plot(word.best.false_per_hour, 100 * word.best.recall, "k*", markersize=14, label="recommended")
            axes[1].axvline(word.best.threshold, color="black", linestyle=":")
        axes[0].set(title=f"{word.word} ({word.engine})", xlabel="false accepts per hour", ylabel="words heard, %")
        axes[1].set(xlabel="threshold", ylabel="words heard, %")
        axes[0].legend()
    figure.savefig(path)
