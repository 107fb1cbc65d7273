"""Makes the weights of engines/asr/sphinx/mask.py. Needs torch and ffmpeg, and recordings of speech.

    apt-get install ffmpeg asterisk-core-sounds-{en,es,fr,it,ru}-g722
    python -m tests.engines.asr.sphinx.train_mask /usr/share/asterisk/sounds

These packages of Debian 12 hold two hours of telephone prompts, in five languages and four voices. None of the voices
on which sphinx is measured is among them. The noise is made here: steady, swelling, humming, of many speakers, of
chords, 28 dB softer to 3 dB louder than the speech, and in an eighth of the examples hardly any. A third of the speech
is said in a room, and half of it slower or faster, and so by lower or higher voices. The packaged weights are of 17
minutes on two cores, some 10,900 steps.
"""

import argparse
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from irene_wyoming.engines.asr.sphinx import mask as sphinx_mask
from irene_wyoming.engines.asr.sphinx.denoise import DITHER, PEAK, levels, spectra

RATE = 16_000
LENGTH = 3 * RATE
"""Samples of an example."""

CHANNELS = 96
BATCH = 16
SILENT = 1e-4
"""Of the loudest power: below it nobody minds what is left (-40 dB)."""

Samples = NDArray[np.float64]
Maker = Callable[[Generator, int], Samples]


class Example(NamedTuple):
    """(windows, ...), float16"""

    shown: NDArray[np.float16]
    noisy: NDArray[np.float16]
    """log10 of each band's power over the loudest."""
    clean: NDArray[np.float16]


@cache
def recordings(folder: Path) -> Sequence[Samples]:
    """The speech in the .g722 files below a folder, the loudest sample of each 1."""
    content = [file.read_bytes() for file in sorted(folder.rglob("*.g722"))]
    command = ["ffmpeg", "-v", "quiet", "-f", "g722", "-i", "-", "-f", "s16le", "-"]
    decoded = subprocess.run(command, input=b"".join(content), check=True, capture_output=True).stdout
    ends = np.cumsum([2 * len(one) for one in content])  # a byte holds two samples
    parts = np.split(np.frombuffer(decoded, "<i2").astype(np.float64), ends[:-1])
    return [part / np.abs(part).max() for part in parts if len(part) > RATE // 4 and np.abs(part).max() > 500]


def shaped(random: Generator, samples: Samples, slope: float, wave_db: float) -> Samples:
    """Power falls by 1 / frequency ** (2 * slope), with hills and valleys of up to ``wave_db``."""
    hertz = np.maximum(np.fft.rfftfreq(len(samples), 1 / RATE), 20.0)
    hills = np.interp(np.log(hertz), np.linspace(np.log(30), np.log(8000), 8), random.uniform(-wave_db, wave_db, 8))
    return np.fft.irfft(np.fft.rfft(samples) * hertz**-slope * 10 ** (hills / 20), len(samples))


def steady(random: Generator, length: int) -> Samples:
    slope = random.choice([0.0, 0.5, 0.5, 1.0, random.uniform(-0.2, 1.2)])
    return shaped(random, random.standard_normal(length), slope, random.choice([0.0, 8.0]))


def swelling(random: Generator, length: int) -> Samples:
    count = int(random.integers(4, 16))
    return steady(random, length) * np.interp(
        np.arange(length), np.linspace(0, length, count), random.uniform(0.15, 1, count)
    )


def humming(random: Generator, length: int) -> Samples:
    seconds = np.arange(length) / RATE
    lowest = random.choice([50.0, 60.0, random.uniform(80, 800)])
    tones = np.zeros(length)
    for number in range(1, 12):
        if lowest * number < 7900:
            phase = 2 * np.pi * lowest * number * seconds + random.uniform(0, 6)
            tones += random.uniform(0, 1) / number**0.7 * np.sin(phase)
    return unit(tones) + random.uniform(0.1, 1) * unit(steady(random, length))


def chords(random: Generator, length: int) -> Samples:
    tones = np.zeros(length)
    start = 0
    while start < length:
        end = min(length, start + int(random.integers(2000, 9000)))
        seconds, base = np.arange(end - start) / RATE, random.uniform(100, 600)
        for ratio in (1, 1.25, 1.5, 2, 3):
            if random.random() < 0.7:
                tones[start:end] += np.sin(2 * np.pi * base * ratio * seconds) * np.exp(-seconds * random.uniform(1, 8))
        start = end
    return unit(tones) + 0.2 * unit(steady(random, length))


def babble(random: Generator, length: int, speech: Sequence[Samples]) -> Samples:
    together = np.zeros(length)
    for _ in range(random.integers(3, 9)):
        one = speech[int(random.integers(len(speech)))]
        one = np.roll(one, int(random.integers(len(one))))
        together += random.uniform(0.3, 1) * np.resize(one, length)
    return unit(together) + random.uniform(0.05, 0.5) * unit(steady(random, length))


def noise(random: Generator, length: int, speech: Sequence[Samples]) -> Samples:
    makers: Sequence[Maker] = (steady, swelling, humming, chords, partial(babble, speech=speech))
    return unit(makers[int(random.choice(len(makers), p=[0.55, 0.13, 0.1, 0.08, 0.14]))](random, length))


def unit(samples: Samples) -> Samples:
    """Of power 1."""
    return samples / (float(samples.std()) + 1e-9)


def spoken(random: Generator, speech: Sequence[Samples]) -> Samples:
    """A recording or some, each after a pause."""
    samples = np.zeros(LENGTH)
    at = int(random.integers(1000, 12000))
    while at < LENGTH - 6000:
        one = speech[int(random.integers(len(speech)))]
        if random.random() < 0.5:
            one = np.interp(np.arange(0, len(one) - 1, random.uniform(0.8, 1.25)), np.arange(len(one)), one)
        count = min(len(one), LENGTH - at)
        samples[at : at + count] = one[:count]
        at += count + int(random.integers(500, 20000))
        if random.random() < 0.4:
            break
    if random.random() < 0.35:
        samples = in_a_room(random, samples)
    return shaped(random, samples, 0.0, 6.0) if random.random() < 0.3 else samples


def in_a_room(random: Generator, samples: Samples) -> Samples:
    length = int(random.integers(800, 4000))
    echo = random.standard_normal(length) * np.exp(-5 * np.arange(length) / length)
    echo *= random.uniform(0.02, 0.25) / np.sqrt((echo**2).sum())
    echo[0] = 1.0
    return np.fft.irfft(np.fft.rfft(samples, 2 * LENGTH) * np.fft.rfft(echo, 2 * LENGTH), 2 * LENGTH)[:LENGTH]


def example(random: Generator, speech: Sequence[Samples]) -> Example:
    clean = spoken(random, speech)
    heard = clean[np.abs(clean) > 1e-3]
    if len(heard) < RATE // 10:
        return example(random, speech)
    level = np.sqrt(np.mean(heard**2))
    snr = random.uniform(-3, 28) if random.random() < 0.88 else random.uniform(28, 50)
    added = noise(random, LENGTH, speech) * level * 10 ** (-snr / 20)
    scale = PEAK / np.abs(clean + added).max()
    clean_spectra = spectra(clean * scale)
    noisy_power = np.abs(clean_spectra + spectra(added * scale + DITHER * random.standard_normal(LENGTH))) ** 2
    quietest, loud = levels(noisy_power)
    noisy, clear = sphinx_mask.bands(noisy_power), sphinx_mask.bands(np.abs(clean_spectra) ** 2)
    shown = sphinx_mask.features(noisy, noisy[quietest].mean(axis=0), loud)
    return Example(*(part.astype(np.float16) for part in (shown, np.log10(noisy / loud), np.log10(clear / loud))))


def examples(seed: int, count: int, folder: Path) -> Example:
    """So many, each array one dimension more."""
    random, speech = np.random.default_rng(seed), recordings(folder)
    return Example(*map(np.stack, zip(*(example(random, speech) for _ in range(count)), strict=True)))


class Network(torch.nn.Module):  # type: ignore[misc]  # without torch's types, see pyproject.toml
    """``sphinx_mask.Mask`` that can be trained."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = torch.nn.Linear(2 * sphinx_mask.BANDS, CHANNELS)
        self.layers = torch.nn.ModuleList(
            torch.nn.Conv1d(CHANNELS, CHANNELS, 3, dilation=reach, padding=reach) for reach in sphinx_mask.REACH
        )
        self.leave = torch.nn.Linear(CHANNELS, sphinx_mask.BANDS)

    def forward(self, shown: Any) -> Any:
        found = torch.relu(self.enter(shown)).transpose(1, 2)
        for layer in self.layers:
            found = found + torch.relu(layer(found))
        return torch.sigmoid(self.leave(found.transpose(1, 2)))

    def save(self, file: Path) -> None:
        kept = {
            "enter": self.enter.weight.T,
            "enter_bias": self.enter.bias,
            "layers": torch.stack([layer.weight.permute(2, 1, 0) for layer in self.layers]),
            "biases": torch.stack([layer.bias for layer in self.layers]),
            "leave": self.leave.weight.T,
            "leave_bias": self.leave.bias,
        }
        np.savez(file, **{name: value.detach().numpy().astype(np.float16) for name, value in kept.items()})


def loss(gains: Any, noisy: Any, clean: Any) -> Any:
    """How far logarithms of power and square roots of gains are off; too little speech is worse than too much noise."""
    wanted = torch.minimum(noisy, clean)
    off = torch.log10(gains**2 * 10**noisy + SILENT) - torch.log10(10**wanted + SILENT)
    ratio = 10 ** ((wanted - noisy) / 4)  # the root of the root of powers, which is that of amplitudes
    root = gains.clamp_min(1e-4).sqrt()  # that of 0 has no slope
    return (off**2 * torch.where(off < 0, 2.0, 1.0)).mean() + ((root - ratio) ** 2).mean()


def train(data: Example, minutes: float, file: Path) -> None:
    torch.manual_seed(0)
    network, random = Network(), np.random.default_rng(0)
    optimizer = torch.optim.Adam(network.parameters())
    began, step, running = time.monotonic(), 0, 0.0
    while (done := (time.monotonic() - began) / (60 * minutes)) < 1:
        optimizer.param_groups[0]["lr"] = 2e-3 * max(0.02, 1 - done)
        chosen = np.sort(random.choice(len(data.shown), BATCH, replace=False))
        shown, noisy, clean = (torch.from_numpy(part[chosen].astype(np.float32)) for part in data)
        off = loss(network(shown), noisy, clean)
        optimizer.zero_grad()
        off.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step, running = step + 1, off.item() if not step else 0.99 * running + 0.01 * off.item()
        if step % 500 == 0:
            print(f"{step:6} steps, {done:4.0%}, loss {running:.4f}", flush=True)
            network.save(file)
    network.save(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of recordings")
    parser.add_argument("--examples", type=int, default=16_000, help="of 3 s each (default 16000)")
    parser.add_argument("--minutes", type=float, default=20, help="of training (default 20)")
    parser.add_argument("--out", type=Path, default=sphinx_mask.PACKAGED, help="default: where it is read from")
    given = parser.parse_args()
    speech = recordings(given.folder)
    print(f"{len(speech)} recordings, {sum(map(len, speech)) / RATE / 60:.0f} minutes", flush=True)
    with ProcessPoolExecutor() as pool:
        made = list(pool.map(partial(examples, count=200, folder=given.folder), range(given.examples // 200)))
    data = Example(*map(np.concatenate, zip(*made, strict=True)))
    print(f"{len(data.shown)} examples", flush=True)
    train(data, given.minutes, given.out)


if __name__ == "__main__":
    main()
