"""Hotwords: names that a transducer of sherpa-onnx leans towards, in the library's form.

The library ends the process on hotwords for other families, and on text that the model's tokens cannot spell. So only
words that the tokens can spell are given to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from irene_wyoming.engines.base import AsrRequest
from irene_wyoming.language.likely import likely_names
from irene_wyoming.language.spoken import spoken_forms
from irene_wyoming.models.families import Found

FAMILIES = ("transducer", "online_transducer")
"""Families that accept hotwords. Parakeet is a transducer, too, but beam search leaves a fifth of its texts empty."""

MOST = 100
"""Most names of one utterance. More of them slow the search for little gain."""

START = "\N{LOWER ONE EIGHTH BLOCK}"
"""Marks the start of a word in tokens of sentencepiece."""


@dataclass(frozen=True, slots=True)
class Hotwords:
    """Spells names in the tokens of a model.

    :param tokens: all tokens in the order of their numbers.
    :param unit: how the library cuts text into tokens: ``bpe``, ``cjkchar`` or ``cjkchar+bpe``.
    :param names: configured names.
    """

    tokens: dict[str, int]
    unit: str
    names: tuple[str, ...] = ()

    @property
    def pieces(self) -> str:
        """The tokens in sentencepiece's text form: each with a score, higher for earlier ones."""
        return "".join(f"{token}\t{-number}\n" for token, number in self.tokens.items())

    def text(self, request: AsrRequest, language: str) -> str:
        """The hotwords of an utterance; empty: the tokens can spell none."""
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
    """Make the Hotwords of a model; None: it takes none.

    :param names: configured names.
    """
    if found.family.name not in FAMILIES:
        return None
    lines = found.files["tokens"].read_text(encoding="utf-8").splitlines()
    tokens = {line.rpartition(" ")[0]: number for number, line in enumerate(lines)}
    pieces = any(token.startswith(START) for token in tokens)
    signs = any(len(token) == 1 and token >= "\N{CJK UNIFIED IDEOGRAPH-4E00}" for token in tokens)
    unit = "+".join(name for name, there in (("cjkchar", signs), ("bpe", pieces)) if there)
    return Hotwords(tokens, unit, tuple(names)) if unit else None
