"""The doctor's examination of wake words and commands: plays a recording to the servers."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from irene_wyoming.app.links import Link, broken, doubtful, good
from irene_wyoming.config.wake import WakeConfig
from irene_wyoming.engines.base import WakeSettings
from irene_wyoming.engines.wake.session import NEARLY
from irene_wyoming.errors import ProtocolError, ServerUnavailable
from irene_wyoming.wire.address import Address
from irene_wyoming.wire.hear import Recording, detect, transcribe

NARROW = 0.1
"""Margin of a score below which a word will be missed now and then."""


async def of_word(
    address: Address, recording: Recording, wanted: str, known: Sequence[str], settings: WakeConfig
) -> Link:
    """Examine whether a wake word is heard, and if not, why.

    :param known: every word that the server knows.
    """
    name = "wake word"
    try:
        heard, missed = await detect(address, recording, [wanted], peak=True)
        others = [each for each in known if each != wanted]
        instead = (await detect(address, recording, others))[0] if not heard and others else []
    except (ServerUnavailable, ProtocolError) as error:
        return broken(name, str(error), "see what the log of the wake server says")
    if heard:
        return of_heard(name, wanted, heard[0].peak or heard[0].score or 0.0, heard[0].threshold)
    least = threshold(settings, wanted)
    if instead:
        cure = f"say {wanted}, or have the satellite ask for {instead[0].name}: add it to wake.default_models"
        return broken(name, f"{instead[0].name} was heard, and {wanted} is listened for", cure)
    if missed is not None and missed.score >= least:
        text = f"{wanted} scored {missed.score:.2f}, which is enough from {least:.2f} on, and was not told"
        return broken(name, text, cure_of_untold(settings, wanted))
    if missed is not None and missed.score >= NEARLY:
        lower = max(0.05, round(missed.score * 0.9, 2))
        cure = f"move its slider at the page to {lower:g} (wake.models.{wanted}.threshold), or speak closer"
        return broken(
            name, f"{wanted} scored {missed.score:.2f}, and counts from {least:.2f}: below its threshold", cure
        )
    score = 0.0 if missed is None else missed.score
    cure = f"say {wanted.replace('_', ' ')} clearly; if you did, try another word, or `irene-wyoming tune-wake`"
    return broken(name, f"nothing like {wanted} was heard (it scored {score:.2f})", cure)


def of_heard(name: str, word: str, peak: float, least: float | None) -> Link:
    text = f"{word} scored {peak:.2f}" + ("" if least is None else f", and counts from {least:.2f}")
    if least is not None and peak - least < NARROW:
        cure = f"move its slider at the page down a little (wake.models.{word}.threshold), or speak closer"
        return doubtful(name, f"{text}: hardly enough", cure)
    return good(name, text)


def threshold(settings: WakeConfig, word: str) -> float:
    """The score from which a word counts, as far as the configuration sets it."""
    own = settings.models.get(word)
    if own is not None and own.threshold is not None:
        return own.threshold
    return float(settings.providers[settings.default_provider].options.get("threshold") or 0.5)


def cure_of_untold(settings: WakeConfig, word: str) -> str:
    """The cure for a word that scores high enough and is not reported."""
    own = settings.models.get(word, WakeSettings())
    level = own.trigger_level or settings.providers[settings.default_provider].options.get("trigger_level") or 1
    if level > 1:
        return f"lower wake.models.{word}.trigger_level, which wants {level} steps in a row, or say it more slowly"
    if own.min_level_dbfs is not None:
        return f"lower wake.models.{word}.min_level_dbfs ({own.min_level_dbfs:g} dBFS), or speak louder"
    return f"say the word whole and alone; if it is refused each time, set wake.models.{word}.verify to off"


async def of_command(address: Address, recording: Recording, expected: str | None) -> Link:
    """Examine whether a command is understood as it was said.

    :param expected: the spoken words; None: unknown.
    """
    name = "command"
    try:
        found = await transcribe(address, recording)
    except (ServerUnavailable, ProtocolError) as error:
        return broken(name, str(error), "see what the log of the speech-to-text server says")
    if not found.text:
        return broken(name, f"not understood{because(found.context)}", cure_of(found.context))
    if expected is not None and plain(found.text) != plain(expected):
        cure = "speak closer, expose the device under the name that you say, or choose another asr.default_provider"
        return broken(name, f"misunderstood: {found.text!r} instead of {expected!r}", cure)
    return good(name, f"{found.text!r}, {found.delay_s:.2f} s after its end")


def because(context: Mapping[str, Any]) -> str:
    """The engine's reason for an empty transcript, in words."""
    reason, nearest = context.get("reason"), context.get("nearest")
    said = f": {reason}" if reason else ""
    return said + (f"; nearest was {nearest!r}" if nearest else "")


def cure_of(context: Mapping[str, Any]) -> str:
    if "soft" in str(context.get("reason", "")):
        return "speak louder or closer, or turn the microphone's gain up"
    if context.get("nearest"):
        return f"say it as {str(context['nearest'])!r}, or expose the device to Assist under the name that you say"
    return "say a command with the names that `irene-wyoming names` lists, or choose an engine for free speech"


def plain(text: str) -> str:
    """A text without what is not spoken: case, punctuation, blanks."""
    return " ".join(re.sub(r"[^\w\s]", " ", text.casefold()).split())
