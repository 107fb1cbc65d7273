"""The command ``irene-wyoming monitor``."""

import argparse
import asyncio
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from irene_wyoming.app.logs import escaped
from irene_wyoming.app.monitor import Figures, fetch
from irene_wyoming.checks import Wrong, web_address
from irene_wyoming.cli import common
from irene_wyoming.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

URL = "http://127.0.0.1:10800/metrics"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--url",
        type=http_url,
        default=URL,
        help="address of the figures (metrics in the configuration); default: %(default)s",
    )
    parser.add_argument(
        "--every",
        type=common.number(0.2, 3600),
        default=2.0,
        metavar="SECONDS",
        help="seconds between two updates, 0.2 to 3600; default: %(default)s",
    )
    parser.add_argument("--once", action="store_true", help="print once and exit")
    common.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: looked once, or was told to stop (Ctrl-C, SIGTERM); 1: nobody answers there."""
    figures = fetch(args.url)
    if args.json:
        common.print_json(summary(figures))
        return 0
    try:
        from rich.console import Console
        from rich.live import Live
    except ImportError as error:
        raise ConfigError("monitor: pip install 'irene-wyoming[monitor]', or use --json") from error
    if args.once:
        Console().print(view(figures, None))
        return 0
    from irene_wyoming.app.lifecycle import until_stopped

    with Live(view(figures, None), auto_refresh=False) as live:
        asyncio.run(until_stopped(watch(live, figures, args)))
    return 0


async def watch(live: "Live", figures: Figures, args: argparse.Namespace) -> None:
    """Read and show the figures again and again."""
    while True:
        await asyncio.sleep(args.every)
        before, figures = figures, await asyncio.to_thread(fetch, args.url)
        live.update(view(figures, before), refresh=True)


def summary(figures: Figures) -> dict[str, object]:
    last = figures.last_word
    return {
        "down": dict(figures.unready),
        "servers": [asdict(row) for row in figures.rows()],
        "detections": figures.by("irene_detections_total", "model"),
        "near_misses": figures.by("irene_near_misses_total", "model"),
        "second_looks": figures.by("irene_second_looks_total", "outcome"),
        "last_word": None if last is None else asdict(last),
        "transcripts": figures.by("irene_transcripts_total", "provider"),
        "not_understood": figures.empty(),
        "transcript_seconds": figures.mean("irene_transcript_seconds", "provider"),
        "provider_up": figures.by("irene_provider_up", "provider"),
    }


def view(figures: Figures, before: Figures | None) -> "RenderableType":
    from rich.console import Group

    return Group(of_servers(figures, before), of_heard(figures, before), *of_last_word(figures))


def of_servers(figures: Figures, before: Figures | None) -> "RenderableType":
    """Draw one line for each server; those that are down are red and have the reason."""
    from rich.table import Table
    from rich.text import Text

    table = Table(
        "server", "state", "clients", "memory MB", "loop lag ms", "refused", "restarts", title="Irene Wyoming"
    )
    rows = {row.server: row for row in figures.rows(before)}
    for server in sorted({*rows, *figures.unready}):
        why = figures.unready.get(server)
        row = rows.get(server)
        style = "" if why is None else "red"
        state = Text(escaped("up" if why is None else f"down: {why}"))
        if row is None:
            table.add_row(Text(escaped(server)), state, style=style)
            continue
        counts = str(row.connections), f"{row.memory_mb:.1f}", f"{row.lag_ms:.1f}", str(row.refused), str(row.restarts)
        table.add_row(Text(escaped(server)), state, *counts, style=style)
    return table


def of_heard(figures: Figures, before: Figures | None) -> "RenderableType":
    """Draw wake words, commands, and utterances that were not understood."""
    from rich.table import Table

    table = Table("heard", "times", "mean ms")
    for model, count in sorted(figures.by("irene_detections_total", "model").items()):
        table.add_row(model, f"{count:.0f}", "")
    for model, count in sorted(figures.by("irene_near_misses_total", "model").items()):
        table.add_row(f"{model}, nearly", f"{count:.0f}", "")
    taken = figures.mean("irene_transcript_seconds", "provider", before)
    empty = figures.empty()
    for provider, count in sorted(figures.by("irene_transcripts_total", "provider").items()):
        mean = f"{taken[provider] * 1000:.0f}" if provider in taken else ""
        table.add_row(f"understood, by {provider}", f"{count - empty.get(provider, 0.0):.0f}", mean)
        if provider in empty:
            table.add_row(f"not understood, by {provider}", f"{empty[provider]:.0f}", "", style="yellow")
    return table


def of_last_word(figures: Figures) -> "list[RenderableType]":
    """Draw the wake word that was heard last, if there is one."""
    last = figures.last_word
    if last is None:
        return []
    when = datetime.fromtimestamp(last.at).astimezone()
    return [f"last word: {last.word}, peak score {last.score:.2f}, at {when:%H:%M:%S} on {when:%Y-%m-%d}"]


def http_url(text: str) -> str:
    try:
        return web_address(text)
    except Wrong as wrong:
        raise argparse.ArgumentTypeError(f"{text}: {wrong}") from wrong
