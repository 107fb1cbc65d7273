"""Tunes and learns wake words from labelled recordings for the page, in a process of its own that ends with the page's.

One runs at a time: it takes a core for some seconds up to minutes, and the satellites' words come first.
"""

import asyncio
import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from irene_wyoming.app.page_recordings import NEGATIVE, Recordings
from irene_wyoming.app.shared_metrics import unshared
from irene_wyoming.errors import UnsupportedRequest
from irene_wyoming.supervise import SUPERVISED_VARIABLE

NICENESS = 10
"""Words are heard first."""

TIMEOUT_S = 1_800.0
"""Seconds that a job may take. Learning takes 15 s on a PC and two minutes on a small board."""

MAX_ANSWER_BYTES = 1_048_576
"""Most bytes that a job's command may print. It prints some 20 kB."""

LINE_BYTES = 4_096
"""Bytes of a line of its progress."""

FEWEST_TO_LEARN, MOST_TO_LEARN = 5, 30
"""Recordings of a word, as ``learn-wake`` takes them."""

FEWEST_TO_TUNE = 2
"""Recordings of a word, as ``tune-wake`` takes them."""

WORD = re.compile(r"\w[\w.-]{0,63}")
PHRASE = re.compile(r"[^\W\d_][\w' -]{0,63}")

_PROGRESS = re.compile(r"(\d+) of (\d+)")

Command = Callable[[Sequence[str]], Sequence[str]]
"""What runs a command of ours with these arguments."""


def command(path: Path | None) -> Command:
    """By the command line, with the configuration at ``path``."""
    options = ["--config", str(path)] if path else []
    return lambda arguments: (sys.executable, "-m", "irene_wyoming", *arguments, *options)


class Jobs:
    """What is being tuned or learned, and what became of the last one."""

    def __init__(self, run: Command) -> None:
        self._run = run
        self._told: dict[str, Any] | None = None
        self._task: asyncio.Task[None] | None = None

    def state(self) -> Mapping[str, Any] | None:
        """``what``, ``word``, ``text``, ``share`` (0 to 1, None: not known), ``done``, ``trouble``, ``result``.

        None: there has been no job.
        """
        return None if self._told is None else dict(self._told)

    async def tune(self, recordings: Recordings, word: str) -> None:
        """Find the threshold of a word in the background.

        :raises UnsupportedRequest: there are too few recordings, or another job runs.
        """
        labels = (await asyncio.to_thread(recordings.listed))["labels"]
        if labels.get(word, 0) < FEWEST_TO_TUNE or not labels.get(NEGATIVE):
            raise UnsupportedRequest(
                f"label at least {FEWEST_TO_TUNE} recordings as {word}, and 10 s of others as no wake word"
            )
        self._begin("tune", word, ["tune-wake", str(recordings.labelled), "--word", word, "--json", "--progress"])

    async def learn(self, recordings: Recordings, word: str, name: str, phrase: str) -> None:
        """Learn a new word from the recordings of a label in the background.

        :param name: what the new word is called.
        :param phrase: what is said.
        :raises UnsupportedRequest: there are too few recordings, or another job runs.
        """
        if not WORD.fullmatch(name):
            raise UnsupportedRequest(f"{name!r} cannot be a word's name: expected letters, digits and _")
        if not PHRASE.fullmatch(phrase):
            raise UnsupportedRequest(f"{phrase!r} cannot be said: expected words")
        files = [str(path) for path in await asyncio.to_thread(recordings.of_label, word)]
        if len(files) < FEWEST_TO_LEARN:
            raise UnsupportedRequest(f"label at least {FEWEST_TO_LEARN} recordings as {word}; these are {len(files)}")
        some = files[:MOST_TO_LEARN]
        self._begin("learn", name, ["learn-wake", name, *some, "--phrase", phrase, "--json", "--progress"])

    async def close(self) -> None:
        """End what runs."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def stop(self) -> None:
        """End what runs, since somebody wants it no more."""
        if self._task is not None and self._told is not None:
            self._told |= {"trouble": "stopped"}
            self._task.cancel()

    def _begin(self, what: str, word: str, arguments: Sequence[str]) -> None:
        if self._task is not None:
            raise UnsupportedRequest("something is being tuned or learned; wait for it, or stop it")
        told = self._told = {"what": what, "word": word, "text": "begins", "share": None}
        told |= {"done": False, "trouble": "", "result": None}
        self._task = asyncio.create_task(self._work(told, self._run(arguments)), name=f"{what} {word}")

    async def _work(self, told: dict[str, Any], arguments: Sequence[str]) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                told |= await worked(told, arguments)
        except TimeoutError:
            told |= {"trouble": f"it was not done within {TIMEOUT_S / 60:g} minutes"}
        except OSError as error:
            told |= {"trouble": f"it cannot be started: {error.strerror}"}
        finally:
            told |= {"done": True}
            self._task = None


async def worked(told: dict[str, Any], arguments: Sequence[str]) -> Mapping[str, Any]:
    """Run a command to its end, and tell how far it is. Cancelled, it ends the command."""
    process = await asyncio.create_subprocess_exec(
        *arguments,
        env={**unshared(os.environ), SUPERVISED_VARIABLE: str(os.getpid())},  # it ends with us, however we end
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=LINE_BYTES,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        with suppress(OSError):  # it has ended already
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        answer, last = await asyncio.gather(whole(process.stdout), followed(process.stderr, told))
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        return {"result": json.loads(answer), "share": 1.0, "text": "done"}
    except ValueError:
        return {"trouble": last.removeprefix("irene-wyoming: ") or "it ended without a result"}


async def whole(stream: asyncio.StreamReader) -> bytes:
    """All that comes, or as much of it as an answer may have."""
    content = b""
    while piece := await stream.read(65_536):
        content = (content + piece)[: MAX_ANSWER_BYTES + 1]
    return content


async def followed(stream: asyncio.StreamReader, told: dict[str, Any]) -> str:
    """Show each line as it comes; returns the last one."""
    last = ""
    while True:
        try:
            line = await stream.readline()
        except ValueError:
            continue  # a line that is too long is left out
        if not line:
            return last
        last = line.decode(errors="replace").strip()[:300] or last
        told["text"] = last
        if found := _PROGRESS.search(last):
            told["share"] = min(1.0, int(found[1]) / max(1, int(found[2])))
