"""Spoken forms: how people say what a home has written, and how recognisers write down what people said.

``AC/DC lamp`` is said letter by letter, ``2nd floor`` is heard as "second floor" and written either way, and nobody
says the underscores of ``sonoff_buero_tim``. The first form of a name is the plain spoken one.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, product

from irene_wyoming.language.numbers import digit_forms, number_forms, ordinal_forms, word_numbers
from irene_wyoming.language.signs import ARTICLES, INITIALISMS, abbreviation_forms, sign_forms, unit_forms

MOST_FORMS = 16
"""Of one name. Odder ways than these are not worth what each costs a search."""
MOST_WORDS = 12
"""Of a name that somebody can be expected to say; it would take five seconds."""

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*'?|[^\w\s]|_")
_ORDINAL = re.compile(r"(\d+)(st|nd|rd|th)", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-Þ])")
_LATIN = re.compile(r"[a-z]", re.IGNORECASE)
_QUOTES = str.maketrans("\N{RIGHT SINGLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}`\N{ACUTE ACCENT}", "''''")
_NOT_LATIN = frozenset(
    [
        *("ar", "bg", "bn", "el", "fa", "gu", "he", "hi", "hy", "ja", "ka", "kn", "ko", "ml", "mn", "ne", "ru", "sr"),
        *("ta", "te", "th", "uk", "ur", "zh"),
    ]
)
"""Languages that are written in another script: any letter can be said there."""

Choices = list[tuple[str, ...]]
"""Of each part of a name: the ways to say it, the usual one first."""


@lru_cache(maxsize=8192)
def spoken_forms(written: str, language: str = "en") -> tuple[str, ...]:
    """Ways in which people say, and recognisers write, a name or a word; see ``why_unsayable`` for none.

    :param written: as the home writes it.
    :param language: e.g. ``en`` or ``en-GB``; it settles how numbers, signs and units are said.
    :return: lower case, single blanks; the plain spoken form first; at most MOST_FORMS.
    """
    if why_unsayable(written, language):
        return ()
    family = _family(language)
    choices = list[tuple[str, ...]]()
    text = _cleaned(written)
    shouted = text.isupper() and len(text) > 5
    for word in text.split():
        choices += _word(word.lower() if shouted and len(word) > 3 else word, family)
    forms = list(islice(_combined(choices), MOST_FORMS))
    articles = ARTICLES.get(family, ())
    forms += [rest for form in forms for first, _, rest in [form.partition(" ")] if rest and first in articles]
    if not text.isascii():
        forms = _with_folded(forms, family)
    return tuple(dict.fromkeys(forms))[:MOST_FORMS]


def why_unsayable(written: str, language: str = "en") -> str:
    """Why nobody could say a name, for the one who wrote it; empty: it can be said."""
    tokens = [token for token in _TOKEN.findall(_cleaned(written)) if token[0].isalnum()]
    if not tokens:
        return "holds no letter and no digit"
    if len(tokens) > MOST_WORDS:
        return f"has {len(tokens)} words, and nobody says more than {MOST_WORDS}"
    if any(len(token) > 40 for token in tokens):
        return "holds a word of more than 40 letters"
    if _family(language) not in _NOT_LATIN:
        foreign = [token for token in tokens if token[0].isalpha() and not _LATIN.search(_folded(token))]
        if foreign:
            return f"holds {foreign[0]!r}, whose letters cannot be said in {language}"
    return ""


def _family(language: str) -> str:
    return language.replace("_", "-").split("-")[0].casefold()


def _cleaned(written: str) -> str:
    """One spelling of each letter and quote; superscripts as digits, brackets and emoji as blanks."""
    text = unicodedata.normalize("NFC", written).translate(_QUOTES)
    text = "".join(str(unicodedata.digit(letter)) if letter in "²³¹" else letter for letter in text)
    return " ".join("".join(" " if unicodedata.category(letter) in _BLANKS else letter for letter in text).split())


_BLANKS = frozenset(["Ps", "Pe", "Pi", "Pf", "So", "Sk", "Cc", "Cf", "Mn", "Cn", "Co", "Cs"]) - {"Mn"}


def _word(word: str, language: str) -> Choices:
    """The parts of one word between blanks, and how each may be said."""
    if ordinal := _ORDINAL.fullmatch(word):
        return [ordinal_forms(int(ordinal[1]), language) or (word.casefold(),)]
    if word in ("24/7",) and language == "en":
        return [("twenty four seven", "24/7", "24 7", "twenty-four seven", "twenty four hours seven days")]
    if re.fullmatch(r"\d+\.", word) and (ordinals := ordinal_forms(int(word[:-1]), language)):
        return [(*ordinals, word, word[:-1])]
    tokens = [
        part for token in _TOKEN.findall(word) for part in (_CAMEL.split(token) if token[0].isalpha() else [token])
    ]
    choices = list(_tokens(tokens, language))
    return _with_whole(choices, tokens, word)


def _tokens(tokens: list[str], language: str) -> Iterator[tuple[str, ...]]:
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else ""
        behind = tokens[index + 1] if index + 1 < len(tokens) else ""
        if token[0].isdigit():
            yield _digits(token, language)
        elif token[0].isalpha():
            yield _letters(token, before[:1].isdigit(), behind == ".", language)
        elif token in "-_'.,;:!?" or (token == "/" and not (before and behind)):
            continue
        elif ways := sign_forms(token, language):
            yield ways


def _digits(token: str, language: str) -> tuple[str, ...]:
    if "." in token or "," in token:
        whole, part = re.split("[.,]", token, maxsplit=1)
        if len(part) == 3 and whole != "0" and part.isdigit():  # thousands, grouped
            return (*number_forms(int(whole + part), language), token)
        if part.isdigit():
            point = sign_forms(".", language)[0]
            return (f"{number_forms(int(whole), language)[0]} {point} {digit_forms(part, language)[0]}", token)
        return (" ".join(number_forms(int(piece), language)[0] for piece in re.split("[.,]", token)), token)
    if token.startswith("0") and len(token) > 1:
        double = ("double oh " + number_forms(int(token[2:]), language)[0],) if re.fullmatch("00[1-9]", token) else ()
        return (*digit_forms(token, language), *(double if language == "en" else ()))
    ways = number_forms(int(token), language)
    if len(token) > 2:
        ways = (*ways[:-1], *digit_forms(token, language))
    return tuple(dict.fromkeys(ways))


def _letters(token: str, after_number: bool, dot: bool, language: str) -> tuple[str, ...]:
    word = token.casefold() if token.casefold() != token.lower() and "ß" not in token else token.lower()
    if after_number and (units := unit_forms(word, language)):
        return units
    if (len(token) > 1 and token.isupper() and len(token) <= 5) or word in INITIALISMS:
        return (" ".join(word), word, ".".join(word) + ".")
    if (dot or token[:1].isupper()) and (long := abbreviation_forms(word, language)):
        return (*long, word) if dot else (word, *long)
    ways = [word, *word_numbers(language).get(word, ())]
    if "'" in word:
        ways += [word.replace("'", ""), word.rstrip("'")]
    return tuple(dict.fromkeys(ways))


def _with_whole(choices: Choices, tokens: list[str], word: str) -> Choices:
    """Words of several parts may also be written as one: ``wi-fi``, ``wifi``, ``a/b``."""
    letters = [token for token in tokens if token[0].isalnum()]
    if len(letters) < 2 or not any(token.isalpha() for token in letters):
        return choices
    parted = tuple(islice(_combined(choices), 8))
    whole = word.casefold().strip(".,;:!?_-")
    together = "".join(token.casefold() for token in letters) if "/" not in tokens else whole
    return [tuple(dict.fromkeys((parted[0], whole.replace("_", " "), together, *parted[1:])))]


def _combined(choices: Choices) -> Iterator[str]:
    """All ways to say the parts in a row, those with the most usual parts first."""
    while (size := _product(choices)) > 2 * MOST_FORMS and size > 1:
        widest = max(range(len(choices)), key=lambda index: len(choices[index]))
        choices = [ways[:-1] if index == widest else ways for index, ways in enumerate(choices)]
    ranked = product(*(list(enumerate(ways)) for ways in choices))
    for way in sorted(ranked, key=lambda way: sum(rank for rank, _ in way)):
        yield " ".join(" ".join(part for _, part in way).split())


def _product(choices: Choices) -> int:
    size = 1
    for ways in choices:
        size *= max(1, len(ways))
    return size


def _folded(text: str) -> str:
    """Without accents: ``cafe``. Letters that are no Latin ones with a mark stay."""
    text = text.replace("ß", "ss").replace("ø", "o").replace("æ", "ae").replace("œ", "oe").replace("ł", "l")
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def _with_folded(forms: list[str], language: str) -> list[str]:
    """English writes no accents; elsewhere only a recogniser that does not know better leaves them out."""
    folded = [_folded(form) for form in forms]
    if language == "en":
        return folded + forms
    umlauts = [form.translate(_UMLAUTS) for form in forms if language == "de"]
    return forms + umlauts + folded


_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
