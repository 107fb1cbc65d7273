"""Judge: decides on the proposed words of one stream, with the second look that all streams share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from irene_wyoming.engines.base import Hit, WakeSettings
from irene_wyoming.engines.wake.proposals import Proposed
from irene_wyoming.engines.wake.second import SecondLook, Verdict
from irene_wyoming.engines.wake.spellings import Phrase
from irene_wyoming.servers import heard

REFRACTORY_S = 2.0
"""Seconds of audio after an accepted word in which it is not reported again, unless set otherwise."""


class Judge:
    """Judges proposals by second looks. For the event loop's thread.

    :param phrases: the phrase to look for, by word.
    :param settings: the settings of this satellite's words.
    :param rate: frames per second of the stream.
    """

    def __init__(
        self,
        second: SecondLook,
        phrases: Callable[[str], Phrase | None],
        settings: Mapping[str, WakeSettings],
        rate: int,
    ) -> None:
        self._second = second
        self._phrases = phrases
        self._settings = settings
        self._rate = rate
        self._deaf: dict[str, int] = {}
        """For each accepted word the frame up to which it is not reported again."""

    def deaf(self, word: str, frame: int) -> bool:
        """Whether the word was accepted a moment ago."""
        return frame <= self._deaf.get(word, -1)

    async def look(self, hit: Proposed, *, live: bool) -> Verdict | None:
        """Take a second look at a proposal; None: the word was accepted meanwhile.

        :param live: somebody waits; False: a recording, which has time.
        """
        if self.deaf(hit.model, hit.frame):
            return None
        phrases = self._looked_for(hit)
        verdict = await self._second.judge(hit, phrases, live=live)
        told = verdict.told
        threshold = self._settings.get(verdict.word, WakeSettings()).threshold
        if hit.phrases and threshold is not None:
            told = heard.score_of(verdict.margin) >= threshold
        return None if self.deaf(verdict.word, hit.frame) else replace(verdict, told=told)

    def taken(self, hit: Proposed, verdict: Verdict) -> Hit | None:
        """Accept the word, which is then not reported again for a while; None: nobody has said it."""
        if not verdict.told:
            return None
        refractory_s = self._settings.get(verdict.word, WakeSettings()).refractory_s
        frames = round((REFRACTORY_S if refractory_s is None else refractory_s) * self._rate)
        self._deaf[verdict.word] = hit.frame + frames
        return replace(hit, model=verdict.word, score=hit.score or heard.score_of(verdict.margin), audio=b"")

    def _looked_for(self, hit: Proposed) -> Sequence[tuple[str, Phrase]]:
        phrase = self._phrases(hit.model)
        return hit.phrases or (((hit.model, phrase),) if phrase is not None else ())
