"""Kaldi's features and binary files, as far as small models need them."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

MFCC_CONF = """\
--use-energy=false
--sample-frequency=16000
--dither=0
--num-mel-bins=40
--num-ceps=40
--low-freq=20
--high-freq=-400
"""
LENGTH, SHIFT, FFT, BINS = 400, 160, 512, 40
LOW, HIGH = 20.0, 7600.0


def mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(np.asarray(hertz) / 700.0))


def mel_banks() -> NDArray[np.float64]:
    """Triangular filters of equal width in mel, ``(bins, FFT / 2)``."""
    edges = np.linspace(mel(LOW), mel(HIGH), BINS + 2)
    at = mel(np.arange(FFT // 2) * 16_000 / FFT)
    rising = (at - edges[:-2, None]) / (edges[1:-1, None] - edges[:-2, None])
    falling = (edges[2:, None] - at) / (edges[2:, None] - edges[1:-1, None])
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)))


BANKS = mel_banks()
WINDOW = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(LENGTH) / (LENGTH - 1))) ** 0.85
DCT = np.sqrt(2 / BINS) * np.cos(np.pi / BINS * (np.arange(BINS) + 0.5) * np.arange(BINS)[:, None])
DCT[0] = np.sqrt(1 / BINS)
LIFTER = 1 + 11 * np.sin(np.pi * np.arange(BINS) / 22)


def mfcc(samples: Array) -> Array:
    """Compute MFCC ``(frames, 40)`` like compute-mfcc-feats with MFCC_CONF.

    :param samples: 16 kHz, full scale 32768.
    """
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), LENGTH)[::SHIFT]
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    power = np.abs(np.fft.rfft((frames - 0.97 * before) * WINDOW, FFT)[:, : FFT // 2]) ** 2
    energies = np.log(np.maximum(power @ BANKS.T, np.finfo(np.float32).eps))
    return np.asarray(energies @ DCT.T * LIFTER, np.float32)


class Writer:
    """Writes a binary Kaldi object."""

    def __init__(self) -> None:
        self.data = bytearray(b"\0B")

    def token(self, *tokens: str) -> None:
        self.data += "".join(f"{token} " for token in tokens).encode()

    def raw(self, text: str) -> None:
        self.data += text.encode()

    def integer(self, value: int) -> None:
        self.data += struct.pack("<bi", 4, value)

    def real(self, value: float) -> None:
        self.data += struct.pack("<bf", 4, value)

    def integers(self, values: Sequence[int]) -> None:
        self.data += struct.pack(f"<bi{len(values)}i", 4, len(values), *values)

    def vector(self, values: Array) -> None:
        self.token("FV")
        self.integer(len(values))
        self.data += values.astype("<f4").tobytes()

    def matrix(self, values: Array) -> None:
        self.token("FM")
        self.integer(values.shape[0])
        self.integer(values.shape[1])
        self.data += values.astype("<f4").tobytes()


@dataclass(frozen=True)
class Layer:
    """An affine transform of some frames side by side."""

    offsets: tuple[int, ...]
    """Input frames relative to the output frame."""
    weights: Array
    """Weights ``(out, len(offsets) * in)``."""
    bias: Array


def acoustic_model(phones: int, layers: Sequence[Layer]) -> bytes:
    """Write final.mdl: one state per phone, counted from 1, and a network with a ReLU after all layers but the last."""
    out = Writer()
    out.token("<TransitionModel>", "<Topology>")
    out.integers(range(1, phones + 1))
    out.integers([-1, *[0] * phones])
    out.integer(1)  # topologies, this one:
    out.integer(2)  # states
    out.integer(0)  # its class
    out.integer(2)  # transitions
    for target in (0, 1):
        out.integer(target)
        out.real(0.5)
    out.integer(-1)  # the final state has no class
    out.integer(0)
    out.token("</Topology>", "<Triples>")
    out.integer(phones)
    for phone in range(1, phones + 1):
        for value in (phone, 0, phone - 1):
            out.integer(value)
    out.token("</Triples>", "<LogProbs>")
    out.vector(np.r_[0, np.full(2 * phones, np.log(0.5))])
    out.token("</LogProbs>", "</TransitionModel>")
    _network(out, layers)
    return bytes(out.data)


def _network(out: Writer, layers: Sequence[Layer]) -> None:
    out.token("<Nnet3>")
    dim = layers[0].weights.shape[1] // len(layers[0].offsets)
    lines, source = [f"input-node name=input dim={dim}"], "input"
    for number, layer in enumerate(layers):
        frames = ", ".join(f"Offset({source}, {offset})" if offset else source for offset in layer.offsets)
        spliced = f"Append({frames})" if len(layer.offsets) > 1 else frames
        lines.append(f"component-node name=affine{number} component=affine{number} input={spliced}")
        source = f"affine{number}"
        if layer is not layers[-1]:
            lines.append(f"component-node name=relu{number} component=relu{number} input={source}")
            source = f"relu{number}"
    lines.append(f"output-node name=output input={source} objective=linear")
    out.raw("\n" + "\n".join(lines) + "\n\n")
    out.token("<NumComponents>")
    out.integer(2 * len(layers) - 1)
    for number, layer in enumerate(layers):
        out.token("<ComponentName>", f"affine{number}", "<FixedAffineComponent>", "<LinearParams>")
        out.matrix(layer.weights)
        out.token("<BiasParams>")
        out.vector(layer.bias)
        out.token("</FixedAffineComponent>")
        if layer is not layers[-1]:
            out.token("<ComponentName>", f"relu{number}", "<RectifiedLinearComponent>", "<Dim>")
            out.integer(len(layer.bias))
            for name in ("<ValueAvg>", "<DerivAvg>"):
                out.token(name)
                out.vector(np.zeros(0, np.float32))
            out.token("<Count>")
            out.real(0)
            out.token("<OderivRms>")
            out.vector(np.zeros(0, np.float32))
            out.token("<OderivCount>")
            out.real(0)
            out.token("</RectifiedLinearComponent>")
    out.token("</Nnet3>", "<LeftContext>")
    out.integer(-sum(min(layer.offsets) for layer in layers))
    out.token("<RightContext>")
    out.integer(sum(max(layer.offsets) for layer in layers))
    out.token("<Priors>")
    out.vector(np.zeros(0, np.float32))


@dataclass
class Fst:
    """A weighted transducer, written as OpenFst's ``vector`` type over the tropical semiring."""

    arcs: list[list[tuple[int, int, float, int]]] = field(default_factory=list)
    """For each state: (input label, output label, weight, next state). State 0 is the start."""
    final: dict[int, float] = field(default_factory=dict)

    def state(self) -> int:
        self.arcs.append([])
        return len(self.arcs) - 1

    def arc(self, source: int, ilabel: int, olabel: int, weight: float, target: int) -> None:
        self.arcs[source].append((ilabel, olabel, weight, target))

    def write(self, path: Path, sort: int) -> None:
        """:param sort: 0: by input label, 1: by output label."""
        out = bytearray(struct.pack("<i", 2125659606))
        for name in (b"vector", b"standard"):
            out += struct.pack("<i", len(name)) + name
        expanded_and_mutable = 3
        header = (2, 0, expanded_and_mutable, 0, len(self.arcs), sum(map(len, self.arcs)))
        out += struct.pack("<iiQqqq", *header)
        for state, arcs in enumerate(self.arcs):
            out += struct.pack("<fq", self.final.get(state, float("inf")), len(arcs))
            for arc in sorted(arcs, key=lambda arc: arc[sort]):
                out += struct.pack("<iifi", *arc)
        path.write_bytes(out)


def bigram(sentences: Sequence[Sequence[str]], words: Mapping[str, int]) -> Fst:
    """Make a smoothed bigram: unseen pairs of words go through a common state, at a cost."""
    backoff = 0.1
    pairs: dict[str, dict[str, int]] = {}
    for sentence in sentences:
        for first, second in zip(["", *sentence], [*sentence, ""], strict=True):
            following = pairs.setdefault(first, {})
            following[second] = following.get(second, 0) + 1
    alone: dict[str, int] = {}
    for following in pairs.values():
        for word, count in following.items():
            alone[word] = alone.get(word, 0) + count
    fst = Fst()
    states = {word: fst.state() for word in ["", *words]}
    common = fst.state()
    for first, following in pairs.items():
        total = sum(following.values())
        for second, count in following.items():
            weight = float(-np.log((1 - backoff) * count / total))
            _follow(fst, states[first], second, weight, words, states)
        fst.arc(states[first], 0, 0, float(-np.log(backoff)), common)
    for word, count in alone.items():
        _follow(fst, common, word, float(-np.log(count / sum(alone.values()))), words, states)
    return fst


def _follow(
    fst: Fst, source: int, word: str, weight: float, words: Mapping[str, int], states: Mapping[str, int]
) -> None:
    if word:
        fst.arc(source, words[word], words[word], weight, states[word])
    else:
        fst.final[source] = weight


def lexicon_fst(lexicon: Mapping[str, Sequence[str]], words: Mapping[str, int], phones: Mapping[str, int]) -> Fst:
    """Make the transducer from the acoustic model's transitions (2p enters phone p, 2p - 1 stays in it) to words.

    Silence, phone 1, may come before and after each word.
    """
    stay = leave = float(-np.log(0.5))
    fst = Fst()
    start, loop = fst.state(), fst.state()
    fst.final[loop] = 0.0

    def phone(source: int, number: int, word: int, weight: float) -> int:
        state = fst.state()
        fst.arc(source, 2 * number, word, weight, state)
        fst.arc(state, 2 * number - 1, 0, stay, state)
        return state

    def pause(source: int) -> None:
        fst.arc(source, 0, 0, leave, loop)
        fst.arc(phone(source, 1, 0, leave), 0, 0, leave, loop)

    pause(start)
    for word, pronunciations in lexicon.items():
        for pronunciation in pronunciations:
            state = loop
            for index, name in enumerate(pronunciation.split()):
                state = phone(state, phones[name], 0 if index else words[word], leave if index else 0.0)
            pause(state)
    return fst
