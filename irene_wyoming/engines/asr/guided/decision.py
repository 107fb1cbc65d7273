"""Decision: decides whether a search has found a command, other speech, or nothing.

Several measures decide together. The likelihood ratio compares the nearest command with the open transcript. The score
per token tells when neither fits, where the ratio is worthless. The distance to the best sentence with another meaning
separates twins such as "on" and "off".
"""

import math
import re
from dataclasses import astuple, dataclass
from difflib import SequenceMatcher

from irene_wyoming.engines.asr.guided.meaning import meaning
from irene_wyoming.engines.asr.guided.search import Candidate, Result
from irene_wyoming.engines.asr.guided.sound import Level

FARTHEST = 5.0
"""Largest margin to a runner-up that counts, natural logarithm."""

CLEAREST_DB = 25.0
"""Largest SNR that counts, dB: softer noise takes nothing from the speech."""

LONGEST_LEFT_OUT = 20
"""Most letters that count as left out."""


TWINS: tuple[tuple[frozenset[str], float], ...] = (
    *((frozenset(pair.split()), 2.5) for pair in ("on off", "open close", "up down", "start stop", "pause resume")),
    *((frozenset(pair.split()), 2.5) for pair in ("mute unmute", "increase decrease", "next previous")),
    *((frozenset([f"{ten}teen", f"{ten}ty"]), 2.5) for ten in ("thir", "four", "fif", "six", "seven", "eigh", "nine")),
    (frozenset(["forty", "fourteen"]), 2.5),
    (frozenset(["lock", "unlock"]), 4.5),
)
"""Words that sound alike and mean different things, and the least margin (natural logarithm) of commands that differ in
nothing else. Of 45 right ones said by synthesised voices 3 lay closer, of 5 wrong ones 3.
"""

PREFIXED = {"lock": frozenset(["and", "an", "un", "on", "um", "uh", "in", "am", "i'm", "oh", "hun"])}
"""Commands that a syllable before them turns into their opposite: "unlock" was heard as "and lock". With such a
syllable a command is not trusted, since no guess may open or lock a door.
"""

FAINT = -1.65
"""Natural logarithm of a command's probability per token below which little but its rhythm was heard. Of 560 right
commands none was below -1.45: 488 by people in 21 conditions, even numbers, and 72 by synthesised voices.
"""

JOINING = frozenset(["with", "and", "or", "of", "a", "an", "the", "my", "in", "from", "at", "some"])
"""Words that join another one: audio that ends with "a mocha with" or "a mocha with almond" stops too early. "To" and
"for" are missing, since numbers sound like them.
"""

A_WORD = 4
"""Letters of a word that is left over: "wish" is the beginning of "with sugar"."""

SPELLED = 5
"""Letters by which the open transcript may be longer, since it spells by ear."""


@dataclass(frozen=True, slots=True)
class Measures:
    """The measures of one search and its audio."""

    ratio: float
    """Natural logarithm of the nearest command's probability over the open transcript's, at most 0."""
    per_token: float
    """Natural logarithm of the nearest command's probability per token."""
    faint: float
    """1: the probability per token is below FAINT."""
    margin: float
    """Distance to the best command with another meaning, natural logarithm, at most FARTHEST."""
    left_out: float
    """The square of the most letters in a row, beyond SPELLED, for which the command has no place. A few letters are
    another spelling, many are more words.
    """
    begins_loud: float
    """1: the audio begins within speech, so the first word may be cut."""
    ends_loud: float
    """1: the audio ends within speech, so that more may have been said."""
    twin: float
    """1 plus the amount by which a twin, a similar command with another meaning, is too near. 0: there is none."""
    short: float
    """1: the nearest command is a single word, for which noise is easily taken."""
    snr_db: float
    """Signal-to-noise ratio, dB, at most CLEAREST_DB."""
    unfinished: float
    """1: the open transcript goes on behind the command."""
    heard_again: float
    """Evidence of a second hearing without the noise for the command; 0: there was none."""


def measures(found: Result, level: Level, heard_again: float = 0.0) -> Measures | None:
    """Compute the measures of a search; None: no command is near."""
    if not found.nearest:
        return None
    best = found.nearest[0]
    other = runner_up(found)
    per_token = best.score / len(best.ids)
    return Measures(
        ratio=min(0.0, best.score - found.open_score),
        per_token=per_token,
        faint=float(per_token < FAINT),
        margin=FARTHEST if other is None else min(FARTHEST, best.rank - other.rank),
        left_out=left_out(found.open_text, best.said) ** 2 / LONGEST_LEFT_OUT,
        begins_loud=float(level.begins_loud),
        ends_loud=float(level.ends_loud),
        twin=max(3.0 * prefixed(best), *(nearness(best, other) for other in found.nearest)),
        short=float(" " not in best.written),
        snr_db=min(CLEAREST_DB, level.snr_db),
        unfinished=float(unfinished(found.open_text, best.said)),
        heard_again=heard_again,
    )


def runner_up(found: Result) -> Candidate | None:
    """The best command with another meaning than the nearest one."""
    same = meaning(found.nearest[0].written)
    return next((other for other in found.nearest[1:] if meaning(other.written) != same), None)


def nearness(one: Candidate, other: Candidate) -> float:
    """1 plus the amount by which two twins are nearer than allowed; 0: they are not, or are no twins."""
    missing = twin_margin(one, other) - (one.rank - other.rank)
    return 1.0 + missing if missing > 0 else 0.0


def twin_margin(one: Candidate, other: Candidate) -> float:
    """The least margin of the better of two commands that may be trusted."""
    words, others = set(one.written.casefold().split()), set(other.written.casefold().split())
    return max((margin for pair, margin in TWINS if words ^ others == pair), default=-math.inf)


def prefixed(command: Candidate) -> bool:
    """Whether a syllable before the command may turn it into another one."""
    first = command.written.casefold().split()[0]
    words = command.said.casefold().replace(",", "").split()
    return any(word == first and words[at - 1] in PREFIXED.get(first, ()) for at, word in enumerate(words) if at)


def unfinished(heard: str, said: str) -> bool:
    """Whether what was heard goes on behind what was said with one more word, or with a word of JOINING."""
    one, other = (re.sub(r"[^a-z0-9' ]", "", text.casefold().replace("-", " ")).split() for text in (heard, said))
    if one[-1:] == other[-1:]:
        return False
    *blocks, end = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    behind = next((block.a + block.size for block in blocks if block.b + block.size == end.b), end.a)
    more = one[behind:]
    return (len(more) == 1 and len(more[0]) >= A_WORD) or not JOINING.isdisjoint([*more, *one[-1:]])


def left_out(heard: str, said: str) -> int:
    """The most letters in a row of ``heard`` between equal letters of both, minus those of ``said``."""
    one, other = (re.sub(r"[^a-z0-9]", "", text.casefold()) for text in (heard, said))
    at, beside, most = 0, 0, 0
    for block in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks():
        most = max(most, (block.a - at) - (block.b - beside))
        at, beside = block.a + block.size, block.b + block.size
    return min(LONGEST_LEFT_OUT, max(0, most - SPELLED))


WEIGHTS = Measures(
    ratio=0.2,
    per_token=1.52,
    faint=-4.0,
    margin=0.55,
    left_out=-0.5,
    begins_loud=-1.5,
    ends_loud=-3.0,
    twin=-2.5,
    short=-2.0,
    snr_db=0.054,
    unfinished=-5.0,
    heard_again=1.0,
)
CONSTANT = 2.26
"""Constant of a logistic regression on 399 synthesised tuning sentences, 80 coffee orders beside a kitchen and 95 other
recordings of people, those with even numbers. The weights of faint, begins_loud, ends_loud, twin, short and
unfinished were set by hand: there were too few cases.
"""

AGREED, DISAGREED = 0.5, -1.0
"""Evidence, natural logarithm of odds, where both hearings have the same command nearest, or only one has it. Chosen on
120 synthesised commands in white and pink noise and 80 orders beside a kitchen, all at 10 dB. Of 120 and 80 others, by
other voices and people, 92 and 72 were accepted and right, 4 and 0 accepted and wrong; by the first hearing alone 88
and 72, 6 and 1. More for agreement takes unknown devices for known ones: the living room's lamp for its light.
"""


def confidence(how: Measures) -> float:
    """The probability, 0 to 1, that the nearest command was said."""
    logit = CONSTANT + sum(weight * value for weight, value in zip(astuple(WEIGHTS), astuple(how), strict=True))
    return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, logit))))
