"""Hotwords: names that a transducer of sherpa-onnx is to lean towards, as the library can take them.

The library ends the process on hotwords for any other family, and on text that it cannot cut into a model's tokens. So
only words that the tokens can spell are handed over, in the letters that they are written in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from irene_wyoming.engines.base import AsrRequest
from irene_wyoming.language.likely import likely_names
from irene_wyoming.language.spoken import spoken_forms
from irene_wyoming.models.families import Found

FAMILIES = ("transducer", "online_transducer")
"""Families that survive hotwords. Parakeet is a transducer, too, but beam search leaves a fifth of its texts empty."""

MOST = 100
"""Names of one utterance. More of them take longer to search than they are worth."""

START = "\N{LOWER ONE EIGHTH BLOCK}"
"""Marks the start of a word in tokens of sentencepiece."""


@dataclass(frozen=True, slots=True)
class Hotwords:
    """What the tokens of a model can spell.

    :param tokens: all of them, in the order of their numbers.
    :param unit: how the library cuts text into them: ``bpe``, ``cjkchar`` or ``cjkchar+bpe``.
    :param names: configured ones.
    """

    tokens: dict[str, int]
    unit: str
    names: tuple[str, ...] = ()

    @property
    def pieces(self) -> str:
        """The tokens as the library reads those of sentencepiece: each with a score, the earlier the higher."""
        return "".join(f"{token}\t{-number}\n" for token, number in self.tokens.items())

    def text(self, request: AsrRequest, language: str) -> str:
        """The hotwords of an utterance; empty: there are none that the tokens can spell."""
        home = request.vocabulary
        known = self.names if home is None else likely_names(home, language)
        named = (*request.names, *request.terms, *known)
        spoken = (form for name in named for form in spoken_forms(name, language)[:1])
        spelled = dict.fromkeys(filter(None, map(self._spelled, spoken)))
        return "/".join([*spelled][:MOST])

    def _spelled(self, spoken: str) -> str:
        """A spoken form in the letters of the tokens; empty: they cannot spell it."""
        ways = (spoken, spoken.upper())
        return next((way for way in ways if all(map(self._can, way.split()))), "")

    def _can(self, word: str) -> bool:
        """Whether a word is a token, or each of its letters is one."""
        letters = all(letter in self.tokens for letter in word)
        return START + word in self.tokens or (letters and (self.unit == "cjkchar" or START in self.tokens))


def of_model(found: Found, names: Sequence[str]) -> Hotwords | None:
    """What a model's tokens can spell; None: it takes no hotwords.

    :param names: configured ones.
    """
    if found.family.name not in FAMILIES:
        return None
    lines = found.files["tokens"].read_text(encoding="utf-8").splitlines()
    tokens = {line.rpartition(" ")[0]: number for number, line in enumerate(lines)}
    pieces = any(token.startswith(START) for token in tokens)
    signs = any(len(token) == 1 and token >= "\N{CJK UNIFIED IDEOGRAPH-4E00}" for token in tokens)
    unit = "+".join(name for name, there in (("cjkchar", signs), ("bpe", pieces)) if there)
    return Hotwords(tokens, unit, tuple(names)) if unit else None
