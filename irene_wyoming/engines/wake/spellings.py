"""Spellings: a recogniser's spellings of the packaged wake words, and the limits of their looks. Pure.

A recogniser that has never met "nabu" writes what it sounds like. LLR is the natural logarithm of the phrase's
probability over that of the open transcript. In recordings of people all 60 of "alexa" reach -6, in quiet and beside a
kitchen at 10 dB; none of 175 others reaches -11. Other words had only 4 to 8 recordings each, so their limits are lower
where the first stage is sure, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Protocol


class Look(Protocol):
    """A recogniser's result for a piece of audio; logarithms are natural ones."""

    @property
    def phrase(self) -> str | None:
        """The likeliest phrase; None: none is near."""

    @property
    def llr(self) -> float:
        """Logarithm of its probability over that of ``open_text``."""

    @property
    def absolute(self) -> float:
        """Logarithm of its probability."""

    @property
    def per_token(self) -> float:
        """Logarithm of its probability per token."""

    @property
    def open_text(self) -> str:
        """The open transcript of the audio."""

    @property
    def prior(self) -> float:
        """Logarithm of the phrase's probability in mere noise; minus infinity: not measured."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase to look for, and the limits that a look must reach."""

    spellings: tuple[str, ...]
    least: float = -6.0
    """Least LLR of a proposal without a hit of the first stage."""
    usual: float = -10.0
    """Least LLR of a hit of the first stage; besides it only ``gain`` counts."""
    absolute: float = -16.0
    per_token: float = -8.0
    known: bool = False
    """Whether the recogniser is known to write it so, and ``verify: auto`` may look for it."""
    gain: float = -inf
    """Least distance (natural logarithm) to the phrase's probability in mere noise. It demands more of common phrases,
    which are likely anywhere.
    """

    def margin(self, look: Look, *, usual: bool) -> float:
        """The amount by which a look exceeds its limits; below 0: it does not reach them.

        :param usual: whether it was a hit of the first stage.
        """
        gained = look.absolute - look.prior - self.gain
        if usual:
            return min(look.llr - self.usual, gained)
        per_token = 2 * (look.per_token - self.per_token)  # it varies less than the others
        return min(look.llr - self.least, look.absolute - self.absolute, per_token, gained)


def typed(text: str) -> Phrase:
    """The phrase of a word without a first stage.

    Tuned on recordings with even numbers of "computer" and "view glass", and on twelve phrases in 13 minutes of other
    speech. With the limits of "view glass", "hello there", "good morning" and "all right" were accepted 310 times in
    it; with these never.
    """
    return Phrase((text,), least=-11.0, usual=-11.0, absolute=-15.0, per_token=-3.9, gain=8.5, known=True)


def learned(spellings: Sequence[str]) -> Phrase:
    """The phrase of a learned word, whose first stage fires often, with spellings from its recordings."""
    return replace(typed(spellings[0]), spellings=tuple(spellings))


PACKAGED: Mapping[str, Phrase] = {
    "okay_nabu": Phrase(
        (
            "okay nabu", "ok nabu", "okay naboo", "ok naboo", "okay nebou", "ok nebou", "okay now boo", "okay nah boo",
            "okay nabo", "okay nobu",
        ),
        usual=-12.0, known=True,
    ),
    "hey_jarvis": Phrase(("hey jarvis", "hey jarvus", "hey javis", "hey jervis", "hey travis"), least=-5.0, known=True),
    "alexa": Phrase(("alexa",), usual=-7.0, absolute=-11.5, known=True),
    "hey_mycroft": Phrase(
        ("hey mycroft", "hey my croft", "hey microft", "hey my craft", "hey minecraft", "hey micro"), least=-8.0,
        usual=-12.0, known=True,
    ),
    "hey_rhasspy": Phrase(
        ("hey rhasspy", "hey raspy", "hey raspie", "hey rasp", "hey raspi", "hey raspberry"), known=True
    ),
}  # fmt: skip


def phrase_of(word: str, said: str | None, spellings: Sequence[str] = ()) -> Phrase | None:
    """Find the phrase of a proposed word; None: its spelling is unknown.

    :param said: the spoken phrase, as the model's publisher writes it.
    :param spellings: the recogniser's spellings, where the model has them.
    """
    if spellings:
        return learned(spellings)
    if word in PACKAGED:
        return PACKAGED[word]
    return Phrase((said.casefold(),)) if said else None
