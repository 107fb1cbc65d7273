"""Has the doctor look at everything but speech, in a process of its own, for the page."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from irene_wyoming.app.shared_metrics import unshared
from irene_wyoming.errors import ServerUnavailable

TIMEOUT_S = 60.0
"""It listens for announcements for 3 s, and waits for a home that is away for 10 s."""

MAX_BYTES = 262_144
"""Bytes that are read of the doctor's answer at most. An answer has some 3 kB."""


async def examined(path: Path | None, environ: Mapping[str, str]) -> Mapping[str, Any]:
    """Every link, and the first that fails, as JSON has it.

    :param path, environ: where the configuration was read from.
    :raises ServerUnavailable: it does not end, or not with an answer.
    """
    options = ["--config", str(path)] if path else []
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "irene_wyoming", "doctor", "--silent", "--json", *options),
        env=unshared(environ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(TIMEOUT_S):
            told: Mapping[str, Any] = json.loads(await process.stdout.read(MAX_BYTES))
            await process.wait()
            return told
    except (TimeoutError, ValueError) as error:
        raise ServerUnavailable("the doctor gave no answer; run `irene-wyoming doctor` in a terminal") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
