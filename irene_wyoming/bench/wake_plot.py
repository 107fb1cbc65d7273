"""Draws recall of wake words in noise, and false accepts. Needs matplotlib, which only the plots use."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from irene_wyoming.bench.wake_recall import FalseRow, RecallRow


def write(rows: Sequence[RecallRow], false: Sequence[FalseRow], path: Path) -> None:
    """Draw recall under each condition per word, a line per stage and program. Then false accepts per hour."""
    words = list(dict.fromkeys(row.word for row in rows))
    figure = import_module("matplotlib.figure").Figure(figsize=(5.5 * (len(words) + 1), 5), layout="constrained")
    axes = figure.subplots(1, len(words) + 1, squeeze=False)[0]
    for one, word in zip(axes, words, strict=False):
        for who in dict.fromkeys((row.stage, row.program) for row in rows):
            own = [row for row in rows if row.word == word and (row.stage, row.program) == who]
            one.plot([condition(row) for row in own], [100 * row.recall for row in own], "o-", label=" ".join(who))
        one.set(title=word, ylabel="heard, %", ylim=(-2, 102))
        one.grid(alpha=0.3)
        one.legend()
    last = axes[-1]
    for who in dict.fromkeys((row.stage, row.program) for row in false):
        own_false = [row for row in false if (row.stage, row.program) == who]
        last.plot([row.folder for row in own_false], [row.per_hour for row in own_false], "s", label=" ".join(who))
    last.set(title="nobody says the word", ylabel="false accepts per hour")
    last.grid(alpha=0.3)
    figure.savefig(path)


def condition(row: RecallRow) -> str:
    """A condition in a word or two."""
    return "no noise" if row.snr_db is None else f"{row.noise} {row.snr_db:g} dB"
