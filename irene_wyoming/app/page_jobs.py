"""Tunes and learns wake words from labelled recordings for the page, by commands of this program.

One job runs at a time: it takes a core for seconds to minutes, and the satellites' words come first.
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from irene_wyoming.app.page_command import Command, ran
from irene_wyoming.app.page_recordings import NEGATIVE, Recordings
from irene_wyoming.errors import UnsupportedRequest
from irene_wyoming.tasks import ended

TIMEOUT_S = 1_800.0
"""Most seconds of a job. Learning takes 15 s on a PC and two minutes on a small board."""

FEWEST_TO_LEARN, MOST_TO_LEARN = 5, 30
"""Fewest and most recordings of a word for ``learn-wake``."""

FEWEST_TO_TUNE = 2
"""Fewest recordings of a word for ``tune-wake``."""

WORD = re.compile(r"\w[\w.-]{0,63}")
PHRASE = re.compile(r"[^\W\d_][\w' -]{0,63}")

_PROGRESS = re.compile(r"(\d+) of (\d+)")


class Jobs:
    """The job of tuning or learning, and the result of the last one."""

    def __init__(self, run: Command) -> None:
        self._run = run
        self._told: dict[str, Any] | None = None
        self._task: asyncio.Task[None] | None = None

    def state(self) -> Mapping[str, Any] | None:
        """The job: ``what``, ``word``, ``text``, ``share`` (0 to 1, None: unknown), ``done``, ``trouble``, ``result``.

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

        :param name: name of the new word.
        :param phrase: the spoken phrase.
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
        """End the running job."""
        await ended(self._task)

    def stop(self) -> None:
        """End the running job, which is not wanted any more."""
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
        def tell(line: str) -> None:
            told["text"] = line
            if found := _PROGRESS.search(line):
                told["share"] = min(1.0, int(found[1]) / max(1, int(found[2])))

        try:
            async with asyncio.timeout(TIMEOUT_S):
                done = await ran(arguments, tell)
            told |= {"result": json.loads(done.answer), "share": 1.0, "text": "done"}
        except ValueError:
            told |= {"trouble": done.last or "it ended without a result"}
        except TimeoutError:
            told |= {"trouble": f"it was not done within {TIMEOUT_S / 60:g} minutes"}
        except OSError as error:
            told |= {"trouble": f"it cannot be started: {error.strerror}"}
        finally:
            told |= {"done": True}
            self._task = None
