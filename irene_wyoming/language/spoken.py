"""Spoken forms: ways in which people say a home's names, and in which recognisers write them.

``AC/DC lamp`` is said letter by letter, ``2nd floor`` is said "second floor" and written either way, and nobody says
the underscores of ``sonoff_buero_tim``. The first form of a name is the plain spoken one.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from unicodedata import digit

from irene_wyoming.language.grammar import plain
from irene_wyoming.language.signs import ARTICLES, FRACTIONS, unit_forms
from irene_wyoming.language.words import TOKEN, combined, word_forms

MOST_FORMS = 16
"""Most forms of one name. Odder ones are not worth their cost in a search."""
MOST_WORDS = 12
"""Most words of a speakable name, which would take five seconds."""
LONGEST_WORD = 40
"""Most letters of one speakable word."""

_APART = re.compile(r"(\d) (kWh|kW|W|V|[kMG]?Hz|mm|cm|m|km|kg|[kMGT]B|ml|ft|lm)(?!\w)")
"""Matches a number and its unit with a blank between them."""
_NUMERO = re.compile(r"\bn(?:\.?[°º]|\.)\s*(?=\d)", re.IGNORECASE)
_LATIN = re.compile(r"[a-z]", re.IGNORECASE)
_QUOTES = str.maketrans(
    "\N{RIGHT SINGLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}`\N{ACUTE ACCENT}\N{RIGHT DOUBLE QUOTATION MARK}"
    "\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{MINUS SIGN}",
    "''''\"---",
)
_NOT_LATIN = frozenset(
    [
        *("ar", "bg", "bn", "el", "fa", "gu", "he", "hi", "hy", "ja", "ka", "kn", "ko", "ml", "mn", "ne", "ru", "sr"),
        *("ta", "te", "th", "uk", "ur", "zh"),
    ]
)
"""Languages of other scripts: any letter can be said there."""
_DIGITS_OF = {"¼": " 1/4", "½": " 1/2", "¾": " 3/4"}
_DIGITS = re.compile("[¼½¾]")
_ONE_SIGN = re.compile(r"[¼½¾\u2160-\u216f]")
"""Fractions and Roman numerals that are one character."""
_FRACTION = re.compile("(?:[0-9]+ ?)?[¼½¾]")
_BLANKS = frozenset(["Ps", "Pe", "Pi", "Pf", "So", "Sm", "Sk", "Cc", "Cf", "Mn", "Me", "Cn", "Co", "Cs"])
"""Categories of characters that nobody says: brackets, pictures, arrows, controls."""
_SAID = "°+=\N{MULTIPLICATION SIGN}"
"""Signs of these categories that people do say."""
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def family(language: str) -> str:
    """The language of a tag, two or three letters: ``en`` for ``en-GB``."""
    return language.replace("_", "-").split("-")[0].casefold()


@lru_cache(maxsize=8192)
def spoken_forms(written: str, language: str = "en") -> tuple[str, ...]:
    """Ways in which people say, and recognisers write, a name or a word; empty: see ``why_unsayable``.

    :param written: the name as the home writes it.
    :param language: a tag such as ``en`` or ``en-GB``, for numbers, signs and units.
    :return: lower case, single blanks; the plain spoken form first; at most MOST_FORMS.
    """
    if why_unsayable(written, language):
        return ()
    tongue = family(language)
    text = _cleaned(written, tongue)
    words = [word_forms(word, tongue) for word in _parted(text, tongue)]
    spoken = list(combined([word.spoken for word in words], 6))
    forms = [spoken[0], plain(text), *combined([word.noted for word in words], 6), *spoken]
    if _ONE_SIGN.search(written):  # recognisers write digits, and the home its own sign
        forms[1:1] = [plain(_DIGITS.sub(lambda found: _DIGITS_OF[found[0]], written)), plain(written)]
    forms += combined([(*word.spoken[:2], *word.noted[:2]) for word in words], MOST_FORMS)
    forms += _without_article(forms[:8], tongue)
    if not text.isascii():
        forms = _with_folded(forms, tongue)
    return tuple(form for form in dict.fromkeys(forms) if form)[:MOST_FORMS]


@lru_cache(maxsize=16)
def distinct_forms(names: tuple[str, ...], language: str = "en") -> Mapping[str, tuple[str, ...]]:
    """The spoken forms of each name, in a home that has all of these names.

    A form that says another name better is left out: "lamp one" is ``Lamp 1``, where there is one, and not ``Lamp 01``.
    A name keeps its first form in any case.
    """
    best: dict[str, int] = {}
    forms = {name: spoken_forms(name, language) for name in names}
    for name, ways in forms.items():
        own = plain(name)
        for rank, way in enumerate(ways):
            rank_here = -1 if way == own else rank
            best[way] = min(rank_here, best.get(way, rank_here))
    return {
        name: tuple(way for rank, way in enumerate(ways) if not rank or way == plain(name) or best[way] == rank)
        for name, ways in forms.items()
    }


def why_unsayable(written: str, language: str = "en") -> str:
    """The reason why nobody can say a name, for its author; empty: it can be said."""
    tokens = [token for token in TOKEN.findall(_cleaned(written, family(language))) if token[0].isalnum()]
    if not tokens:
        return "holds no letter and no digit"
    if len(tokens) > MOST_WORDS:
        return f"has {len(tokens)} words, and nobody says more than {MOST_WORDS}"
    if any(len(token) > LONGEST_WORD for token in tokens):
        return f"holds a word of more than {LONGEST_WORD} letters"
    if family(language) not in _NOT_LATIN:
        foreign = [token for token in tokens if token[0].isalpha() and not _LATIN.search(folded(token))]
        if foreign:
            return f"holds {foreign[0]!r}, whose letters cannot be said in {language}"
    return ""


def folded(text: str) -> str:
    """A text without accents: ``cafe`` for ``café``."""
    for letter, plainly in (("ß", "ss"), ("ø", "o"), ("æ", "ae"), ("œ", "oe"), ("ł", "l"), ("Ø", "O"), ("Ł", "L")):
        text = text.replace(letter, plainly)
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def _cleaned(written: str, language: str) -> str:
    """Use one spelling of each letter and quote; superscripts become digits, brackets and pictures blanks."""
    text = unicodedata.normalize("NFC", written).translate(_QUOTES).translate({0x200D: None, 0x2116: "# "})
    text = _FRACTION.sub(lambda found: _fraction(found[0], language), text)
    text = "".join(unicodedata.normalize("NFKC", each) if unicodedata.category(each) == "Nl" else each for each in text)
    text = "".join(str(digit(letter)) if letter.isdigit() and not letter.isdecimal() else letter for letter in text)
    kept = (" " if unicodedata.category(letter) in _BLANKS and letter not in _SAID else letter for letter in text)
    return " ".join("".join(kept).split())


def _fraction(found: str, language: str) -> str:
    """``½`` as a word, ``1½`` as "1 and a half"; as digits in languages whose words are unknown here."""
    whole, sign = found[:-1].strip(), found[-1]
    said = FRACTIONS.get(language, {}).get(sign)
    if said is None:
        said = unicodedata.normalize("NFKC", sign).replace("\N{FRACTION SLASH}", "/")
    elif whole and language == "en":
        said = f"and {said if said.startswith('three') else 'a ' + said}"
    return f" {whole} {said} "


def _parted(text: str, language: str) -> list[str]:
    """Split into words; a number and its unit are one. In a name all in capitals long words are words, not letters."""
    if language != "en":
        text = _NUMERO.sub("# ", text)
    if unit_forms("w", language):
        text = _APART.sub(r"\1\2", text)
    shouted = text.isupper() and len(text) > 5
    return [word.lower() if shouted and len(word) > 3 else word for word in text.split() if word != "-"]


def _without_article(forms: list[str], language: str) -> list[str]:
    """Add forms without an article, ``den`` for ``the den``, which people say or leave out."""
    articles = ARTICLES.get(language, ())
    found = [rest for first, _, rest in (form.partition(" ") for form in forms) if rest and first in articles]
    if language in ("fr", "it"):
        found += [form[2:] for form in forms if form.startswith("l'")]
    return found


def _with_folded(forms: list[str], language: str) -> list[str]:
    """Add forms without accents: English writes none; elsewhere only some recognisers leave them out."""
    without = [folded(form) for form in forms]
    if language == "en":
        return [form for pair in zip(without, forms, strict=True) for form in pair]
    umlauts = [form.translate(_UMLAUTS) for form in forms if language == "de"]
    return [form for group in zip(forms, *([umlauts] if umlauts else []), without, strict=True) for form in group]
