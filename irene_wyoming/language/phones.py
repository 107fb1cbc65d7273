"""Phones: the rough sound of a written word, a letter per sound, by a short list of spelling rules per language.

Recognisers of open speech err by sound: they write "jar gross" for "dark roast". Few plain rules are enough, since both
sides of a comparison go through them, and equal errors cost little.

Vowels are ``i I e E a A O o u U`` (feet, fit, fate, bet, bat, hot, law, boat, boot, but). Consonants are as in English,
with ``S Z T D C J N x`` for sh, zh, th, voiced th, ch, j, ng and the German ch.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from irene_wyoming.language.spoken import folded

Rules = Sequence[tuple[str, str]]
"""Pairs of a pattern without groups and its sounds. The first match at a place is taken; it may look around itself."""

_ENGLISH: Rules = (
    # Whole words, and beginnings of words
    *((r"^one$", "wUn"), (r"^once$", "wUns"), (r"^(?:two|to|too)$", "tu"), (r"^(?:i|eye)$", "aI"), (r"^of$", "Uv")),
    *(
        (r"(?<=^[cdlns])o(?=[mnv]e$)", "U"),
        (r"^(?:a|the)$", "U"),
        (r"^eight", "et"),
        (r"^(?:kn|gn|pn)", "n"),
        (r"^wr", "r"),
        (r"^whol", "hol"),
        (r"^who", "hu"),
        (r"^wh", "w"),
    ),
    # Consonants
    *((r"tch", "C"), (r"sch(?=[aeiouy])", "sk"), (r"sch", "S"), (r"ch(?=[lrn]|a$)", "k"), (r"ch", "C"), (r"sh", "S")),
    *((r"th", "T"), (r"ph", "f"), (r"ck", "k"), (r"dge?(?=$|[eiy])", "J"), (r"(?<=[ae]u)ght|(?<=[aei])ight", "t")),
    *((r"ight", "aIt"), (r"igh", "aI"), (r"(?<=[aeo]u)gh", "f"), (r"gh(?=[aeiou])", "g"), (r"gh", ""), (r"qu", "kw")),
    *((r"ng(?=$|[^aeiou])", "N"), (r"n(?=[kx])", "N"), (r"mb$", "m"), (r"x", "ks"), (r"[ts]ion|cian", "SUn")),
    *((r"[tc]ial", "SUl"), (r"[tc]ious", "SUs"), (r"ture$", "CUr"), (r"sc(?=[eiy])", "s"), (r"cc(?=[eiy])", "ks")),
    *((r"c(?=[eiy])", "s"), (r"c+", "k"), (r"g(?=[ey]$|es$|in|ra|er$)", "J"), (r"g+", "g"), (r"j", "J")),
    *((r"(?<=[aeiouy])s(?=[aeiouy])", "z"), (r"ss*", "s"), (r"zz*", "z")),
    # Vowels before an r that many speakers leave out
    *((r"eer|ear(?=$|[^dlnt])|ier|ere$", "ir"), (r"air|are$", "Er"), (r"oor|oar|our|ore|or", "Or")),
    *((r"ar(?=$|[^aeiouyr])", "Ar"), (r"(?:ear|er|ir|ur|yr)(?=$|[^aeiouyr])", "Ur")),
    # Vowels in pairs, and before a silent e
    *((r"ee|ea|ie(?=[a-z])", "i"), (r"ai|ay|ei|ey(?=[a-z])", "e"), (r"oa|oe$|ow$|ow(?=[nl])", "o"), (r"ey$", "i")),
    *((r"oo|ou(?=p)|ew|ue$|ui", "u"), (r"ou|ow", "aU"), (r"au|aw", "O"), (r"oi|oy", "OI"), (r"ie$|ye$|uy$", "aI")),
    *(
        (r"a(?=[bcdgkmnpstvz]e(?:$|r?s$|[dr]$))", "e"),
        (r"i(?=[bcdgkmnprstvz]e(?:$|r?s$|[dr]$))", "aI"),
        (r"a(?=ll|l[kt])", "O"),
    ),
    *(
        (r"o(?=[bcdgklmnpstvz]e(?:$|r?s$|[dr]$))", "o"),
        (r"u(?=[bcdgklmnprstvz]e(?:$|r?s$|[dr]$))", "u"),
        (r"(?<=[^aeiou])le$", "Ul"),
    ),
    *((r"(?<=[aeiouy][bcdgklmnprstvz])e(?=s?$)", ""), (r"(?<=[a-z]{2})e$", ""), (r"(?<=[^td])ed$", "d")),
    *((r"i(?=nd$|ld$)", "aI"), (r"o(?=l[dt]|st$|$)", "o"), (r"^y", "y"), (r"(?<=^[a-z])y$|(?<=^[a-z]{2})y$", "aI")),
    *((r"y(?=[aeiou])", "y"), (r"y", "i"), (r"i(?=$|[aou])", "i"), (r"a$", "U"), (r"u(?=$|[^aeiou][aeiou])", "u")),
    *((r"a", "a"), (r"e", "E"), (r"i", "I"), (r"o", "A"), (r"u", "U"), (r"w(?=$|[^aeiou])", ""), (r"h$", "")),
)

_GERMAN: Rules = (
    *((r"tsch", "C"), (r"sch", "S"), (r"chs", "ks"), (r"ch", "x"), (r"^s(?=[pt])", "S"), (r"ck", "k"), (r"ph", "f")),
    *((r"th", "t"), (r"tz|z", "ts"), (r"qu", "kv"), (r"x", "ks"), (r"v", "f"), (r"w", "v"), (r"j", "y"), (r"c", "k")),
    *((r"s(?=[aeiou])", "z"), (r"ng", "N"), (r"n(?=k)", "N"), (r"d$", "t"), (r"b$", "p"), (r"g$", "k"), (r"y", "i")),
    *(
        (r"ei|ai", "aI"),
        (r"eu|aeu|oi", "OI"),
        (r"au", "aU"),
        (r"ieh|ie|ih", "i"),
        (r"er$", "U"),
        (r"e$|e(?=[nlm]$)", "U"),
    ),
    *((r"ae", "E"), (r"oe", "e"), (r"ue", "i"), (r"(?<=[aeiou])h", ""), (r"aa", "A"), (r"ee", "e"), (r"oo", "o")),
    *((r"a", "A"), (r"e", "E"), (r"i", "I"), (r"o", "O"), (r"u", "u")),
)

_FRENCH: Rules = (
    *(
        (r"ch", "S"),
        (r"ph", "f"),
        (r"th", "t"),
        (r"gn", "ny"),
        (r"qu", "k"),
        (r"g(?=[eiy])", "Z"),
        (r"gu(?=[eiy])", "g"),
    ),
    *((r"j", "Z"), (r"c(?=[eiy])", "s"), (r"c", "k"), (r"(?<=[aeiou])s(?=[aeiou])", "z"), (r"x$|s$|t$|d$|p$|z$", "")),
    *((r"ts$|ds$|ps$", ""), (r"x", "ks"), (r"h", ""), (r"ill(?=[ei])", "iy"), (r"eau|au", "o"), (r"oi", "wA")),
    *((r"ou", "u"), (r"eu|oeu", "U"), (r"ai|ei", "E"), (r"(?:an|am|en|em)(?=$|[^aeiounm])", "AN"), (r"er$|ez$", "e")),
    *((r"(?:in|im|ain|ein)(?=$|[^aeiounm])", "aN"), (r"(?:on|om)(?=$|[^aeiounm])", "ON"), (r"es?$|ent$", "")),
    *((r"a", "a"), (r"e", "E"), (r"i|y", "i"), (r"o", "O"), (r"u", "i")),
)

_SPANISH: Rules = (
    *((r"ch", "C"), (r"ll", "y"), (r"qu", "k"), (r"gu(?=[ei])", "g"), (r"g(?=[ei])|j", "h"), (r"c(?=[ei])|z", "s")),
    *((r"c", "k"), (r"h", ""), (r"v", "b"), (r"x", "ks"), (r"ü", "w"), (r"y$", "i"), (r"w", "w")),
    *((r"a", "a"), (r"e", "E"), (r"i", "i"), (r"o", "O"), (r"u", "u")),
)

_ITALIAN: Rules = (
    *(
        (r"sc(?=[ei])", "S"),
        (r"ch", "k"),
        (r"gh", "g"),
        (r"c(?=[ei])", "C"),
        (r"c", "k"),
        (r"gli", "ly"),
        (r"gn", "ny"),
    ),
    *((r"g(?=[ei])", "J"), (r"qu", "kw"), (r"z", "ts"), (r"h", ""), (r"(?<=[aeiou])s(?=[aeiou])", "z"), (r"x", "ks")),
    *((r"a", "a"), (r"e", "E"), (r"i|y", "i"), (r"o", "O"), (r"u", "u")),
)

_DUTCH: Rules = (
    *(
        (r"sch", "sx"),
        (r"ch|g", "x"),
        (r"tj", "C"),
        (r"ng", "N"),
        (r"ph", "f"),
        (r"th", "t"),
        (r"qu", "kw"),
        (r"x", "ks"),
    ),
    *(
        (r"c(?=[eiy])", "s"),
        (r"c", "k"),
        (r"j", "y"),
        (r"w", "v"),
        (r"v", "f"),
        (r"z", "s"),
        (r"d$", "t"),
        (r"b$", "p"),
    ),
    *((r"ij|ei|y", "EI"), (r"ui|uy", "aU"), (r"ou|au", "aU"), (r"oe", "u"), (r"eu", "e"), (r"ie", "i"), (r"uu", "i")),
    *((r"aa", "A"), (r"ee", "e"), (r"oo", "o"), (r"en$|e$", "U")),
    *((r"a", "A"), (r"e", "E"), (r"i", "I"), (r"o", "O"), (r"u", "U")),
)

_RULES: Mapping[str, Rules] = {
    "en": _ENGLISH,
    "de": _GERMAN,
    "fr": _FRENCH,
    "es": _SPANISH,
    "it": _ITALIAN,
    "nl": _DUTCH,
}

_DOUBLE = re.compile(r"(.)\1+")


@cache
def _compiled(language: str) -> tuple["re.Pattern[str]", tuple[str, ...]]:
    """All rules of a language as one pattern with a group each; German umlauts are spelled out first."""
    rules = _RULES.get(language, _SPANISH)
    return re.compile("|".join(f"({pattern})" for pattern, _ in rules)), tuple(sound for _, sound in rules)


@lru_cache(maxsize=16_384)
def phones(word: str, language: str = "en") -> str:
    """The sounds of one word.

    :param word: a word in lower case; letters without a rule stay as they are.
    :param language: two letters; unknown languages are read like Spanish, whose letters have one sound each.
    """
    pattern, found = _compiled(language)
    text = folded(word.translate(_UMLAUTS) if language == "de" else word).replace("'", "")
    sounds, at = list[str](), 0
    while at < len(text):
        match = pattern.match(text, at)
        if match is None or match.end() == at:
            sounds.append(text[at])
            at += 1
        else:
            sounds.append(found[(match.lastindex or 1) - 1])
            at = match.end()
    return _DOUBLE.sub(r"\1", "".join(sounds))


_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


@lru_cache(maxsize=16_384)
def all_phones(text: str, language: str = "en") -> str:
    """The sounds of several words in a row, without marks between words, as in speech."""
    return "".join(phones(word, language) for word in text.split())
