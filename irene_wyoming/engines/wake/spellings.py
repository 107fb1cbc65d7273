"""Spellings: how a speech recogniser writes the packaged wake words, and how sure it must be. Pure.

A recogniser that has never met "nabu" writes what it sounds like. LLR is the natural logarithm of the phrase's
probability over that of what the recogniser would rather write. Measured on recordings of people: of 60 who say
"alexa" all reach -6 in quiet and beside a kitchen at 10 dB, of 175 other recordings none reaches -11. Of the other
words there were 4 to 8 recordings each, so that more is let through where the first stage is sure, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Protocol


class Look(Protocol):
    """What a recogniser has found in a piece of audio; logarithms are natural ones."""

    @property
    def phrase(self) -> str | None:
        """The likeliest of the phrases; None: none is near."""

    @property
    def llr(self) -> float:
        """Logarithm of its probability over that of ``open_text``."""

    @property
    def absolute(self) -> float:
        """Logarithm of its probability."""

    @property
    def per_token(self) -> float:
        """That divided by the tokens of the phrase."""

    @property
    def open_text(self) -> str:
        """What the audio says when anything may be said."""

    @property
    def prior(self) -> float:
        """Logarithm of the phrase's probability in mere noise; minus infinity where nobody asked."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """What is looked for, and what a look must reach."""

    spellings: tuple[str, ...]
    least: float = -6.0
    """LLR of a proposal that the first stage alone would not have told."""
    usual: float = -10.0
    """LLR of one that it would have told; beside it only ``gain`` is asked."""
    absolute: float = -16.0
    per_token: float = -8.0
    known: bool = False
    """The recogniser is known to write it so: ``verify: auto`` may look for it."""
    gain: float = -inf
    """By how much likelier the phrase must be than in mere noise. Common phrases are likely anywhere; this asks more
    of them.
    """

    def margin(self, look: Look, *, usual: bool) -> float:
        """By how much a look goes beyond what it must reach; below 0: it does not.

        :param usual: the first stage alone would have told the word.
        """
        gained = look.absolute - look.prior - self.gain
        if usual:
            return min(look.llr - self.usual, gained)
        per_token = 2 * (look.per_token - self.per_token)  # it varies less than the others
        return min(look.llr - self.least, look.absolute - self.absolute, per_token, gained)


def typed(text: str) -> Phrase:
    """A word that has no first stage.

    Tuned on recordings with even numbers of people who say computer or view glass, and on what 13 minutes of other
    speech make of twelve further phrases: "hello there", "good morning" and "all right" were taken 310 times in it
    where they had to reach the same as "view glass", and never with what is asked of them here.
    """
    return Phrase((text,), least=-11.0, usual=-11.0, absolute=-15.0, per_token=-3.9, gain=8.5, known=True)


def learned(spellings: Sequence[str]) -> Phrase:
    """A word whose first stage fires often, and that was spelled from recordings of it."""
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
    "alexa": Phrase(("alexa",), usual=-8.0, absolute=-11.5, known=True),
    "hey_mycroft": Phrase(
        ("hey mycroft", "hey my croft", "hey microft", "hey my craft", "hey minecraft", "hey micro"), least=-8.0,
        usual=-12.0, known=True,
    ),
    "hey_rhasspy": Phrase(
        ("hey rhasspy", "hey raspy", "hey raspie", "hey rasp", "hey raspi", "hey raspberry"), known=True
    ),
}  # fmt: skip


def phrase_of(word: str, said: str | None, spellings: Sequence[str] = ()) -> Phrase | None:
    """What to look for when a word is proposed; None: nobody knows how it is spelled.

    :param said: what a person says, as the model's publisher writes it.
    :param spellings: how the recogniser writes it, where the model tells.
    """
    if spellings:
        return learned(spellings)
    if word in PACKAGED:
        return PACKAGED[word]
    return Phrase((said.casefold(),)) if said else None
