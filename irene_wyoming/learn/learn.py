"""Learns a word from recordings: a head that hears it, and the ways in which a recogniser writes it."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from itertools import pairwise
from typing import Protocol

import numpy as np

from irene_wyoming.engines.wake.recogniser import Scorer, samples
from irene_wyoming.errors import AudioError
from irene_wyoming.learn import head as heads
from irene_wyoming.learn.augment import RATE, varied
from irene_wyoming.learn.examples import FEWEST, MOST, Example, in_quiet, pcm, scrambled
from irene_wyoming.learn.head import Floats, Head

HOP = 1_280
"""Samples from one embedding to the next."""

VARIANTS = 200
"""Variants of all examples together, and as many negatives. Each takes 35 ms of a PC's core."""

LATE = 800, 6_400
"""A window is positive when it ends this many samples after the word: 50 to 400 ms."""

EARLY = 6_400
"""A window that ends this many samples before the word's end has not heard it yet, and is a negative."""

PROPOSED = 0.2
"""The score from which the server has a recogniser look."""

STRICT = 0.97
"""The threshold that the model recommends where no recogniser looks a second time."""

MOST_SPELLINGS = 6

LETTERS = 4
"""Fewest letters of a spelling: shorter ones are said by accident every minute."""

Progress = Callable[[str], None]


class Embeds(Protocol):
    """An engine that computes embeddings: openWakeWord."""

    def embeddings(self, pcm: bytes) -> Floats:
        """Embeddings ``(hops, SIZE)`` of 16 kHz 16 bit mono PCM."""


@dataclass(frozen=True, slots=True)
class Report:
    """Results on examples that the head was not fitted on."""

    examples: int
    held_out: int
    heard: float
    """Share of their variants, in rooms and noise, that score at least PROPOSED."""
    heard_strictly: float
    """Share of their variants that score at least STRICT."""
    hours: float
    """Hours of other speech and noise that the head was not fitted on."""
    false_accepts: int
    """False accepts in those hours at STRICT."""
    proposals: int
    """Proposals in those hours at PROPOSED: looks that the recogniser would have to take."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A learned word: its head, spellings and report."""

    head: Head
    spellings: tuple[str, ...]
    """Spellings that the recogniser gives the examples; empty: they all differ, or there is no recogniser."""
    report: Report


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """The windows of one example's variants."""

    positives: Floats
    negatives: Floats
    variants: tuple[Floats, ...]
    """The positive windows of each variant."""


def learn(
    examples: Sequence[Example],
    engine: Embeds,
    scorer: Scorer | None,
    phrase: str,
    tell: Progress = lambda _line: None,
    variants: int = VARIANTS,
) -> Learned:
    """:param scorer: the recogniser; None: there is none, and the head decides alone.
    :param phrase: the spoken word in its usual spelling.
    :param variants: number of variants of all examples together, and of negatives.
    :raises AudioError: too few examples, or too many.
    """
    if not FEWEST <= len(examples) <= MOST:
        raise AudioError(f"{len(examples)} recordings of the word: expected {FEWEST} to {MOST}")
    random = np.random.default_rng(1)
    tell(f"hears {len(examples)} recordings in other rooms, in noise and in other voices")
    heard = []
    for example in examples:
        heard.append(listened(example, examples, engine, max(1, variants // len(examples)), random))
        tell(f"has heard {len(heard)} of {len(examples)} recordings")
    packaged = negatives()
    tell("tries the word on recordings that it was not learned from")
    report = tried(heard, packaged)
    tell("learns it from all recordings")
    final = fitted(heard, np.concatenate(packaged))
    spelled = () if scorer is None else spellings(examples, scorer, phrase)
    return Learned(final, spelled, report)


def listened(
    example: Example, every: Sequence[Example], engine: Embeds, variants: int, random: np.random.Generator
) -> Heard:
    """Make the positive and negative windows of one example."""
    positives: list[Floats] = []
    negative: list[Floats] = []
    for number in range(variants):
        quiet, end = in_quiet(example.word, random)
        sound = varied(quiet, random) if number else quiet
        end = round(end * len(sound) / len(quiet))
        windows = heads.windows(engine.embeddings(pcm(sound)))
        ends = (np.arange(len(windows)) + heads.EMBEDDINGS) * HOP
        positives.append(windows[(ends >= end + LATE[0]) & (ends <= end + LATE[1])])
        negative.append(windows[ends <= end - EARLY])
        other, _ = in_quiet(scrambled([one.word for one in every], random), random)
        negative.append(heads.windows(engine.embeddings(pcm(varied(other, random))))[6:])
    return Heard(np.concatenate(positives), np.concatenate(negative), tuple(positives))


def negatives() -> list[Floats]:
    """Windows of the packaged speech and noise, one array for each piece of it."""
    content = files("irene_wyoming.learn").joinpath("negatives.npz").read_bytes()
    with np.load(BytesIO(content)) as stored:
        every = stored["embeddings"].astype(np.float32) * stored["scale"]
        starts = stored["starts"].tolist()
    return [heads.windows(every[begin:end]) for begin, end in pairwise(starts)]


def fitted(heard: Sequence[Heard], packaged: Floats) -> Head:
    return heads.fitted(
        np.concatenate([one.positives for one in heard]), np.concatenate([packaged, *(one.negatives for one in heard)])
    )


def tried(heard: Sequence[Heard], packaged: Sequence[Floats]) -> Report:
    """Fit a head on four of five examples and half of the other speech, and test it on the rest."""
    held = heard[::5] if len(heard) > FEWEST else heard[:1]
    rest = [one for one in heard if one not in held]
    head = fitted(rest, np.concatenate(packaged[::2]))
    peaks = np.array([head.scores(windows).max() for one in held for windows in one.variants if len(windows)])
    others = [head.scores(windows) for windows in packaged[1::2] if len(windows)]
    return Report(
        examples=len(heard),
        held_out=len(held),
        heard=float(np.mean(peaks >= PROPOSED)),
        heard_strictly=float(np.mean(peaks >= STRICT)),
        hours=sum(map(len, others)) * HOP / RATE / 3600,
        false_accepts=sum(rises(scores, STRICT) for scores in others),
        proposals=sum(rises(scores, PROPOSED) for scores in others),
    )


def rises(scores: Floats, threshold: float) -> int:
    """How often scores rise to a threshold."""
    high = scores >= threshold
    return int(np.count_nonzero(high[1:] & ~high[:-1])) + int(high[0])


def spellings(examples: Sequence[Example], scorer: Scorer, phrase: str) -> tuple[str, ...]:
    """The spellings of the word: the given phrase, then what the recogniser wrote for examples, most often first."""
    looked_for = (plain(phrase) or "anything",)  # no recogniser can look for a phrase in another script
    said = Counter(plain(scorer.look(spoken(example), looked_for, np.inf).open_text) for example in examples)
    found = [plain(phrase), *(text for text, count in said.most_common() if count > 1 or len(said) == 1)]
    return tuple(dict.fromkeys(text for text in found if len(text.replace(" ", "")) >= LETTERS))[:MOST_SPELLINGS]


def spoken(example: Example) -> np.ndarray:
    quiet = np.zeros(RATE // 2, np.float32)
    return samples(pcm(np.concatenate([quiet, example.word, quiet])))


def plain(text: str) -> str:
    """A text as a phrase is spelled: small letters, blanks and apostrophes."""
    return " ".join(re.sub(r"[^a-z' ]+", " ", text.casefold()).split())
