"""Numbers as people say them and as recognisers write them, in the languages of unicode-rbnf (which hassil brings)."""

from functools import lru_cache

from hassil.numbers import get_rbnf_engine
from unicode_rbnf import RbnfEngine
from unicode_rbnf.engine import FormatPurpose, NoRuleForNumberError

SAME = {"nb": "no", "nn": "no"}
"""Languages whose numbers have another name in the library, which has an engine without rules for these two."""

LARGEST = 999_999
"""Largest number that is said as a whole; beyond it people say digits."""


@lru_cache(maxsize=4096)
def number_words(number: int | float, language: str = "en") -> str:
    """A number in words, without hyphens: ``twenty one point five``.

    :raises ValueError: the language's numbers are unknown.
    """
    return _spaced(str(get_rbnf_engine(SAME.get(language, language)).format_number(number).text))


def _engine(language: str) -> RbnfEngine | None:
    """The library's engine of a language; None: its numbers are unknown."""
    try:
        return get_rbnf_engine(SAME.get(language, language))
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def number_forms(number: int, language: str = "en") -> tuple[str, ...]:
    """Ways to say or write a whole number, the usual spoken one first: ``fifty five``, ``fifty-five``, ``55``."""
    if number > LARGEST:
        return digit_forms(str(number), language)
    engine = _engine(language)
    if engine is None:
        return (str(number),)
    texts = [str(text) for text in engine.format_number(number).text_by_ruleset.values()]
    ways = [number_words(number, language), *map(_spaced, texts), *texts, str(number)]
    if language.startswith("en"):
        ways[1:1] = _english(number)
    if language.startswith("de"):  # people leave out the "ein" of "einhundert"; inflected forms do not help
        ways = [
            *dict.fromkeys(ways[:1] + [way.removeprefix("ein") for way in ways[:1] if number in range(100, 2000)]),
            str(number),
        ]
    if number >= 1000:
        ways.append(f"{number:,}")
    return tuple(dict.fromkeys(way.casefold() for way in ways))


@lru_cache(maxsize=1024)
def digit_forms(digits: str, language: str = "en") -> tuple[str, ...]:
    """Ways to say digits one by one: ``one zero one``, in English also ``one oh one``. The last way is as written."""
    words = [number_forms(int(digit), language)[0] for digit in digits]
    ways = [" ".join(words)]
    if language.startswith("en") and "0" in digits[1:]:
        ways.append(ways[0].replace("zero", "oh"))
    return (*ways, digits)


@lru_cache(maxsize=1024)
def ordinal_forms(number: int, language: str = "en") -> tuple[str, ...]:
    """Ways to say ``2nd``; empty where the language's ordinals are unknown."""
    engine = _engine(language)
    texts = [] if engine is None else _texts(engine, number, FormatPurpose.ORDINAL)
    ways = [_spaced(text) for text in texts] + [text for text in texts if "-" in text]
    if language.startswith("en") and ways:
        ways += [way.removeprefix("one ") for way in ways if way in ("one hundredth", "one thousandth")]
        ways.append(f"{number}{_english_ending(number)}")
    return tuple(dict.fromkeys(way.casefold() for way in ways))


@lru_cache(maxsize=8)
def word_numbers(language: str = "en") -> dict[str, tuple[str, ...]]:
    """Words that are numbers or ordinals -> other ways to write them: ``two`` -> ``2``."""
    numbers = (*range(21), *range(30, 101, 10))
    found: dict[str, tuple[str, ...]] = {number_forms(n, language)[0]: (str(n),) for n in numbers}
    for number in range(1, 21):
        words, *others = ordinal_forms(number, language) or ("",)
        if digits := tuple(other for other in others if other[0].isdigit()):
            found.setdefault(words, digits)
    return {words: others for words, others in found.items() if " " not in words}


def _english(number: int) -> list[str]:
    """Ways that the library's rules lack: ``one hundred and one``, ``twelve hundred``, ``twenty twenty four``."""
    hundreds, rest = divmod(number, 100)
    ways = []
    if 0 < hundreds < 10 and rest:
        ways.append(f"{number_words(hundreds)} hundred and {number_words(rest)}")
    if 10 < hundreds < 100 and hundreds % 10 and not rest:
        ways.append(f"{number_words(hundreds)} hundred")
    if 10 <= hundreds < 100 and rest >= 10:
        ways.append(f"{number_words(hundreds)} {number_words(rest)}")
    if 0 < hundreds < 10 and rest >= 10:
        ways.append(f"{number_words(hundreds)} {number_words(rest)}")  # "one twenty" for 120
    if 10 <= hundreds < 100 and 0 < rest < 10:  # "twenty oh one"
        ways.append(f"{number_words(hundreds)} oh {number_words(rest)}")
    if number >= 1000 and 0 < number % 1000 < 100:
        ways.append(f"{number_words(number // 1000)} thousand and {number_words(number % 1000)}")
    if number == 1000:
        ways += ["a thousand", "thousand"]
    if hundreds == 1:
        ways += ["a hundred", "hundred"] if not rest else [f"a hundred and {number_words(rest)}"]
    return ways


def _english_ending(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _texts(engine: RbnfEngine, number: int, purpose: FormatPurpose) -> list[str]:
    try:
        return [str(text) for text in engine.format_number(number, purpose).text_by_ruleset.values()]
    except (NoRuleForNumberError, ValueError):
        return []


def _spaced(text: str) -> str:
    """Remove hyphens, including the soft ones that some languages have within numbers."""
    return " ".join(text.replace("-", " ").replace("\N{SOFT HYPHEN}", "").split())
