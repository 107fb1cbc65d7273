"""The command ``irene-wyoming check``."""

import argparse
import asyncio
from dataclasses import asdict, replace

from wyoming.info import Info

from irene_wyoming import descriptors
from irene_wyoming.app.check import Check
from irene_wyoming.app.findings import Finding, Level
from irene_wyoming.app.logs import escaped
from irene_wyoming.cli import common
from irene_wyoming.cli.describe import lines
from irene_wyoming.cli.signs import sign
from irene_wyoming.config.addon import told
from irene_wyoming.config.model import Config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_json(parser)
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: all that is enabled will run, with or without warnings; 1: something will not; 2: configuration."""
    descriptors.ensure()
    config = common.read_config(args, quiet=True)
    findings, info = asyncio.run(look(config, say=not args.json))
    failed = any(finding.level is Level.ERROR for finding in findings)
    if args.json:
        common.print_json({"ok": not failed, "findings": [asdict(f) for f in findings], "info": info.event().data})
    else:
        print("A hub will see:")
        print("\n".join(f"  {escaped(line)}" for line in lines(info)))
        print("Something will not work, see ERROR above." if failed else "Ready to run.")
    return 1 if failed else 0


async def look(config: Config, *, say: bool) -> tuple[list[Finding], Info]:
    """Look at everything, and print each finding at once."""
    check = Check(config)
    findings = [Finding(Level.OK, "configuration", "valid")]
    async for finding in check.findings():
        if config.household:
            finding = replace(finding, about=told(finding.about), text=told(finding.text))
        findings.append(finding)
        if say:
            print(f"{sign(finding.level)} {escaped(f'{finding.about}: {finding.text}')}", flush=True)
    return findings, check.info
