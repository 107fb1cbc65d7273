"""Spoken forms of signs, units and abbreviations in names, by language."""

from collections.abc import Mapping

_AND = {"en": "and", "de": "und", "fr": "et", "es": "y", "nl": "en", "it": "e", "pt": "e", "sv": "och", "da": "og"}
_PLUS = {"en": "plus", "fr": "plus", "es": "más", "it": "più", "pt": "mais"}
_NUMBER = {"en": "number", "de": "nummer", "fr": "numéro", "es": "número", "nl": "nummer", "it": "numero"}
_PERCENT = {"en": "percent", "de": "prozent", "fr": "pour cent", "es": "por ciento", "nl": "procent", "it": "per cento"}
_DEGREES = {"en": "degrees", "de": "grad", "fr": "degrés", "es": "grados", "nl": "graden", "it": "gradi"}
_AT = {"en": "at", "de": "at", "fr": "arobase", "es": "arroba", "nl": "at", "it": "chiocciola"}
_POINT = {"en": "point", "de": "punkt", "fr": "point", "es": "punto", "nl": "punt", "it": "punto"}
_SLASH = {"en": "slash", "de": "schrägstrich", "fr": "barre", "es": "barra", "nl": "slash", "it": "barra"}

_UNITS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "w": "watts",
        "kw": "kilowatts",
        "kwh": "kilowatt hours",
        "v": "volts",
        "a": "amps",
        "ma": "milliamps",
        "hz": "hertz",
        "khz": "kilohertz",
        "mhz": "megahertz",
        "ghz": "gigahertz",
        "mm": "millimeters",
        "cm": "centimeters",
        "m": "meters",
        "km": "kilometers",
        "kg": "kilograms",
        "g": "grams",
        "l": "liters",
        "ml": "milliliters",
        "mb": "megabytes",
        "gb": "gigabytes",
        "tb": "terabytes",
        "k": "kelvin",
        "ft": "feet",
        "in": "inch",
        "min": "minutes",
        "h": "hours",
        "s": "seconds",
        "db": "decibels",
        "lm": "lumens",
    },
    "de": {
        "w": "watt",
        "kw": "kilowatt",
        "kwh": "kilowattstunden",
        "v": "volt",
        "a": "ampere",
        "hz": "hertz",
        "ghz": "gigahertz",
        "mm": "millimeter",
        "cm": "zentimeter",
        "m": "meter",
        "km": "kilometer",
        "kg": "kilogramm",
        "g": "gramm",
        "l": "liter",
        "ml": "milliliter",
        "gb": "gigabyte",
        "tb": "terabyte",
    },
    "fr": {
        "w": "watts",
        "kw": "kilowatts",
        "v": "volts",
        "a": "ampères",
        "hz": "hertz",
        "cm": "centimètres",
        "m": "mètres",
        "kg": "kilos",
        "l": "litres",
        "gb": "gigaoctets",
    },
    "es": {
        "w": "vatios",
        "kw": "kilovatios",
        "v": "voltios",
        "a": "amperios",
        "hz": "hercios",
        "cm": "centímetros",
        "m": "metros",
        "kg": "kilos",
        "l": "litros",
        "gb": "gigas",
    },
    "nl": {
        "w": "watt",
        "kw": "kilowatt",
        "v": "volt",
        "a": "ampère",
        "hz": "hertz",
        "cm": "centimeter",
        "m": "meter",
        "kg": "kilo",
        "l": "liter",
        "gb": "gigabyte",
    },
    "it": {
        "w": "watt",
        "kw": "chilowatt",
        "v": "volt",
        "a": "ampere",
        "hz": "hertz",
        "cm": "centimetri",
        "m": "metri",
        "kg": "chili",
        "l": "litri",
        "gb": "gigabyte",
    },
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

INITIALISMS = frozenset(
    [
        *("ac", "atv", "bbq", "cctv", "cd", "co2", "cpu", "dj", "dvd", "dvr", "ev", "hd", "hdmi", "hifi", "hvac", "ir"),
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
        "%": (_said(_PERCENT, language), "%", *(("per cent",) if language == "en" else ())),
        "°": ("", _said(_DEGREES, language), "°"),
        "@": (_said(_AT, language, "at"), "@"),
        ".": (_said(_POINT, language), "", "."),
        "=": ("", "="),
    }.get(sign, ("",))
    return tuple(dict.fromkeys(said))


def unit_forms(unit: str, language: str) -> tuple[str, ...]:
    """Ways to say a unit behind a number (``w``, lower case), the usual one first; empty: it is no unit."""
    words = _UNITS.get(language, {}).get(unit)
    if words is None:
        return ()
    single = words.removesuffix("s") if language == "en" and words not in ("hertz", "gigahertz") else words
    return tuple(dict.fromkeys((words, single, unit)))


def abbreviation_forms(word: str, language: str) -> tuple[str, ...]:
    """Meanings of an abbreviation (lower case, without its dot); empty: it is unknown."""
    return _ABBREVIATIONS.get(language, {}).get(word, ())


def _said(words: Mapping[str, str], language: str, otherwise: str = "") -> str:
    return words.get(language, otherwise)
