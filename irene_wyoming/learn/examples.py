"""Examples: recordings of a word, checked and cut, and sounds made of them that are not the word. Pure."""

from dataclasses import dataclass

import numpy as np

from irene_wyoming.errors import AudioError
from irene_wyoming.learn.augment import RATE, Samples

FEWEST, MOST = 5, 30
"""Fewest and most recordings of a word."""

SHORTEST_S, LONGEST_S = 0.25, 2.0
"""Seconds of a word without the quiet around it. Shorter ones sound like half of everything."""

ACTIVE_DB = 25.0
"""Decibels below the loudest frame within which frames belong to the word."""

FRAME = 320

SOFTEST = 0.003
"""Least peak of a recording as a share of full scale, -50 dB: softer ones hold no speech."""

AROUND = RATE // 20
"""Samples left around the word (50 ms), for its soft beginning and end."""

BEFORE = 12_000, 26_000
"""Range of samples of quiet before a word, so that a head sees it after nothing."""

AFTER = 9_600


@dataclass(frozen=True, slots=True)
class Example:
    """One recording of the word."""

    name: str
    word: Samples
    """The word alone, without the quiet around it."""


def example(name: str, samples: Samples) -> Example:
    """Check and cut one recording.

    :param name: the file's name, for messages.
    :raises AudioError: nobody says a word in it.
    """
    whole = len(samples) // FRAME
    frames = samples[: whole * FRAME].reshape(whole, FRAME)
    if not whole or np.abs(samples).max() < SOFTEST:
        raise AudioError(f"{name}: nothing to hear in it; record it again, closer to the microphone")
    power = np.mean(np.square(frames, dtype=np.float64), axis=1)
    loud = np.flatnonzero(power >= power.max() * 10 ** (-ACTIVE_DB / 10))
    first, last = loud[0] * FRAME, (loud[-1] + 1) * FRAME
    seconds = (last - first) / RATE
    if seconds < SHORTEST_S:
        raise AudioError(f"{name}: {seconds:.2f} s of sound; a word takes at least {SHORTEST_S} s")
    if seconds > LONGEST_S:
        raise AudioError(
            f"{name}: {seconds:.1f} s from the first sound to the last; expected one word of up to {LONGEST_S:g} s, "
            "and quiet around it"
        )
    return Example(name, samples[max(0, first - AROUND) : last + AROUND])


def pcm(samples: Samples) -> bytes:
    """Convert samples to 16 bit PCM."""
    return (np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes()


def in_quiet(word: Samples, random: np.random.Generator) -> tuple[Samples, int]:
    """Put quiet around a word; returns the samples and the index at which the word ends."""
    before = int(random.integers(*BEFORE))
    sound = np.concatenate([np.zeros(before, np.float32), word, np.zeros(AFTER, np.float32)])
    return sound, before + len(word) - AROUND


def scrambled(words: list[Samples], random: np.random.Generator) -> Samples:
    """Make sounds like the same people in the same room, but not the word: pieces reordered or reversed.

    Without it a head would learn the voice and the microphone instead of the word.
    """
    kind = random.random()
    if kind < 0.25:
        return words[int(random.integers(len(words)))][::-1].copy()
    if kind < 0.5:  # one half of the word, once or twice
        word = words[int(random.integers(len(words)))]
        at = int(len(word) * random.uniform(0.35, 0.65))
        half = word[:at] if random.random() < 0.5 else word[at:]
        return np.concatenate([half, half]) if random.random() < 0.5 else half
    pieces: list[Samples] = []
    for _ in range(int(random.integers(1, 4))):
        word = words[int(random.integers(len(words)))]
        count = int(random.integers(3, 6))
        parts = np.array_split(word, count)
        order = random.permutation(count)
        if (order == np.arange(count)).all():
            order = order[::-1]
        pieces += [faded(parts[index]) for index in order]
    return np.concatenate(pieces)[: round(3 * RATE)]


def faded(piece: Samples) -> Samples:
    """Fade a piece in and out, so that it does not click."""
    size = min(80, len(piece) // 2)
    ramp = np.linspace(0, 1, size, dtype=np.float32)
    piece = piece.copy()
    piece[:size] *= ramp
    piece[len(piece) - size :] *= ramp[::-1]
    return piece
