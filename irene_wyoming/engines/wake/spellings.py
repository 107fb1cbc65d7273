"""Spellings: how a speech recogniser writes the packaged wake words, and how sure it must be. Pure.

A recogniser that has never met "nabu" writes what it sounds like. LLR is the natural logarithm of the phrase's
probability over that of what the recogniser would rather write. Measured on recordings of people: of 60 who say
"alexa" all reach -6 in quiet and beside a kitchen at 10 dB, of 175 other recordings none reaches -11. Of the other
words there were 4 to 8 recordings each, so that more is let through where the first stage is sure, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class Phrase:
    """What is looked for, and what a look must reach."""

    spellings: tuple[str, ...]
    least: float = -6.0
    """LLR of a proposal that the first stage alone would not have told."""
    usual: float = -10.0
    """LLR of one that it would have told; nothing else is asked of it."""
    absolute: float = -16.0
    per_token: float = -8.0
    known: bool = False
    """The recogniser is known to write it so: ``verify: auto`` may look for it."""
    twice: tuple[float, float] | None = None
    """LLR and score per token of each of two looks in a row that together are enough; None: two are not more."""

    def nearly(self, look: Look) -> bool:
        """Whether a look, with another such one beside it, is enough."""
        return self.twice is not None and look.llr >= self.twice[0] and look.per_token >= self.twice[1]

    def margin(self, look: Look, *, usual: bool) -> float:
        """By how much a look goes beyond what it must reach; below 0: it does not.

        :param usual: the first stage alone would have told the word.
        """
        if usual:
            return look.llr - self.usual
        per_token = 2 * (look.per_token - self.per_token)  # it varies less than the others
        return min(look.llr - self.least, look.absolute - self.absolute, per_token)


def typed(text: str) -> Phrase:
    """A word that has no first stage. Tuned on a quarter of recordings of people who say computer or view glass."""
    twice = (-10.5, -3.7) if " " in text else None  # single words are too alike
    return Phrase((text,), least=-7.0, usual=-7.0, absolute=-11.0, per_token=-2.3, known=True, twice=twice)


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
