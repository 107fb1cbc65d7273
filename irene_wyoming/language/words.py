"""Words: how a single word of a name is said, and how recognisers write it."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice, product
from typing import NamedTuple

from irene_wyoming.language.grammar import plain
from irene_wyoming.language.numbers import digit_forms, number_forms, ordinal_forms, word_numbers
from irene_wyoming.language.signs import (
    APART,
    CAPITALS,
    ENDINGS,
    FRACTIONS,
    INITIALISMS,
    abbreviation_forms,
    sign_forms,
    unit_forms,
)

TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*'?|[^\w\s]|_")
"""Matches a number, a run of letters with its apostrophes, or one sign."""

_ORDINALS = {
    "en": re.compile(r"(\d+)(st|nd|rd|th)", re.IGNORECASE),
    "de": re.compile(r"(\d+)(\.|s?te[nmrs]?)", re.IGNORECASE),
    "fr": re.compile(r"(\d+)(er|ère|re|e|ème|eme|ième|nde?)", re.IGNORECASE),
    "es": re.compile(r"(\d+)(\.?[ºª°]|er|[rdtmvn][oa])", re.IGNORECASE),
    "it": re.compile(r"(\d+)[ºª°]"),
    "nl": re.compile(r"(\d+)(e|de|ste)", re.IGNORECASE),
}
_CAMEL = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-Þ])|(?<=[A-Z]{2})(?=[A-Z][a-z]{2})")
_ROMAN = {
    "II": 2,
    "III": 3,
    "IV": 4,
    "VI": 6,
    "VII": 7,
    "VIII": 8,
    "IX": 9,
    "XI": 11,
    "XII": 12,
    "XIII": 13,
    "XIV": 14,
    "XV": 15,
    "XVI": 16,
    "XVII": 17,
    "XVIII": 18,
    "XIX": 19,
    "XX": 20,
}
"""Roman numerals in names; I, V and X are rather letters."""
_FRACTIONS = {"1/4": "¼", "1/2": "½", "3/4": "¾"}
_SILENT = "-_'.,;:!?"
_COINS = "$€£"
_QUOTED = {'"': "in", "\N{DOUBLE PRIME}": "in", "'": "ft", "\N{PRIME}": "ft"}
"""Marks of inches and feet behind a number."""
_LETTER_FIRST = frozenset("agklhs")
"""Units of one letter that are rather a plain letter behind a number: ``zone 2A``."""
_MOST = 8
"""Most ways of one word; names join those of several."""


class Word(NamedTuple):
    """The forms of one word of a name."""

    spoken: tuple[str, ...]
    """Forms in words alone, the usual one first."""
    noted: tuple[str, ...]
    """Forms that recognisers write: with digits, signs, or letters run together."""


def word_forms(word: str, language: str) -> Word:
    """The forms of a word between blanks.

    :param word: the word as written; capital letters tell letters from words.
    :param language: two letters.
    """
    if special := _special(word, language):
        return special
    tokens = [part for token in TOKEN.findall(word) for part in _parts(token)]
    parts = list(_tokens(tokens, language))
    if len(parts) == 1:
        return parts[0]
    return _compound(word, tokens, parts)


def combined(choices: Sequence[Sequence[str]], most: int) -> Iterator[str]:
    """Combine one way of each choice in a row; combinations of the most usual ways come first."""
    kept = [list(dict.fromkeys(ways)) for ways in choices]
    size = 1
    for ways in kept:
        size *= max(1, len(ways))
    while size > 8 * most:
        widest = max(kept, key=len)
        size = size // len(widest) * (len(widest) - 1)
        widest.pop()
    ranked = sorted(product(*(enumerate(ways) for ways in kept)), key=lambda way: sum(rank for rank, _ in way))
    for way in islice(ranked, most):
        yield " ".join(" ".join(part for _, part in way).split())


def _parts(token: str) -> list[str]:
    """Split a token: ``kidsRoom`` and ``LEDStrip`` are two words, ``kW`` is one."""
    return [token] if len(token) <= 3 else _CAMEL.split(token)


def _special(word: str, language: str) -> Word | None:
    """The forms of a word that is said as a whole; None: it is not."""
    pattern = _ORDINALS.get(language)
    if pattern is not None and (found := pattern.fullmatch(word)):
        spoken = ordinal_forms(int(found[1]), language)
        if spoken:
            return Word(spoken[:_MOST], (word.lower(), found[1]))
    if word == "24/7" and language == "en":
        return Word(("twenty four seven",), ("24/7", "24 7"))
    if word in _ROMAN:
        number = _number(str(_ROMAN[word]), language)
        kings = [f"the {way}" for way in ordinal_forms(_ROMAN[word], language)[:1] if language == "en"]
        return Word((*number.spoken, *kings), (word.lower(), *number.noted))
    if word in _FRACTIONS and language in FRACTIONS:
        said = FRACTIONS[language][_FRACTIONS[word]]
        others = (said.removesuffix("s"), f"one {said}") if language == "en" else ()
        digits = combined([_number(digit, language).spoken[:1] for digit in word.split("/")], 1)
        return Word(tuple(dict.fromkeys((said, *others, *digits))), (word,))
    return None


def _tokens(tokens: Sequence[str], language: str) -> Iterator[Word]:
    at = 0
    while at < len(tokens):
        token = tokens[at]
        before, behind = tokens[at - 1] if at else "", tokens[at + 1] if at + 1 < len(tokens) else ""
        at += 1
        if token[0].isdigit() or (token in _COINS and behind[:1].isdigit()):
            unit, used = (token, 1) if token in _COINS else _unit(tokens[at:])
            number = _number(behind if token in _COINS else token, language)
            if units := unit_forms(unit, language):
                at += used
                number = _measure(number, unit, units)
            yield number
        elif sign := _between(token, before, behind):
            ways = sign_forms(sign, language)
            yield Word(tuple(dict.fromkeys(ways)), ("", token, *ways))
        elif token[0].isalpha():
            yield _letters(token, behind == ".", language)
        elif token in _SILENT or (token == "/" and (at == 1 or not behind)):
            continue
        elif ways := sign_forms(token, language):
            yield Word(tuple(way for way in ways if way.isalpha() or not way or " " in way) or ("",), (token, *ways))


def _unit(behind: Sequence[str]) -> tuple[str, int]:
    """The unit behind a number, as ``unit_forms`` knows it, and the number of its tokens."""
    first, second = (*behind[:2], "", "")[:2]
    if first in _QUOTED:
        return _QUOTED[first], 1
    if first == "-" and len(second) < 3:  # ``12-V-Pumpe``
        return second.lower(), 2
    if first == "°" and second.lower() in ("c", "f"):
        return f"°{second.lower()}", 2
    return first.lower(), 1


def _between(token: str, before: str, behind: str) -> str:
    """The sign that ``sign_forms`` knows, for one whose meaning depends on its neighbours; empty: it has none."""
    digits = before[:1].isdigit(), behind[:1].isdigit()
    if token in ("x", "X", "\N{MULTIPLICATION SIGN}") and digits[0]:
        return "2x2" if digits[1] else "2x"
    if token == "-" and digits[1]:
        return "1-2" if digits[0] else "" if before else "-1"
    if token == "." and len(before) > 1 and len(behind) > 1 and (before + behind).isalpha():
        return "a.b"
    return ""


def _compound(word: str, tokens: Sequence[str], parts: Sequence[Word]) -> Word:
    """The forms of a word with several parts (``wi-fi``, ``a/b``, ``m&m``): said in a row, written in one or many."""
    together = "".join(token for token in tokens if token[0].isalnum()).lower()
    signs = any(not token[0].isalnum() and token not in _SILENT for token in tokens)
    whole = plain(word)
    joined = () if signs or together.isdigit() else (together, together.replace("'", ""))
    noted = (whole, *joined, *combined([part.noted for part in parts], 4))
    return Word(tuple(combined([part.spoken for part in parts], _MOST)), tuple(way for way in noted if way))


def _number(token: str, language: str) -> Word:
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", token):  # grouped thousands
        ways = number_forms(int(re.sub("[.,]", "", token)), language)
        return Word(_words(ways), (token, re.sub("[.,]", "", token)))
    if not token.isdigit():
        return _decimal(token, language)
    if token.startswith("0") and len(token) > 1:
        digits, number = digit_forms(token, language)[0], number_forms(int(token), language)[0]
        oh = (f"double oh {number}",) if re.fullmatch("00[1-9]", token) else ()
        oh = (digits.replace("zero", "oh"), *oh) if language == "en" else ()
        return Word(tuple(dict.fromkeys((digits, *oh, number))), (token, token.lstrip("0") or "0"))
    ways = number_forms(int(token), language)
    spoken = _words(ways)
    if len(token) > 2:
        spoken = (*spoken, *digit_forms(token, language)[:-1])
    return Word(spoken, (token, *(way for way in ways if way not in spoken and way != token)))


def _decimal(token: str, language: str) -> Word:
    pieces = re.split("[.,]", token)
    points = sign_forms("1,5" if "," in token else "1.5", language)
    ways = [number_forms(int(pieces[0]), language)[0], *(digit_forms(piece, language)[0] for piece in pieces[1:])]
    spoken = [f" {point} ".join(ways) for point in points if point]
    oh = [spoken[0].removesuffix("zero") + "oh"] if language == "en" and spoken[0].endswith("zero") else []
    return Word((*spoken, *oh), (token,))


def _words(ways: Sequence[str]) -> tuple[str, ...]:
    """The ways without a digit or a hyphen."""
    words = (way for way in ways if not any(letter.isdigit() or letter == "-" for letter in way))
    return tuple(words)[:_MOST] or tuple(ways[:1])


def _measure(number: Word, unit: str, units: Sequence[str]) -> Word:
    *words, short = units
    letters = " ".join(short) if short.isalpha() else words[0]
    ways = [letters, *words] if unit.lower() in _LETTER_FIRST else [*words, letters]
    spoken = combined([number.spoken, ways], _MOST)
    digits = number.noted[0]
    noted = (f"{digits}{short}", *(f"{digits} {word}" for word in words), f"{digits} {short}", f"{digits}-{words[-1]}")
    return Word(tuple(spoken), noted)


def _letters(token: str, dot: bool, language: str) -> Word:
    word = token.lower()
    if parts := APART.get(word):
        return Word((parts, word), (word, parts))
    if (1 < len(token) <= 5 and token.isupper()) or word in INITIALISMS:
        whole = CAPITALS.get(language, {}).get(word)
        return Word((" ".join(word), word, *([whole] if whole else [])), (word, ".".join(word) + "."))
    if (dot or token[:1].isupper()) and (long := abbreviation_forms(word, language)):
        return Word(long, (word,)) if dot else Word((word, *long), (word,))
    if word == "n'" and language == "en":
        return Word(("and", "n"), ("n", "and"))
    if word.endswith("s'"):
        return Word((word[:-1], f"{word[:-1]}'s"), (word, word[:-1], f"{word[:-2]}'s"))
    if "'" in word:
        apart = (word.replace("'", " ", 1),) if word[1] == "'" else ()  # "o'brien"
        return Word((word,), (word, word.replace("'", ""), *apart))
    if parts := _apart(word, language):
        return Word((word, parts), (word, parts))
    return Word((word,), (word, *word_numbers(language).get(word, ())))


def _apart(word: str, language: str) -> str:
    """The two words of a compound: ``living room`` for ``livingroom``; empty: it is none."""
    ends = (end for end in ENDINGS.get(language, ()) if word.endswith(end) and len(word) >= len(end) + 3)
    end = max(ends, key=len, default="")
    return f"{word.removesuffix(end)} {end}" if end else ""
