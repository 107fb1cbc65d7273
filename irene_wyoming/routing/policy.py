"""Policies: which provider is asked first, and which is left alone for a while. Pure: the time is an argument."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class PolicyName(StrEnum):
    ORDERED = "ordered"
    """The first working provider in the order of the configuration."""
    ROUND_ROBIN = "round_robin"
    """Each provider is asked first in its turn."""
    LEAST_BUSY = "least_busy"
    """The provider with the fewest utterances at hand."""
    CASCADE = "cascade"
    """The first provider answers where it is sure, those after it the rest."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The facts about one provider that a policy decides by."""

    name: str
    ready: bool
    """False: the provider has failed lately, or is not loaded; ask it only when nobody else is left."""
    busy: int = 0
    """Utterances that the provider has at hand."""


class Policy(Protocol):
    def order(self, standings: Sequence[Standing]) -> list[str]:
        """The providers to ask for one utterance, in order; ``standings`` has them as configured."""


class Ordered:
    """A Policy that asks in the configured order."""

    def order(self, standings: Sequence[Standing]) -> list[str]:
        return [one.name for one in ready_first(standings)]


class RoundRobin:
    """Asks first the provider whose last turn is the longest ago, so that all get the same share."""

    def __init__(self) -> None:
        self._turns = 0
        self._last: dict[str, int] = {}  # the number of each provider's last turn

    def order(self, standings: Sequence[Standing]) -> list[str]:
        names = [one.name for one in ready_first(sorted(standings, key=lambda one: self._last.get(one.name, 0)))]
        self._turns += 1
        self._last[names[0]] = self._turns
        return names


class LeastBusy:
    """Asks first the provider with the fewest utterances at hand; among equals in the configured order."""

    def order(self, standings: Sequence[Standing]) -> list[str]:
        return [one.name for one in ready_first(sorted(standings, key=lambda one: one.busy))]


POLICIES: Mapping[PolicyName, Callable[[], Policy]] = {
    PolicyName.ORDERED: Ordered,
    PolicyName.ROUND_ROBIN: RoundRobin,
    PolicyName.LEAST_BUSY: LeastBusy,
    PolicyName.CASCADE: Ordered,  # a cascade asks in the configured order, but judges the first answer
}


def ready_first(standings: Sequence[Standing]) -> list[Standing]:
    """Move providers that are not ready behind the others: better asked than nobody."""
    return sorted(standings, key=lambda one: not one.ready)


class Breaker:
    """Leaves a provider alone that fails again and again, and tries it with one utterance after a cool-down.

    :param failures: consecutive failures from which it is left alone.
    :param cool_down_s: seconds of the first cool-down, doubled with each failed trial.
    :param most_s: longest cool-down, seconds.
    """

    def __init__(self, failures: int, cool_down_s: float, most_s: float) -> None:
        self._failures = failures
        self._first_s = cool_down_s
        self._most_s = most_s
        self._in_a_row = 0
        self._next_s = cool_down_s
        self._until: float | None = None  # None: the breaker is closed and lets everything through

    @property
    def open(self) -> bool:
        """Whether the provider is left alone or on trial."""
        return self._until is not None

    def allows(self, now: float) -> bool:
        """Whether the provider may be asked."""
        return self._until is None or now >= self._until

    def asked(self, now: float) -> None:
        """Take note that the provider is asked now. While it is on trial, it gets no other utterance."""
        if self._until is not None and now >= self._until:
            self._until = now + self._next_s

    def succeeded(self) -> None:
        self._in_a_row = 0
        self._next_s = self._first_s
        self._until = None

    def failed(self, now: float, *, at_once: bool = False) -> None:
        """Take note of a failure.

        :param at_once: leave it alone after this one failure, which has cost a whole deadline.
        """
        self._in_a_row += 1
        if self._until is not None or at_once or self._in_a_row >= self._failures:
            self._until = now + self._next_s
            self._next_s = min(2 * self._next_s, self._most_s)
