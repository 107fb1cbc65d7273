"""Lexicon: how words are pronounced, in the phones of the packaged acoustic model (ARPAbet without stress)."""

import logging
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

_LOGGER = logging.getLogger(__name__)

PHONES = frozenset(
    [
        "AA",
        "AE",
        "AH",
        "AO",
        "AW",
        "AY",
        "B",
        "CH",
        "D",
        "DH",
        "EH",
        "ER",
        "EY",
        "F",
        "G",
        "HH",
        "IH",
        "IY",
        "JH",
        "K",
        "L",
        "M",
        "N",
        "NG",
        "OW",
        "OY",
        "P",
        "R",
        "S",
        "SH",
        "T",
        "TH",
        "UH",
        "UW",
        "V",
        "W",
        "Y",
        "Z",
        "ZH",
    ]
)

_OWN: dict[str, tuple[str, ...]] = {
    # Words of commands which the packaged dictionary lacks.
    "unmute": ("AH N M Y UW T",),
    "unpause": ("AH N P AO Z",),
    "tv": ("T IY V IY",),  # the dictionary has "television" for it, too
    # Things of a home, likewise.
    "hvac": ("EY CH V AE K",),
    "roomba": ("R UW M B AH",),
    "sonos": ("S OW N OW S",),
    "zigbee": ("Z IH G B IY",),
}


def _table(entries: str) -> dict[str, str]:
    """``"a EY, b B IY"`` as letters -> phones."""
    return dict(entry.split(" ", 1) for entry in entries.split(", "))


_LETTERS = _table(
    "a EY, b B IY, c S IY, d D IY, e IY, f EH F, g JH IY, h EY CH, i AY, j JH EY, k K EY, l EH L, m EH M, n EH N, "
    "o OW, p P IY, q K Y UW, r AA R, s EH S, t T IY, u Y UW, v V IY, w D AH B AH L Y UW, x EH K S, y W AY, z Z IY"
)

_SOUNDS = _table(
    "tch CH, sch SH, igh AY, eau OW, tion SH AH N, sion ZH AH N, ch CH, sh SH, th TH, ph F, wh W, ck K, ng NG, qu "
    "K W, gh G, ee IY, ea IY, ie IY, ei EY, ai EY, ay EY, oa OW, oo UW, ou AW, ow OW, oi OY, oy OY, au AO, aw AO, "
    "ue UW, ui UW, ew UW, er ER, ir ER, ur ER, ar AA R, or AO R, a AE, b B, c K, d D, e EH, f F, g G, h HH, i IH, "
    "j JH, k K, l L, m M, n N, o AA, p P, q K, r R, s S, t T, u AH, v V, w W, x K S, y IY, z Z"
)
_SPELLING = re.compile("|".join(sorted(_SOUNDS, key=len, reverse=True)))

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def number_words(number: int) -> str:
    """How 0 to 999 is said, e.g. ``twenty one``."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        ten, one = divmod(number, 10)
        return f"{_TENS[ten - 2]} {_ONES[one]}" if one else _TENS[ten - 2]
    hundred, rest = divmod(number, 100)
    return f"{_ONES[hundred]} hundred {number_words(rest)}" if rest else f"{_ONES[hundred]} hundred"


class Lexicon:
    """The packaged dictionary, a user's own pronunciations over it, and guesses for what neither has.

    :param own: word -> phones, e.g. ``{"zigbee": "Z IH G B IY"}``; they come before the dictionary's.
    """

    def __init__(self, dictionary: Path, own: Mapping[str, str]) -> None:
        # Searched as it lies: as a Python dict these 3 MB would take 25 MB and 0.13 s for some 400 words.
        self._text = dictionary.read_bytes()
        self._known: dict[str, tuple[str, ...]] = {**_OWN, **{word: (phones,) for word, phones in own.items()}}

    def __contains__(self, word: str) -> bool:
        return bool(self.pronunciations(word))

    def pronunciations(self, word: str) -> tuple[str, ...]:
        """All known ways to say a lower-case word, the usual one first; none: it is not known."""
        if word not in self._known:
            self._known[word] = self._look_up(word)
        return self._known[word]

    def learn(self, word: str, acronym: bool = False) -> None:
        """Make sure that ``word`` (lower case) can be said: compose or guess what is not known, and say so.

        :param acronym: written in capitals, so that people may also say its letters.
        """
        known = self.pronunciations(word)
        spelled = tuple(" ".join(_LETTERS[letter] for letter in word) for _ in "1" if acronym and _is_plain(word))
        if not known and not spelled and (composed := self._compose(word)):
            known = (composed,)
        self._known[word] = tuple(dict.fromkeys(known + spelled))

    def _compose(self, word: str) -> str:
        if word.isascii() and word.isdigit() and len(word) <= 3:
            return " ".join(self.pronunciations(part)[0] for part in number_words(int(word)).split())
        phones = self._joined(word) or _sounded_out(word)
        if not phones:
            _LOGGER.warning(
                "sphinx: %r has no letter that an English voice could sound out; names with it are left out. "
                "Give its phones under the option 'pronunciations'",
                word,
            )
            return ""
        _LOGGER.warning(
            "sphinx: %r is not in the pronunciation dictionary; it is taken to sound like '%s'. "
            "If it is not recognised, put the right phones under the option 'pronunciations'",
            word,
            phones,
        )
        return phones

    def _joined(self, word: str) -> str:
        """The word as two or more known ones: ``nightlight``, ``tv2``."""
        parts = re.findall(r"[a-z']+|[0-9]", word)
        if len(parts) > 1 and all(part in self or part.isdigit() for part in parts):
            return " ".join(self._first(part) for part in parts)
        for cut in sorted(range(3, len(word) - 2), key=lambda at: abs(2 * at - len(word))):
            if word[:cut] in self and word[cut:] in self:
                return f"{self._first(word[:cut])} {self._first(word[cut:])}"
        return ""

    def _first(self, word: str) -> str:
        return self.pronunciations(number_words(int(word)) if word.isdigit() else word)[0]

    def _look_up(self, word: str) -> tuple[str, ...]:
        """Binary search: lines are ``word PH O NES`` or ``word(2) PH O NES``, sorted by word."""
        wanted = word.encode()
        low, high = 0, len(self._text)
        while low < high:
            line = self._text.rfind(b"\n", low, (low + high) // 2) + 1 or low
            end = self._text.find(b"\n", line) + 1 or len(self._text)
            if _word(self._text[line:end]) < wanted:
                low = end
            else:
                high = line
        found = []
        while (end := self._text.find(b"\n", low)) > 0 and _word(self._text[low:end]) == wanted:
            found.append(self._text[low:end].decode().partition(" ")[2].strip())
            low = end + 1
        return tuple(found)


def _word(line: bytes) -> bytes:
    return line.partition(b" ")[0].partition(b"(")[0]


def _is_plain(word: str) -> bool:
    return bool(re.fullmatch("[a-z]{2,5}", word))


def _sounded_out(word: str) -> str:
    """A guess by spelling alone; empty where there is no Latin letter to go by."""
    letters = re.sub(r"[^a-z]", "", unicodedata.normalize("NFKD", word))  # an accent is left out, not its letter
    if len(letters) > 2 and letters.endswith("e"):
        letters = letters[:-1]
    letters = re.sub(r"([b-df-hj-np-tv-z])\1", r"\1", letters)
    return " ".join(_SOUNDS[spelling] for spelling in _SPELLING.findall(letters))
