"""Durations as people say them in English ("an hour and a half"), written as Home Assistant's templates need them."""

from functools import cache

from irene_wyoming.language.network import Piece
from irene_wyoming.language.numbers import number_forms, number_words

MINUTES = (*range(1, 61), *range(65, 101, 5))
HOURS = range(1, 25)
SECONDS = (*range(1, 61), 75, 90)


@cache
def whole_durations() -> tuple[Piece, ...]:
    """Durations of one unit: ``five minutes``, ``an hour`` (written ``one hour``)."""
    pieces = list[Piece]()
    for unit, numbers in (("second", SECONDS), ("minute", MINUTES), ("hour", HOURS)):
        for number in numbers:
            pieces += _whole(number, unit)
    return tuple(pieces)


@cache
def long_durations() -> tuple[Piece, ...]:
    """All durations: whole ones, halves and quarters, hours with minutes, minutes with seconds; each is one piece.

    "An hour and a half" is written "one hour and thirty minutes", which all templates for durations accept.
    """
    pieces = [*whole_durations()]
    for unit, smaller, numbers in (("hour", "minute", range(1, 13)), ("minute", "second", range(1, 31))):
        for number in numbers:
            pieces += _halves(number, unit, smaller)
            for rest in (1, 2, 3, *range(5, 60, 5), 12):
                pieces.append(_both(number, unit, rest, smaller))
    pieces.append(Piece(("half an hour", "half hour", "1/2 hour", "half-hour", "a half hour"), "thirty minutes"))
    pieces.append(Piece(("half a minute", "half minute", "half-minute"), "thirty seconds"))
    pieces.append(Piece(("quarter of an hour", "a quarter of an hour", "quarter hour"), "fifteen minutes"))
    pieces.append(Piece(("three quarters of an hour", "three-quarters of an hour"), "forty five minutes"))
    return tuple(pieces)


@cache
def durations() -> tuple[Piece, ...]:
    """Durations for places behind "timer for", where the hub itself knows "half an hour"."""
    own = Piece(("half an hour", "half hour", "1/2 hour", "half-hour", "a half hour"), "half an hour")
    return tuple(own if piece.said == own.said else piece for piece in long_durations())


def _whole(number: int, unit: str) -> list[Piece]:
    words = number_words(number)
    written = f"{words} {unit}" if number == 1 else f"{words} {unit}s"
    said = dict.fromkeys(f"{form} {unit}{s}" for s in _endings(number) for form in number_forms(number))
    said |= dict.fromkeys(f"{form}-{unit}" for form in (str(number), words.replace(" ", "-")))
    pieces = [Piece(tuple(said), written)]
    if number != 1:  # before "timer" people leave out the unit's s
        pieces[0] = Piece(tuple(way for way in said if way.endswith("s")), written)
        pieces.append(Piece(tuple(way for way in said if not way.endswith("s")), f"{words} {unit}"))
    else:
        article = "an" if unit == "hour" else "a"
        pieces.append(Piece((f"{article} {unit}",), written))
    return pieces


def _halves(number: int, unit: str, smaller: str) -> list[Piece]:
    words, digits = number_words(number), str(number)
    written = f"{words} {unit}{'' if number == 1 else 's'} and thirty {smaller}s"
    one = "an" if unit == "hour" else "a"
    first = f"{one} {unit}" if number == 1 else f"{words} {unit}s"
    second = f"{digits} {unit}{'' if number == 1 else 's'}"
    third = f"{words} {unit}{'' if number == 1 else 's'}"
    return [
        Piece(tuple(dict.fromkeys((f"{first} and a half", f"{second} and a half", f"{third} and a half"))), written),
        Piece(
            (
                f"{words} and a half {unit}s",
                f"{digits} and a half {unit}s",
                f"{digits}.5 {unit}s",
                f"{digits} 1/2 {unit}s",
            ),
            written,
        ),
    ]


def _both(number: int, unit: str, rest: int, smaller: str) -> Piece:
    """Durations such as ``one hour and twenty minutes``, with or without the "and"."""
    firsts = [f"{way} {unit}{_endings(number)[0]}" for way in (number_words(number), str(number))]
    if number == 1:
        firsts.append(f"{'an' if unit == 'hour' else 'a'} {unit}")
    lasts = [f"{way} {smaller}{_endings(rest)[0]}" for way in (number_words(rest), str(rest))]
    written = f"{firsts[0]} and {lasts[0]}"
    ways = [f"{first} {link}{last}" for link in ("and ", "") for first, last in zip(firsts, lasts, strict=False)]
    ways += [f"{first} and {lasts[0]}" for first in firsts[2:]]
    return Piece(tuple(dict.fromkeys(ways)), written)


def _endings(number: int) -> tuple[str, ...]:
    return ("",) if number == 1 else ("s", "")
