"""Runs the doctor for the page in a process of its own: on everything but speech, or on speech from the page."""

import asyncio
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from irene_wyoming.app.page_command import Command, ran
from irene_wyoming.app.shared_metrics import default_place
from irene_wyoming.audio.wav import wav
from irene_wyoming.errors import ServerUnavailable
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.hear import Recording

TIMEOUT_S = 60.0
"""Seconds for the doctor: it listens for announcements for 3 s, and waits 10 s for a home that is away."""

OF_SPEECH = ("audio", "audio rate", "gaps", "level", "wake word", "command")
"""Names of links about a recording."""


class PageDoctor:
    """The doctor of one installation."""

    def __init__(self, run: Command, environ: Mapping[str, str]) -> None:
        """:param environ: the variables behind the configuration."""
        self._run = run
        self._environ = environ

    async def everything(self) -> Mapping[str, Any]:
        """All links, and the first that fails, as JSON values.

        :raises ServerUnavailable: the doctor does not end, or gives no answer.
        """
        return await self._asked("--silent")

    async def why(self, what: str, address: Address, spoken: Recording) -> Mapping[str, Any] | None:
        """The first link that fails for speech from the page; None: none does.

        :param what: ``command`` or ``word``.
        :param address: the server that should have heard it.
        :raises ServerUnavailable: the doctor does not end, or gives no answer.
        """
        file = await asyncio.to_thread(written, spoken)
        try:
            found = await self._asked(address.uri, "--silent", f"--{what}-file", str(file))
        finally:
            await asyncio.shield(asyncio.to_thread(file.unlink))
        of_speech: Sequence[Mapping[str, Any]] = [link for link in found["links"] if link["name"] in OF_SPEECH]
        bad = [link for link in of_speech if link["level"] == "error"] or [
            link for link in of_speech if link["level"] == "warning"
        ]
        return bad[0] if bad else None

    async def _asked(self, *arguments: str) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                done = await ran(self._run(["doctor", "--json", *arguments]), lambda _: None, self._environ)
            told: Mapping[str, Any] = json.loads(done.answer)
        except (TimeoutError, ValueError) as error:
            raise ServerUnavailable("the doctor gave no answer; run `irene-wyoming doctor` in a terminal") from error
        return told


def written(spoken: Recording) -> Path:
    """Write speech into a file for this user only, in memory where there is room. Blocks.

    :raises ServerUnavailable: there is no room.
    """
    try:
        handle, name = tempfile.mkstemp(prefix="irene-wyoming-spoken-", suffix=".wav", dir=default_place())
        with os.fdopen(handle, "wb") as file:
            file.write(wav(spoken.pcm, spoken.format))
    except OSError as error:
        raise ServerUnavailable(f"there is no room for what was spoken: {error.strerror}") from error
    return Path(name)
