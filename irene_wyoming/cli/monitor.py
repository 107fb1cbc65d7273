"""irene-wyoming monitor"""

import argparse
import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING

from irene_wyoming.app.monitor import Figures, fetch
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
        help="where the figures are (metrics in the configuration); default: %(default)s",
    )
    parser.add_argument(
        "--every",
        type=seconds,
        default=2.0,
        metavar="SECONDS",
        help="between two looks, 0.2 to 3600; default: %(default)s",
    )
    parser.add_argument("--once", action="store_true", help="look once and leave")
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
    """Look again and again."""
    while True:
        await asyncio.sleep(args.every)
        before, figures = figures, await asyncio.to_thread(fetch, args.url)
        live.update(view(figures, before), refresh=True)


def summary(figures: Figures) -> dict[str, object]:
    return {
        "servers": [asdict(row) for row in figures.rows()],
        "detections": figures.by("irene_detections_total", "model"),
        "near_misses": figures.by("irene_near_misses_total", "model"),
        "second_looks": figures.by("irene_second_looks_total", "outcome"),
        "transcripts": figures.by("irene_transcripts_total", "provider"),
        "transcript_seconds": figures.mean("irene_transcript_seconds", "provider"),
        "provider_up": figures.by("irene_provider_up", "provider"),
    }


def view(figures: Figures, before: Figures | None) -> "RenderableType":
    from rich.console import Group
    from rich.table import Table

    servers = Table("server", "clients", "memory MB", "loop lag ms", "refused", "restarts", title="Irene Wyoming")
    for row in figures.rows(before):
        servers.add_row(
            row.server,
            str(row.connections),
            f"{row.memory_mb:.1f}",
            f"{row.lag_ms:.1f}",
            str(row.refused),
            str(row.restarts),
        )
    heard = Table("heard", "times", "mean ms")
    for model, count in sorted(figures.by("irene_detections_total", "model").items()):
        heard.add_row(model, f"{count:.0f}", "")
    for model, count in sorted(figures.by("irene_near_misses_total", "model").items()):
        heard.add_row(f"{model}, nearly", f"{count:.0f}", "")
    taken = figures.mean("irene_transcript_seconds", "provider", before)
    for provider, count in sorted(figures.by("irene_transcripts_total", "provider").items()):
        mean = f"{taken[provider] * 1000:.0f}" if provider in taken else ""
        heard.add_row(f"commands, by {provider}", f"{count:.0f}", mean)
    return Group(servers, heard)


def seconds(text: str) -> float:
    value = float(text)
    if not 0.2 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text}: expected 0.2 to 3600")
    return value


def http_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text}: expected http://HOST:PORT/metrics")
    return text
