"""Arbitration: the nearest of several satellites that hear one word answers.

A word said in the hall is heard in the kitchen, too. Each satellite's bid combines loudness, clarity and score. After a
short window only the client with the best bid gets its detection.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from irene_wyoming.engines.base import Hit

log = logging.getLogger(__name__)

DAY_S = 86_400.0
"""Seconds in which only one satellite heard a word, so that it is reported without waiting for others."""

UNKNOWN_LEVEL_DBFS = -60.0
UNKNOWN_SNR_DB = 0.0
"""Signal-to-noise ratio for an engine that does not measure it."""

SCORE_DB = 10.0
"""Decibels that a score of 1 is worth over a score of 0."""

TOGETHER_S = 2.0
"""Seconds within which satellites that hear a word heard the same person: nobody says it twice so fast."""

MOST_WORDS = 1_000
"""Most words that are remembered. A home has a handful."""


@dataclass(frozen=True, slots=True)
class Bid:
    """The bid of one satellite that heard a word."""

    satellite: str
    """The satellite's name in the log."""
    stream: Hashable
    """The satellite's connection: through a hub, all satellites come from one address."""
    value: float
    """The bid in dB: half of the level, half of the SNR, since either may mislead, and the score."""

    @classmethod
    def of(cls, satellite: str, stream: Hashable, hit: Hit) -> "Bid":
        level = UNKNOWN_LEVEL_DBFS if hit.level_dbfs is None else hit.level_dbfs
        snr = UNKNOWN_SNR_DB if hit.snr_db is None else hit.snr_db
        return cls(satellite, stream, (level + snr) / 2 + SCORE_DB * hit.score)


@dataclass(slots=True)
class Word:
    """The state of one word."""

    heard: dict[str, float] = field(default_factory=dict)
    """The last time that each satellite heard the word."""
    shared: float | None = None
    """The last time that two streams heard it within one window."""
    last: tuple[float, Bid] | None = None
    """The last reported bid and its time."""
    first: tuple[float, Bid] | None = None
    """The first bid, with its time, among the satellites that last heard the word together."""
    bids: list[tuple[Bid, "asyncio.Future[Bid]"]] = field(default_factory=list)
    """The bids of the open window, with the futures of those who wait."""


class Arbitration:
    """Chooses the satellite that answers. For the event loop's thread.

    :param window_s: seconds to wait for other bids; 0: all satellites answer at once.
    :param always: wait also for words that one satellite alone has heard within a day.
    """

    def __init__(self, window_s: float, *, always: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._window_s = window_s
        self._always = always
        self._clock = clock
        self._words: dict[str, Word] = {}

    @property
    def on(self) -> bool:
        """Whether only the nearest satellite answers."""
        return self._window_s > 0

    def change(self, window_s: float, *, always: bool) -> None:
        """Set the window from the next word on; an open window stays as it is."""
        self._window_s, self._always = window_s, always

    def later_by(self, word: str, bid: Bid) -> float | None:
        """How many seconds after the first satellite this one has heard a word; None: it is the first, or alone.

        Call it once per bid, also where all satellites answer: it shows how long a window has to be.
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
        """The bid that answers: this or a better one. Waits for the window where others may have heard the word."""
        known = self._known(word)
        now = self._clock()
        known.heard[bid.satellite] = now
        if known.bids:
            return await self._joined(known, bid, now)
        if known.last is not None and now - known.last[0] <= self._window_s and known.last[1].stream != bid.stream:
            known.shared = now  # reported before the second bid came; from now on the window is waited for
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
        """Close the window and choose its best bid."""
        bids, known.bids = known.bids, []
        best = max((bid for bid, _ in bids), key=lambda bid: bid.value)
        known.last = (self._clock(), best)
        for _, future in bids:
            if not future.done():
                future.set_result(best)
