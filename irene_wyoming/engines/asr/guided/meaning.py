"""Meaning: compares commands by the words that matter.

"Turn on the light" and "switch on light" mean the same. Two sentences of a grammar differ only where a word that
matters differs.
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
"""Words that do not change a command. "With", "and" and pronouns stand between words that do."""

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
"""Synonyms. Units are dropped, since the numbers before them differ themselves."""


@lru_cache(4096)
def meaning(sentence: str) -> tuple[str, ...]:
    """The words of a sentence that matter, in order. Commands with equal words mean the same."""
    words = (SAME.get(word, word) for word in sentence.casefold().replace("-", " ").split() if word not in EMPTY)
    return tuple(one(word) for word in words if word)


def one(word: str) -> str:
    """The singular of a plural: a room's light is its lights."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
