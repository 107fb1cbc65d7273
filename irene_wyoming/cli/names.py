"""The command ``irene-wyoming names``."""

import argparse
import asyncio
import os
from dataclasses import asdict
from datetime import datetime

from irene_wyoming.app.logs import escaped
from irene_wyoming.app.names import Report, report
from irene_wyoming.cli import common

MOST_SAID = 3
"""Most spoken forms of a name that are printed; --json has all of them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_json(parser)
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: the names are known; 1: Home Assistant did not give them."""
    config = common.read_config(args, quiet=True)
    found = asyncio.run(report(config, os.environ))
    if args.json:
        common.print_json(
            {
                "asked": found.asked or None,
                "version": found.told.version or None,
                "trouble": found.trouble or None,
                "left_out": found.told.left_out,
                "names": [asdict(name) for name in found.names],
                "sentences": [{"sentence": sentence, "why": why} for sentence, why in found.sentences],
            }
        )
    else:
        print("\n".join(escaped(line) for line in lines(found)))
    return 1 if found.trouble else 0


def lines(found: Report) -> list[str]:
    said = [f"{heading(found)}"]
    for name in found.names:
        how = ", ".join(f'"{form}"' for form in name.said[:MOST_SAID]) if name.said else f"CANNOT BE SAID: {name.why}"
        origin = " (configuration)" if name.source == "configuration" else ""
        unfound = f" BUT {name.unfound}" if name.unfound else ""
        said.append(f"  {name.kind:13} {name.written}{origin}: {how}{unfound}")
    for sentence, why in found.sentences:
        said.append(f"  {'sentence':13} {sentence}" + (f": CANNOT BE SAID: {why}" if why else ""))
    said += [f"Not known: {line}" for line in found.told.left_out]
    if count := len(found.unsayable):
        said.append(
            f"{count} of {len(found.names)} names cannot be said: give those things an alias in Home Assistant."
        )
    return said


def heading(found: Report) -> str:
    if not found.asked and not found.trouble:
        return "Nobody is asked for names: set home.url and home.token_file, or run this as an add-on."
    when = datetime.fromtimestamp(found.told.read_at).isoformat(" ", "minutes") if found.told.read_at else ""
    if found.trouble:
        last = f"; what it told at {when}:" if when else ", and has told nothing before."
        return f"Home Assistant does not tell: {found.trouble}{last}"
    return f"Home Assistant {found.told.version} at {found.asked} has {found.told.counted()}:"
