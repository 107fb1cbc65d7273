"""Draws what is understood in noise. Needs matplotlib, which only the plots use."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from irene_wyoming.bench.asr import AsrRow

SHARES = {"exact": "right, %", "wrong": "another command, %"}


def write(rows: Sequence[AsrRow], path: Path) -> None:
    """Draw a row of axes per folder of commands: right and wrong ones under each condition, a line per program."""
    folders = list(dict.fromkeys(row.folder for row in rows if row.exact is not None and not row.realtime))
    figure = import_module("matplotlib.figure").Figure(figsize=(13, 4.5 * max(1, len(folders))), layout="constrained")
    grid = figure.subplots(max(1, len(folders)), len(SHARES), squeeze=False)
    for axes, folder in zip(grid, folders, strict=False):
        some = [row for row in rows if row.folder == folder and not row.realtime]
        places = list(dict.fromkeys(condition(row) for row in some))
        for one, (name, label) in zip(axes, SHARES.items(), strict=True):
            for who in dict.fromkeys((row.listener, row.program) for row in some):
                own = {condition(row): 100 * getattr(row, name) for row in of(some, who, name)}
                one.plot(list(own), list(own.values()), marker="o", label=" ".join(who))
            one.set(title=folder, ylabel=label, ylim=(-2, 102), xticks=range(len(places)))
            one.grid(alpha=0.3)
        axes[-1].legend()
    figure.savefig(path)


def of(rows: Sequence[AsrRow], who: tuple[str, str], name: str) -> list[AsrRow]:
    """The rows of one program that have something to count."""
    return [row for row in rows if (row.listener, row.program) == who and getattr(row, name) is not None]


def condition(row: AsrRow) -> str:
    """A condition in a word or two."""
    noise = "no noise" if row.snr_db is None else f"{row.noise} {row.snr_db:g} dB"
    return noise if row.level_dbfs is None else f"{noise}\n{row.level_dbfs:g} dBFS"
