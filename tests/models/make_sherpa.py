"""Trains the small models in sherpa-tiny.zip: python -m tests.models.make_sherpa (see README.md).

One network of 0.2 M parameters learns to write COMMANDS, word by word. It is trained twice, on Kaldi's features and on
NeMo's, since the families of sherpa-onnx differ in them. It is written in three forms: an offline zipformer CTC model,
an offline NeMo CTC model, and a streaming NeMo CTC model that keeps its own past in a cache.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile

import kaldi_native_fbank as knf
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tests.models.speech import RATE, Said, corpus, heard

ARCHIVE = Path(__file__).with_name("sherpa-tiny.zip")
COMMANDS = (
    "turn on the living room light",
    "turn off the kitchen light",
    "set the bedroom brightness to fifty percent",
    "set the kitchen brightness to twenty percent",
    "set a timer for five minutes",
    "set a timer for ten minutes",
)
BLANK = "<blk>"
SUBSAMPLING = 4
"""Frames of 10 ms for one step of the network."""
CHANNELS = 112
KERNEL = 7
BLOCKS = 5
AHEAD = BLOCKS * 1
"""Steps behind a step that the network looks at."""
PAST = BLOCKS * (KERNEL - 2)
"""Steps before a step that it looks at."""
SHIFT = 6
"""Steps that the streaming form takes at a time: 240 ms."""


class Network(nn.Module):  # type: ignore[misc]  # torch is not looked into
    """Features (batch, frames, 80) with PAST and AHEAD around them -> logits (batch, steps, words)."""

    def __init__(self, mean: Tensor, deviation: Tensor, words: int) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.stem = nn.Conv1d(80, CHANNELS, SUBSAMPLING, stride=SUBSAMPLING)
        self.depth = nn.ModuleList(nn.Conv1d(CHANNELS, CHANNELS, KERNEL, groups=CHANNELS) for _ in range(BLOCKS))
        self.norm = nn.ModuleList(nn.LayerNorm(CHANNELS) for _ in range(BLOCKS))
        self.widen = nn.ModuleList(nn.Linear(CHANNELS, 2 * CHANNELS) for _ in range(BLOCKS))
        self.narrow = nn.ModuleList(nn.Linear(2 * CHANNELS, CHANNELS) for _ in range(BLOCKS))
        self.out = nn.Linear(CHANNELS, words)

    def forward(self, features: Tensor) -> Tensor:
        return torch.log_softmax(self.out(self.hear(features)), dim=-1)

    def hear(self, features: Tensor) -> Tensor:
        """(batch, steps, CHANNELS)"""
        states = functional.relu(self.stem(((features - self.mean) / self.deviation).transpose(1, 2)))
        for depth, norm, widen, narrow in zip(self.depth, self.norm, self.widen, self.narrow, strict=True):
            mixed = norm(depth(states).transpose(1, 2))
            states = states[:, :, KERNEL - 2 : -1] + narrow(functional.relu(widen(mixed))).transpose(1, 2)
        return states.transpose(1, 2)


def padded(features: Tensor) -> Tensor:
    return functional.pad(features, (0, 0, PAST * SUBSAMPLING, AHEAD * SUBSAMPLING))


class Zipformer(nn.Module):  # type: ignore[misc]  # torch is not looked into
    """(N, T, 80), (N,) -> (N, T / 4, words), (N,): as icefall exports its offline CTC models."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, x_lens: Tensor) -> tuple[Tensor, Tensor]:
        return self.network(padded(x)), torch.div(x_lens, SUBSAMPLING, rounding_mode="floor")


class Nemo(nn.Module):  # type: ignore[misc]  # torch is not looked into
    """(N, 80, T), (N,) -> (N, T / 4, words): as NeMo exports its offline CTC models."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, audio_signal: Tensor, length: Tensor) -> Tensor:
        return self.network(padded(audio_signal.transpose(1, 2))) + 0 * length.to(torch.float32).sum()


class StreamingNemo(nn.Module):  # type: ignore[misc]  # torch is not looked into
    """NeMo's streaming form. The cache holds the past features; the other two caches have nothing to keep."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, audio_signal: Tensor, length: Tensor, channel: Tensor, time: Tensor, channel_len: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        features = torch.cat([time[:, 0], audio_signal], dim=2)
        logits = self.network(features.transpose(1, 2))
        taken = SHIFT * SUBSAMPLING
        kept = features[:, None, :, taken : taken + PAST * SUBSAMPLING]
        return logits, length * 0 + SHIFT, channel + 0, kept, channel_len + 0


def extractor(kind: str) -> knf.OnlineFbank:
    """The features that sherpa-onnx computes for a family, "kaldi" or "nemo"."""
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = False
    options.frame_opts.samp_freq = RATE
    options.mel_opts.num_bins = 80
    options.mel_opts.high_freq = -400
    if kind == "nemo":
        options.mel_opts.low_freq = options.mel_opts.high_freq = 0
        options.mel_opts.is_librosa = True
        options.frame_opts.remove_dc_offset = False
        options.frame_opts.window_type = "hann"
    return knf.OnlineFbank(options)


def features_of(samples: NDArray[np.float32], kind: str) -> NDArray[np.float32]:
    fbank = extractor(kind)
    fbank.accept_waveform(RATE, (samples / 32768).tolist())
    fbank.input_finished()
    return np.array([fbank.get_frame(frame) for frame in range(fbank.num_frames_ready)], np.float32)


class Example(NamedTuple):
    features: NDArray[np.float32]
    """(frames, 80)"""
    words: list[int]
    phones: NDArray[np.int64]
    """(steps,): which sound each step is."""


def example(said: Said, words: Sequence[str], phones: Sequence[str], kind: str, random: Random) -> Example:
    samples, timed = heard(said, random)
    features = features_of(samples, kind)
    ends = np.array([end for _, end in timed])
    steps = (np.arange(len(features) // SUBSAMPLING) + 0.5) * SUBSAMPLING / 100
    which = np.searchsorted(ends, steps).clip(0, len(ends) - 1)
    sounds = np.array([phones.index(name) for name, _ in timed])[which]
    return Example(features, [words.index(word) for word in said.text.split()], sounds)


def train(network: Network, given: list[Example], steps: int, blank: int, phones: int) -> None:
    random = Random(5)
    by_length = sorted(given, key=lambda one: len(one.features))
    sounds = nn.Linear(CHANNELS, phones)  # beside the words: what tells "on" from "off" is a sound
    parameters = [*network.parameters(), *sounds.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        start = random.randrange(len(by_length) - 16)
        chosen = by_length[start : start + 16]
        longest = max(len(one.features) for one in chosen) // SUBSAMPLING * SUBSAMPLING
        batch = torch.zeros(len(chosen), longest, 80)
        wanted = torch.full((len(chosen), longest // SUBSAMPLING), -100)
        for row, one in enumerate(chosen):
            batch[row, : len(one.features)] = torch.from_numpy(one.features[:longest])
            batch[row, len(one.features) :] = torch.from_numpy(one.features[-1])
            wanted[row, : len(one.phones)] = torch.from_numpy(one.phones)
        states = network.hear(padded(batch))
        logits = torch.log_softmax(network.out(states), dim=-1).transpose(0, 1)
        lengths = torch.tensor([len(one.features) // SUBSAMPLING for one in chosen])
        targets = torch.tensor([word for one in chosen for word in one.words])
        counts = torch.tensor([len(one.words) for one in chosen])
        written = functional.ctc_loss(logits, targets, lengths, counts, blank=blank, zero_infinity=True)
        loss = written + functional.cross_entropy(sounds(states).flatten(0, 1), wanted.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == steps - 1:
            print(f"step {step} of {steps}: words {written:.3f}, in all {loss:.3f}", flush=True)


def trained(said: Sequence[Said], words: Sequence[str], kind: str, steps: int) -> Network:
    random = Random(3)
    torch.manual_seed(2)
    phones = sorted({name for one in said for name, _ in one.phones})
    given = [example(one, words, phones, kind, random) for one in said]
    frames = np.concatenate([one.features for one in given])
    mean, deviation = torch.from_numpy(frames.mean(axis=0)), torch.from_numpy(frames.std(axis=0) + 1e-3)
    network = Network(mean, deviation, len(words))
    network.train()
    train(network, given, steps, list(words).index(BLANK), len(phones))
    network.eval()
    return network


def export(
    module: nn.Module, inputs: dict[str, Tensor], outputs: dict[str, dict[int, str]], path: Path, **meta: Any
) -> None:
    """Write a model with its metadata, weights as 16 bit floats' values."""
    frames = {"x": {0: "N", 1: "T"}, "audio_signal": {0: "N", 2: "T"}, "x_lens": {0: "N"}, "length": {0: "N"}}
    axes = {name: frames[name] for name in inputs if name in frames and "chunk_shift" not in meta} | outputs
    torch.onnx.export(
        module.eval(),
        tuple(inputs.values()),
        str(path),
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )
    model = onnx.load(str(path))
    for key, value in meta.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, str(value)
    onnx.save(model, str(path))


def write(kaldi: Network, nemo: Network, words: Sequence[str], nemo_words: Sequence[str]) -> None:
    steps = {0: "N", 1: "S"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("zipformer-ctc-en", "nemo-ctc-en", "streaming-nemo-ctc-en"):
            (folder / part).mkdir()
            listed = words if part.startswith("zip") else nemo_words
            text = "".join(f"{spelled(word)} {number}\n" for number, word in enumerate(listed))
            (folder / part / "tokens.txt").write_text(text)
        some = torch.zeros(1, 200, 80)
        export(
            Zipformer(kaldi),
            {"x": some, "x_lens": torch.tensor([200])},
            {"log_probs": steps, "log_probs_len": {0: "N"}},
            folder / "zipformer-ctc-en" / "model.onnx",
            model_type="zipformer2_ctc",
            version="1",
            comment="tiny, for tests",
        )
        about = {"vocab_size": len(nemo_words) - 1, "subsampling_factor": SUBSAMPLING, "normalize_type": ""}
        export(
            Nemo(nemo),
            {"audio_signal": some.transpose(1, 2), "length": torch.tensor([200])},
            {"logprobs": steps},
            folder / "nemo-ctc-en" / "model.onnx",
            model_type="EncDecCTCModelBPE",
            **about,
        )
        window, past = (SHIFT + AHEAD) * SUBSAMPLING, PAST * SUBSAMPLING
        caches = {"cache_last_channel": (1, 1, 1), "cache_last_time": (1, 80, past)}
        export(
            StreamingNemo(nemo),
            {
                "audio_signal": torch.zeros(1, 80, window),
                "length": torch.tensor([window]),
                **{cache: torch.zeros(1, *shape) for cache, shape in caches.items()},
                "cache_last_channel_len": torch.zeros(1, dtype=torch.int64),
            },
            {
                "logprobs": {},
                "encoded_lengths": {},
                "cache_last_channel_next": {},
                "cache_last_time_next": {},
                "cache_last_channel_next_len": {},
            },
            folder / "streaming-nemo-ctc-en" / "model.onnx",
            model_type="EncDecHybridRNNTCTCBPEModel",
            window_size=window,
            chunk_shift=SHIFT * SUBSAMPLING,
            **about,
            **{f"{cache}_dim{axis + 1}": size for cache, shape in caches.items() for axis, size in enumerate(shape)},
        )
        with ZipFile(ARCHIVE, "w", ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*.*")):
                archive.write(path, path.relative_to(folder))


def spelled(word: str) -> str:
    """A word as tokens.txt has it: words begin with a mark, the blank does not."""
    return word if word == BLANK else f"\u2581{word}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1200, help="batches of 16")
    parser.add_argument("--each", type=int, default=120, help="times that each command is said")
    args = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    said = list(corpus(Random(1), [*COMMANDS] * args.each))
    known = sorted({word for text in COMMANDS for word in text.split()})
    words, nemo_words = [BLANK, *known], [*known, BLANK]
    kaldi = trained(said, words, "kaldi", args.steps)
    nemo = trained(said, nemo_words, "nemo", args.steps)
    write(kaldi, nemo, words, nemo_words)


if __name__ == "__main__":
    main()
