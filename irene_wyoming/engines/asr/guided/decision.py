"""Decision: whether what was found is a command, something else that was said, or nothing.

Four measures decide. The likelihood ratio compares the nearest command with what the model would rather write. The
score per token and the absolute score tell when neither fits, where the ratio is worth nothing. The distance to the
best sentence that means something else tells twins apart, such as "on" and "off".
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from irene_wyoming.engines.asr.guided.meaning import meaning
from irene_wyoming.engines.asr.guided.search import SETTLED, Candidate, Result
from irene_wyoming.engines.asr.guided.sound import Level

Answer = Literal["command", "open", "both"]
"""What may come out: a command only, the open transcript only, or a command where it is one and else what was said."""


ANSWERS: tuple[Answer, ...] = get_args(Answer)


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one search."""

    ratio: float
    """Natural logarithm of the nearest command's probability over that of the open transcript."""
    per_token: float
    """Natural logarithm of the nearest command's probability for each of its tokens."""
    absolute: float
    """The same of the whole command."""
    margin: float
    """How far the best command with another meaning lies behind, 0 to SETTLED."""
    tokens: int
    """Of the nearest command."""
    open_per_token: float
    """Natural logarithm of the open transcript's probability for each of its tokens."""


def measures(found: Result) -> Measures | None:
    """None: nothing is near."""
    if not found.nearest:
        return None
    best = found.nearest[0]
    other = runner_up(found)
    margin = SETTLED if other is None else min(SETTLED, best.score - other.score)
    size = len(best.ids)
    open_per_token = found.open_score / max(1, len(found.open_ids))
    return Measures(best.score - found.open_score, best.score / size, best.score, margin, size, open_per_token)


def runner_up(found: Result) -> Candidate | None:
    """The best command that means something else than the nearest one."""
    same = meaning(found.nearest[0].written)
    return next((other for other in found.nearest[1:] if meaning(other.written) != same), None)


def confidence(how: Measures, level: Level) -> float:
    """How likely the nearest command is what was said, 0 to 1."""
    logit = 0.6 * (how.ratio + 6.0) + 2.0 * min(0.0, how.margin - 1.0) + 2.0 * min(0.0, how.per_token + 1.0)
    if level.begins_loud:
        logit -= 2.0
    return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, logit))))
