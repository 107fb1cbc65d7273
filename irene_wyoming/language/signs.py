"""Spoken forms of signs, units and abbreviations in names, by language."""

from collections.abc import Mapping, Sequence
from functools import cache

_AND = {"en": "and", "de": "und", "fr": "et", "es": "y", "nl": "en", "it": "e", "pt": "e", "sv": "och", "da": "og"}
_PLUS = {"en": "plus", "fr": "plus", "es": "más", "it": "più", "pt": "mais"}
_NUMBER = {"en": "number", "de": "nummer", "fr": "numéro", "es": "número", "nl": "nummer", "it": "numero"}
_PERCENT = {"en": "percent", "de": "prozent", "fr": "pour cent", "es": "por ciento", "nl": "procent", "it": "per cento"}
_PERCENT_TOO = {"en": "per cent", "fr": "pourcent", "es": "porciento", "it": "percento"}
_DEGREES = {"en": "degrees", "de": "grad", "fr": "degrés", "es": "grados", "nl": "graden", "it": "gradi"}
_AT = {"en": "at", "de": "at", "fr": "arobase", "es": "arroba", "nl": "at", "it": "chiocciola"}
_POINT = {"en": "point", "de": "punkt", "fr": "point", "es": "punto", "nl": "punt", "it": "punto"}
_COMMA = {"de": "komma", "fr": "virgule", "es": "coma", "nl": "komma", "it": "virgola", "pt": "vírgula"}
_DOT = {**_POINT, "en": "dot"}
_MINUS = {"fr": "moins", "es": "menos", "nl": "min", "it": "meno", "pt": "menos"}
_EQUALS = {"en": "equals", "de": "gleich", "fr": "égale", "es": "igual", "nl": "is", "it": "uguale"}
_RANGE = {"en": "to", "de": "bis", "fr": "à", "es": "a", "nl": "tot", "it": "a", "pt": "a"}
_BY = {"en": "by", "de": "mal", "fr": "par", "es": "por", "nl": "bij", "it": "per", "pt": "por"}
_TIMES = {"en": "times", "de": "mal", "fr": "fois", "es": "veces", "nl": "keer", "it": "volte"}
_SLASH = {"en": "slash", "de": "schrägstrich", "fr": "barre", "es": "barra", "nl": "slash", "it": "barra"}

_UNITS: Mapping[str, str] = {
    # Each line: a language, then a unit and the words for it, the usual one first.
    "en": """
        w watts, kw kilowatts, kwh kilowatt hours, v volts, a amps, ma milliamps, hz hertz, khz kilohertz,
        mhz megahertz, ghz gigahertz, mm millimeters/millimetres, cm centimeters/centimetres, m meters/metres,
        km kilometers/kilometres, kg kilograms, g grams, l liters/litres, ml milliliters/millilitres, mb megabytes,
        gb gigabytes, tb terabytes, k kelvin, ft foot/feet, in inch/inches, min minutes, h hours, s seconds,
        db decibels, lm lumens, am a m, pm p m, °c degrees/degrees celsius, °f degrees/degrees fahrenheit,
        $ dollars, € euros, £ pounds
    """,
    "de": """
        w watt, kw kilowatt, kwh kilowattstunden, v volt, a ampere, hz hertz, khz kilohertz, mhz megahertz,
        ghz gigahertz, mm millimeter, cm zentimeter, m meter, km kilometer, kg kilogramm, g gramm, l liter,
        ml milliliter, gb gigabyte, tb terabyte, in zoll, min minuten, h stunden, °c grad/grad celsius,
        $ dollar, € euro, £ pfund
    """,
    "fr": """
        w watts, kw kilowatts, kwh kilowattheures, v volts, a ampères, hz hertz, ghz gigahertz, mm millimètres,
        cm centimètres, m mètres, kg kilos, l litres, gb gigaoctets, go gigaoctets, in pouces, °c degrés,
        $ dollars, € euros, £ livres
    """,
    "es": """
        w vatios, kw kilovatios, v voltios, a amperios, hz hercios, ghz gigahercios, mm milímetros, cm centímetros,
        m metros, kg kilos, l litros, gb gigas, in pulgadas, °c grados, $ dólares, € euros, £ libras
    """,
    "nl": """
        w watt, kw kilowatt, v volt, a ampère, hz hertz, ghz gigahertz, mm millimeter, cm centimeter, m meter,
        kg kilo, l liter, gb gigabyte, in inch, °c graden, $ dollar, € euro, £ pond
    """,
    "it": """
        w watt, kw chilowatt, v volt, a ampere, hz hertz, ghz gigahertz, mm millimetri, cm centimetri, m metri,
        kg chili, l litri, gb gigabyte, in pollici, °c gradi, $ dollari, € euro, £ sterline
    """,
}

_ABBREVIATIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "en": {
        "dr": ("doctor",),
        "mr": ("mister",),
        "mrs": ("missus",),
        "st": ("saint", "street"),
        "no": ("number",),
        "temp": ("temperature",),
        "vs": ("versus",),
        "ave": ("avenue",),
        "apt": ("apartment",),
    },
    "de": {"dr": ("doktor",), "nr": ("nummer",), "str": ("straße",), "st": ("sankt",)},
    "fr": {"dr": ("docteur",), "mme": ("madame",), "m": ("monsieur",), "n°": ("numéro",)},
    "es": {"dr": ("doctor",), "sr": ("señor",), "sra": ("señora",), "n°": ("número",)},
    "nl": {"dr": ("dokter",), "nr": ("nummer",)},
    "it": {"dr": ("dottor",), "sig": ("signor",), "n°": ("numero",)},
}
"""Abbreviations that count only with a dot or a capital letter; see ``spoken``."""

CAPITALS: Mapping[str, Mapping[str, str]] = {
    "de": {"eg": "erdgeschoss", "og": "obergeschoss", "ug": "untergeschoss", "dg": "dachgeschoss"},
    "fr": {"rdc": "rez de chaussée", "sdb": "salle de bain"},
    "nl": {"bg": "begane grond"},
}
"""Words that people say for an abbreviation in capital letters, as often as the letters."""

APART = {"wifi": "wi fi", "hifi": "hi fi", "scifi": "sci fi"}
"""Words that recognisers also write as two."""
ENDINGS: Mapping[str, tuple[str, ...]] = {
    "en": ("room", "light", "lights", "lamp", "lamps", "door", "switch", "plug", "strip", "fan", "sensor"),
    "de": (
        *("zimmer", "licht", "lichter", "lampe", "lampen", "tür", "fenster", "steckdose", "heizung", "schalter"),
        *("ventilator", "rollo", "leuchte"),
    ),
    "nl": ("kamer", "licht", "lamp", "lampen", "deur", "raam"),
}
"""Ends of compound words, which people join in names (``Livingroom``) and recognisers write apart."""

INITIALISMS = frozenset(
    [
        *("ac", "atv", "bbq", "cctv", "cd", "co2", "cpu", "dj", "dvd", "dvr", "ev", "hd", "hdmi", "hvac", "ir"),
        *("esp", "led", "lg", "mp3", "nas", "ntp", "pc", "pv", "rgb", "tv", "ups", "usb", "uv", "vr", "wc", "wlan"),
    ]
)
"""Words said letter by letter even where a name has them in lower case."""

FRACTIONS: Mapping[str, Mapping[str, str]] = {
    "en": {"¼": "quarter", "½": "half", "¾": "three quarters"},
    "de": {"¼": "viertel", "½": "halb", "¾": "drei viertel"},
    "fr": {"¼": "quart", "½": "demi", "¾": "trois quarts"},
    "es": {"¼": "cuarto", "½": "medio", "¾": "tres cuartos"},
    "nl": {"¼": "kwart", "½": "half", "¾": "driekwart"},
    "it": {"¼": "quarto", "½": "mezzo", "¾": "tre quarti"},
}
"""How fractions that are one character are said."""

ARTICLES: Mapping[str, tuple[str, ...]] = {
    "en": ("the", "my", "our"),
    "de": ("der", "die", "das", "den", "dem"),
    "fr": ("le", "la", "les"),
    "es": ("el", "la", "los", "las"),
    "nl": ("de", "het"),
    "it": ("il", "lo", "la", "i", "gli", "le"),
}
"""Articles that may begin a name, and which people say or leave out."""


def sign_forms(sign: str, language: str) -> tuple[str, ...]:
    """Ways to say a sign within a name, the usual one first; an empty string: it is not said."""
    said = {
        "&": (_said(_AND, language), "&", ""),
        "+": (_said(_PLUS, language, "plus"), _said(_AND, language), "+", ""),
        "/": ("", _said(_SLASH, language), "/"),
        "#": (_said(_NUMBER, language), "", "#", "hash" if language == "en" else ""),
        "%": (_said(_PERCENT, language), "%", *filter(None, (_said(_PERCENT_TOO, language),))),
        "°": ("", _said(_DEGREES, language), "°"),
        "@": (_said(_AT, language, "at"), "@"),
        ".": (_said(_POINT, language), "", "."),
        "=": ("", _said(_EQUALS, language), "="),
        # These depend on what stands beside them.
        "1.5": (_said(_POINT, language), _said(_COMMA, language)),
        "1,5": (_said(_COMMA, language), _said(_POINT, language)),
        "a.b": ("", _said(_DOT, language)),
        "-1": (_said(_MINUS, language, "minus"), ""),
        "1-2": ("", _said(_RANGE, language), *(("dash",) if language == "en" else ())),
        "2x2": (_said(_BY, language), "x"),
        "2x": ("x", _said(_TIMES, language)),
    }.get(sign, ("",))
    return tuple(dict.fromkeys(said))


def unit_forms(unit: str, language: str) -> tuple[str, ...]:
    """Ways to say a unit behind a number (``w``, lower case), the usual one first; empty: it is no unit."""
    words = _units(language).get(unit)
    if words is None:
        return ()
    # A number before a thing goes with the singular in English: "a sixty watt bulb".
    plurals = (word for word in words if language == "en" and not word.endswith(("hertz", "inches", "celsius")))
    return tuple(dict.fromkeys((*words, *(word.removesuffix("s") for word in plurals), unit)))


@cache
def _units(language: str) -> Mapping[str, Sequence[str]]:
    """The units of a language, each with its words."""
    pairs = (entry.split(maxsplit=1) for entry in _UNITS.get(language, "").split(",") if entry.strip())
    return {unit: words.strip().split("/") for unit, words in pairs}


def abbreviation_forms(word: str, language: str) -> tuple[str, ...]:
    """Meanings of an abbreviation (lower case, without its dot); empty: it is unknown."""
    return _ABBREVIATIONS.get(language, {}).get(word, ())


def _said(words: Mapping[str, str], language: str, otherwise: str = "") -> str:
    return words.get(language, otherwise)
