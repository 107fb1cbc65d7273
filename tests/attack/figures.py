"""Figures that attacks have measured, line by line, and whether each is within its bounds."""

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """One figure of an attack's results."""

    what: str
    said: str
    """The figure in words, with its unit."""
    holds: bool | None = None
    """Whether the figure is within its bounds; None: it has none."""


def bounded(what: str, value: float, most: float, unit: str = "") -> Figure:
    """A figure that must not be larger than ``most``."""
    return Figure(f"{what} (at most {most:g}{unit})", f"{value:.2f}{unit}", value <= most)


def exact(what: str, count: int, wanted: int) -> Figure:
    """A count that must equal ``wanted``."""
    return Figure(what, f"{count} of {wanted}" if wanted else str(count), count == wanted)


def held(figures: Iterable[Figure]) -> bool:
    """Whether no figure is out of its bounds."""
    return all(figure.holds is not False for figure in figures)


def printed(figures: Iterable[Figure], form: str) -> None:
    """Print figures to standard output, as ``text`` or ``json``."""
    if form == "json":
        print(json.dumps([asdict(figure) for figure in figures]))
        return
    for figure in figures:
        mark = {True: "holds", False: "FAILS", None: ""}[figure.holds]
        print(f"{mark:6}{figure.what}: {figure.said}")


def of_all(attacks: Sequence[Sequence[str]]) -> bool:
    """Run attacks one after the other in fresh processes, and print one table. False: a figure is out of bounds.

    :param attacks: the arguments of each attack.
    """
    good = True
    print("| attack | what | figure | holds |\n|---|---|---|---|")
    for attack in attacks:
        began = time.monotonic()
        for figure in ran(attack):
            good &= figure.holds is not False
            mark = {True: "yes", False: "**no**", None: ""}[figure.holds]
            print(f"| {attack[0]} | {figure.what} | {figure.said} | {mark} |", flush=True)
        print(f"| {attack[0]} | took | {time.monotonic() - began:.0f} s | |", flush=True)
    return good


def ran(attack: Sequence[str]) -> list[Figure]:
    """Run one attack in a process of its own and return its figures. A failed process is a figure out of bounds."""
    command = [sys.executable, "-m", "tests.attack", *attack, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    last = done.stdout.strip().rpartition("\n")[2]
    try:
        return [Figure(**figure) for figure in json.loads(last)]
    except ValueError:
        return [Figure(" ".join(attack), f"ended with exit code {done.returncode}", holds=False)]
