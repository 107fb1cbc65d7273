"""Who is asked first, and who is left alone for a while. Pure: a clock's reading is an argument."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class PolicyName(StrEnum):
    ORDERED = "ordered"
    """The first that works, in the order of the configuration."""
    ROUND_ROBIN = "round_robin"
    """Each is asked first in its turn."""
    LEAST_BUSY = "least_busy"
    """The one with the fewest utterances at hand."""
    CASCADE = "cascade"
    """The first for what it is sure of, those after it for the rest."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a policy knows of one provider now."""

    name: str
    ready: bool
    """False: it has failed lately, or is not loaded; to be asked only when nobody else is left."""
    busy: int = 0
    """Utterances that it has at hand."""


class Policy(Protocol):
    def order(self, standings: Sequence[Standing]) -> list[str]:
        """Whom to ask for one utterance, one after the other, given the providers in configured order."""


class Ordered:
    """A Policy that asks in the configured order."""

    def order(self, standings: Sequence[Standing]) -> list[str]:
        return [one.name for one in ready_first(standings)]


class RoundRobin:
    """First the one whose last turn is the longest ago, so that all get the same share."""

    def __init__(self) -> None:
        self._turns = 0
        self._last: dict[str, int] = {}  # provider -> number of its last turn

    def order(self, standings: Sequence[Standing]) -> list[str]:
        names = [one.name for one in ready_first(sorted(standings, key=lambda one: self._last.get(one.name, 0)))]
        self._turns += 1
        self._last[names[0]] = self._turns
        return names


class LeastBusy:
    """First the one with the fewest utterances at hand; among equals the configured order decides."""

    def order(self, standings: Sequence[Standing]) -> list[str]:
        return [one.name for one in ready_first(sorted(standings, key=lambda one: one.busy))]


POLICIES: Mapping[PolicyName, Callable[[], Policy]] = {
    PolicyName.ORDERED: Ordered,
    PolicyName.ROUND_ROBIN: RoundRobin,
    PolicyName.LEAST_BUSY: LeastBusy,
    PolicyName.CASCADE: Ordered,  # what makes a cascade is when an answer is good enough, not who is asked first
}


def ready_first(standings: Sequence[Standing]) -> list[Standing]:
    """The same, those that are not ready behind: better asked than nobody."""
    return sorted(standings, key=lambda one: not one.ready)


class Breaker:
    """Leaves a provider alone that fails again and again, and tries it with one utterance after a cool-down.

    :param failures: in a row, from which it is left alone.
    :param cool_down_s: the first time; twice as long with each trial that fails.
    :param most_s: what the cool-down never exceeds.
    """

    def __init__(self, failures: int, cool_down_s: float, most_s: float) -> None:
        self._failures = failures
        self._first_s = cool_down_s
        self._most_s = most_s
        self._in_a_row = 0
        self._next_s = cool_down_s
        self._until: float | None = None  # None: closed, which is to say that it lets everything through

    @property
    def open(self) -> bool:
        """The provider is left alone, or on trial."""
        return self._until is not None

    def allows(self, now: float) -> bool:
        """Whether the provider may be asked."""
        return self._until is None or now >= self._until

    def asked(self, now: float) -> None:
        """The provider is asked now. While it is on trial, nobody else is sent to it."""
        if self._until is not None and now >= self._until:
            self._until = now + self._next_s

    def succeeded(self) -> None:
        self._in_a_row = 0
        self._next_s = self._first_s
        self._until = None

    def failed(self, now: float, *, at_once: bool = False) -> None:
        """:param at_once: leave it alone however few its failures: this one has cost somebody the whole deadline."""
        self._in_a_row += 1
        if self._until is not None or at_once or self._in_a_row >= self._failures:
            self._until = now + self._next_s
            self._next_s = min(2 * self._next_s, self._most_s)
