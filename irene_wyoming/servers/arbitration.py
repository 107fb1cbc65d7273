"""Arbitration: of several satellites that hear one word, the nearest answers.

A word that is said in the hall is heard in the kitchen, too. Each satellite bids with how loud, how clear and how sure
it heard the word; after a short window the best bid is told, and the others are not.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from irene_wyoming.engines.base import Hit

log = logging.getLogger(__name__)

DAY_S = 86_400.0
"""A word that only one satellite has heard within a day is told without waiting for others."""

UNKNOWN_LEVEL_DBFS = -60.0
UNKNOWN_SNR_DB = 0.0
"""Of an engine that does not measure them."""

SCORE_DB = 10.0
"""A sure engine against an unsure one counts as much as so many dB."""

TOGETHER_S = 2.0
"""Satellites that hear a word within so long have heard the same person; nobody says it twice so fast."""

MOST_WORDS = 1_000
"""Words that are remembered; a home has a handful."""


@dataclass(frozen=True, slots=True)
class Bid:
    """One satellite that heard a word."""

    satellite: str
    """Whom the log names."""
    stream: Hashable
    """Its connection: through a hub, all satellites come from one address."""
    value: float
    """In dB: half of the level and half of the SNR, since either may be fooled, and the score."""

    @classmethod
    def of(cls, satellite: str, stream: Hashable, hit: Hit) -> "Bid":
        level = UNKNOWN_LEVEL_DBFS if hit.level_dbfs is None else hit.level_dbfs
        snr = UNKNOWN_SNR_DB if hit.snr_db is None else hit.snr_db
        return cls(satellite, stream, (level + snr) / 2 + SCORE_DB * hit.score)


@dataclass(slots=True)
class Word:
    """What is known of one word."""

    heard: dict[str, float] = field(default_factory=dict)
    """By satellite: when it heard the word last."""
    shared: float | None = None
    """When two streams heard it within one window last."""
    last: tuple[float, Bid] | None = None
    """Who was told last, and when."""
    first: tuple[float, Bid] | None = None
    """Who heard it first of those who heard it together last, and when."""
    bids: list[tuple[Bid, "asyncio.Future[Bid]"]] = field(default_factory=list)
    """Of the window that is open."""


class Arbitration:
    """For the event loop's thread.

    :param window_s: how long bids are waited for; 0: nobody is, and all satellites answer.
    :param always: also for words that one satellite alone has heard within a day.
    """

    def __init__(self, window_s: float, *, always: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._window_s = window_s
        self._always = always
        self._clock = clock
        self._words: dict[str, Word] = {}

    @property
    def on(self) -> bool:
        """Only the nearest satellite answers."""
        return self._window_s > 0

    def change(self, window_s: float, *, always: bool) -> None:
        """From the next word on; a window that is open stays as it is."""
        self._window_s, self._always = window_s, always

    def later_by(self, word: str, bid: Bid) -> float | None:
        """How many seconds after the first satellite this one has heard a word; None: it is the first, or alone.

        To be called once for each bid, also where all satellites answer: it tells how long a window has to be.
        """
        known, now = self._known(word), self._clock()
        if known.first is None or now - known.first[0] > TOGETHER_S or known.first[1].stream == bid.stream:
            known.first = (now, bid)
            return None
        return now - known.first[0]

    def _known(self, word: str) -> Word:
        if word not in self._words and len(self._words) >= MOST_WORDS:
            self._words.clear()
        return self._words.setdefault(word, Word())

    async def winner(self, word: str, bid: Bid) -> Bid:
        """Who answers: this bid, or a better one; waits for the window where others may have heard the word, too."""
        known = self._known(word)
        now = self._clock()
        known.heard[bid.satellite] = now
        if known.bids:
            return await self._joined(known, bid, now)
        if known.last is not None and now - known.last[0] <= self._window_s and known.last[1].stream != bid.stream:
            known.shared = now  # told before anybody knew of a second one; from now on the window is waited for
            return known.last[1]
        if not self._always and not self._contested(known, now):
            known.last = (now, bid)
            return bid
        asyncio.get_running_loop().call_later(self._window_s, self._decide, known)
        return await self._joined(known, bid, now)

    def _contested(self, known: Word, now: float) -> bool:
        """Whether more than one satellite has heard the word within a day."""
        for satellite in [name for name, when in known.heard.items() if now - when > DAY_S]:
            del known.heard[satellite]
        return len(known.heard) > 1 or (known.shared is not None and now - known.shared <= DAY_S)

    async def _joined(self, known: Word, bid: Bid, now: float) -> Bid:
        if any(other.stream != bid.stream for other, _ in known.bids):
            known.shared = now
        future: asyncio.Future[Bid] = asyncio.get_running_loop().create_future()
        known.bids.append((bid, future))
        return await future

    def _decide(self, known: Word) -> None:
        """The window is over."""
        bids, known.bids = known.bids, []
        best = max((bid for bid, _ in bids), key=lambda bid: bid.value)
        known.last = (self._clock(), best)
        for _, future in bids:
            if not future.done():
                future.set_result(best)
