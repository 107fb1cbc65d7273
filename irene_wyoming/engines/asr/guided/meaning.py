"""Meaning: which wordings of a command ask for the same thing.

A person who says "turn on the light" does not care whether "switch on light" was heard. So two sentences of a grammar
are twins only where a word differs that matters.
"""

from functools import lru_cache

EMPTY = frozenset(
    [
        "a",
        "an",
        "the",
        "my",
        "our",
        "your",
        "this",
        "that",
        "these",
        "some",
        "of",
        "in",
        "at",
        "to",
        "for",
        "by",
        "with",
        "i",
        "i'd",
        "i'm",
        "me",
        "we",
        "you",
        "it",
        "its",
        "please",
        "can",
        "could",
        "would",
        "may",
        "will",
        "shall",
        "do",
        "does",
        "is",
        "are",
        "was",
        "be",
        "get",
        "give",
        "make",
        "want",
        "need",
        "like",
        "have",
        "has",
        "let",
        "let's",
        "what",
        "what's",
        "whats",
        "how",
        "and",
        "all",
        "every",
        "any",
        "there",
        "here",
        "now",
        "just",
        "so",
    ]
)
"""Words that change no command. "With", "and" and pronouns stand between words that do."""

SAME = {
    "switch": "turn",
    "set": "turn",
    "change": "turn",
    "shut": "close",
    "closed": "close",
    "percent": "",
    "per": "",
    "cent": "",
    "degrees": "",
    "degree": "",
    "song": "track",
    "television": "tv",
    "temp": "temperature",
}
"""Words for the same thing. Units stand behind numbers, which differ themselves."""


@lru_cache(4096)
def meaning(sentence: str) -> tuple[str, ...]:
    """The words of a sentence that matter, in order; equal ones ask for the same thing."""
    words = (SAME.get(word, word) for word in sentence.casefold().replace("-", " ").split() if word not in EMPTY)
    return tuple(one(word) for word in words if word)


def one(word: str) -> str:
    """The singular of a plural: a room's light is its lights."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
