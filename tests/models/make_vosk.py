"""Trains the tiny Vosk model in vosk-tiny: python -m tests.models.make_vosk  (README.md says what it needs).

A time-delay network of 0.2 M parameters tells phones from MFCC; a lexicon and a bigram make words and sentences of
them. No part of Kaldi is used: its files are written byte by byte (kaldi.py).
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from tests.models import kaldi
from tests.models.kaldi import Array, Layer
from tests.models.speech import Said, corpus, heard, lexicon, sentences

FOLDER = Path(__file__).with_name("vosk-tiny")
OFFSETS: Sequence[tuple[int, ...]] = ((-2, -1, 0, 1, 2), (-1, 0, 1), (-3, 0, 3), (-3, 0, 3), (-6, 0, 6), (0,))
WIDTH = 128
CONTEXT = sum(max(offsets) for offsets in OFFSETS)
EPOCHS, BATCH, CROP = 6, 32, 150  # frames
ACOUSTIC_SCALE = 1.0
MODEL_CONF = f"""\
--min-active=200
--max-active=3000
--beam=13.0
--lattice-beam=4.0
--acoustic-scale={ACOUSTIC_SCALE}
--frame-subsampling-factor=3
--endpoint.silence-phones=1
--endpoint.rule2.min-trailing-silence=0.5
--endpoint.rule3.min-trailing-silence=1.0
--endpoint.rule4.min-trailing-silence=2.0
"""


def labels(phones: Sequence[tuple[str, float]], numbers: dict[str, int], frames: int) -> Array:
    """The phone, counted from 0, in the middle of each frame."""
    ends = np.array([end for _, end in phones])
    middles = (np.arange(frames) * kaldi.SHIFT + kaldi.LENGTH / 2) / 16_000
    which = np.minimum(np.searchsorted(ends, middles), len(ends) - 1)
    return np.array([numbers[name] - 1 for name, _ in phones])[which]


def network(phones: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    width = kaldi.BINS
    for offsets in OFFSETS[:-1]:
        step = offsets[1] - offsets[0]
        layers += [nn.Conv1d(width, WIDTH, len(offsets), dilation=step), nn.ReLU(), nn.BatchNorm1d(WIDTH)]
        width = WIDTH
    return nn.Sequential(*layers, nn.Conv1d(width, phones, 1))


def train(said: Sequence[Said], numbers: dict[str, int], random: Random) -> tuple[nn.Sequential, Array, Array, Array]:
    """Train; gives the network, the mean and scale of its input, and the count of each phone."""
    features, targets = [], []
    for one in said:
        samples, phones = heard(one, random)
        features.append(kaldi.mfcc(samples))
        targets.append(labels(phones, numbers, len(features[-1])))
    together = np.concatenate(features)
    mean, scale = together.mean(axis=0), 1 / together.std(axis=0)
    counts = np.bincount(np.concatenate(targets), minlength=len(numbers)).astype(np.float32)
    net = network(len(numbers))
    steps = EPOCHS * (len(said) // BATCH)
    optimizer = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    for step in range(steps):
        chosen = random.sample(range(len(said)), BATCH)
        pairs = [crop((features[i] - mean) * scale, targets[i], random) for i in chosen]
        inputs = torch.tensor(np.stack([pair[0] for pair in pairs])).transpose(1, 2)
        loss = functional.cross_entropy(net(inputs), torch.tensor(np.stack([pair[1] for pair in pairs])))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == steps - 1:
            print(f"step {step} of {steps}: {loss.item():.3f}", flush=True)
    return net.eval(), mean, scale, counts


def crop(features: Array, targets: Array, random: Random) -> tuple[Array, Array]:
    """CROP frames of targets and the features around them; ends are repeated, as Kaldi does."""
    start = random.randrange(max(1, len(features) - CROP + 1))
    wanted = np.arange(start - CONTEXT, start + CROP + CONTEXT).clip(0, len(features) - 1)
    return features[wanted], targets[wanted[CONTEXT:-CONTEXT]]


def folded(net: nn.Sequential, mean: Array, scale: Array, counts: Array) -> list[Layer]:
    """Fold batch norm and input scaling into the weights; the output is log likelihoods instead of posteriors.

    A batch norm comes after its ReLU, so it belongs into the layer behind it.
    """
    layers = []
    gain, shift = scale, -mean * scale
    for index, offsets in enumerate(OFFSETS):
        convolution = net[3 * index]
        weights, bias = convolution.weight.detach().numpy(), convolution.bias.detach().numpy()  # (out, in, offsets)
        bias = bias + (weights * shift[None, :, None]).sum(axis=(1, 2))
        weights = weights * gain[None, :, None]
        if index == len(OFFSETS) - 1:
            bias = bias - np.log(np.maximum(counts, 1) / counts.sum())
        else:
            norm = net[3 * index + 2]
            gain = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach().numpy()
            shift = norm.bias.detach().numpy() - norm.running_mean.numpy() * gain
        layers.append(Layer(offsets, weights.transpose(0, 2, 1).reshape(len(bias), -1), bias))
    return layers


def write(layers: Sequence[Layer], phones: dict[str, int], known: dict[str, tuple[str, ...]], texts: list[str]) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    for part in ("am", "conf", "graph"):
        (FOLDER / part).mkdir(parents=True)
    (FOLDER / "am" / "final.mdl").write_bytes(kaldi.acoustic_model(len(phones), layers))
    (FOLDER / "conf" / "mfcc.conf").write_text(kaldi.MFCC_CONF)
    (FOLDER / "conf" / "model.conf").write_text(MODEL_CONF)
    words = {word: number for number, word in enumerate(sorted(known), start=1)}
    table = ["<eps> 0", *(f"{word} {number}" for word, number in words.items())]
    (FOLDER / "graph" / "words.txt").write_text("\n".join(table) + "\n")
    (FOLDER / "graph" / "disambig_tid.int").write_text("\n")
    kaldi.lexicon_fst(known, words, phones).write(FOLDER / "graph" / "HCLr.fst", sort=1)
    kaldi.bigram([text.split() for text in texts], words).write(FOLDER / "graph" / "Gr.fst", sort=0)


def main() -> None:
    torch.manual_seed(1)
    torch.set_num_threads(1)
    random = Random(1)
    texts = sentences(random, 3_000)
    known = lexicon({word for text in texts for word in text.split()})
    said = list(corpus(random, texts))
    # "pau" is silence and has to be phone 1.
    phones = {name: number for number, name in enumerate(["pau", *phones_of(known)], start=1)}
    write(folded(*train(said, phones, random)), phones, known, texts)


def phones_of(known: dict[str, tuple[str, ...]]) -> list[str]:
    return sorted({phone for ways in known.values() for way in ways for phone in way.split()})


if __name__ == "__main__":
    main()
