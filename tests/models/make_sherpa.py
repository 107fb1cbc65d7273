"""Trains the small models in sherpa-tiny.zip: python -m tests.models.make_sherpa (see README.md).

One network of 0.2 M parameters learns to write COMMANDS, word by word. It is told when each word is said, so that it
writes a word soon after its start. Left to CTC alone, it wrote the first words before they were said, and wrongly. The
network is trained twice, on Kaldi's features and on NeMo's, since the families of sherpa-onnx differ in them.

From Kaldi's features come a zipformer CTC model and two transducers, of which one streams. From NeMo's come two CTC
models, of which one streams. A streaming model keeps its own past in what the library takes for its state.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
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

from irene_wyoming.bench.verdict import distance
from tests.models.speech import RATE, Said, corpus, german_corpus, heard, lexicon

ARCHIVE = Path(__file__).with_name("sherpa-tiny.zip")
COMMANDS = (
    "turn on the living room light",
    "turn off the kitchen light",
    "set the bedroom brightness to fifty percent",
    "set the kitchen brightness to twenty percent",
    "set a timer for five minutes",
    "set a timer for ten minutes",
)
GERMAN = (
    "schalte das licht im wohnzimmer ein",
    "schalte die stehlampe aus",
    "stelle den timer auf fünf minuten",
)
BLANK = "<blk>"
LONGEST_WORD = 12
"""Most sounds of a word."""
Pronounced = Mapping[str, Sequence[str]]
"""Pronunciations by word, as sounds with blanks between them."""
SUBSAMPLING = 4
"""Frames of 10 ms per step of the network."""
CHANNELS = 112
KERNEL = 7
BLOCKS = 5
AHEAD = BLOCKS * 1
"""Steps after a step that the network sees."""
PAST = BLOCKS * (KERNEL - 2)
"""Steps before a step that the network sees."""
SHIFT = 2
"""Steps that a streaming form takes at a time: 80 ms."""
WINDOW = (SHIFT + AHEAD) * SUBSAMPLING
"""Frames that a streaming form gets at a time."""
WRITTEN, WRITTEN_S = 0.2, 0.12
"""A word is written after this share of its length, for this many seconds."""
TINY = 1e-9
"""Probability for what a transducer takes for impossible."""


class Network(nn.Module):  # type: ignore[misc]  # torch is not looked into
    """Features ``(batch, frames, 80)`` with PAST and AHEAD around them become logits ``(batch, steps, words)``."""

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
        """The hidden layer ``(batch, steps, CHANNELS)``."""
        states = functional.relu(self.stem(((features - self.mean) / self.deviation).transpose(1, 2)))
        for depth, norm, widen, narrow in zip(self.depth, self.norm, self.widen, self.narrow, strict=True):
            mixed = norm(depth(states).transpose(1, 2))
            states = states[:, :, KERNEL - 2 : -1] + narrow(functional.relu(widen(mixed))).transpose(1, 2)
        return states.transpose(1, 2)


def padded(features: Tensor) -> Tensor:
    return functional.pad(features, (0, 0, PAST * SUBSAMPLING, AHEAD * SUBSAMPLING))


class Zipformer(nn.Module):  # type: ignore[misc]  # torch is not looked into
    """The form in which icefall exports offline models: (N, T, 80), (N,) -> (N, T / 4, words), (N,)."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, x_lens: Tensor) -> tuple[Tensor, Tensor]:
        return self.network(padded(x)), torch.div(x_lens, SUBSAMPLING, rounding_mode="floor")


class Nemo(nn.Module):  # type: ignore[misc]  # torch is not looked into
    """The form in which NeMo exports offline CTC models: (N, 80, T), (N,) -> (N, T / 4, words)."""

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


class StreamingTransducer(nn.Module):  # type: ignore[misc]  # torch is not looked into
    """The encoder of a streaming transducer, in icefall's export of LSTM models. State h holds past features."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        frames = PAST * SUBSAMPLING
        features = torch.cat([h[0].reshape(-1, frames, 80), x], dim=1)
        taken = SHIFT * SUBSAMPLING
        return self.network(features), features[:, taken : taken + frames].reshape(1, -1, frames * 80), c + 0


class Last(nn.Module):  # type: ignore[misc]  # torch is not looked into
    """The decoder of a transducer: from the last two words, the last one as one-hot. The blank counts as none."""

    def __init__(self, words: int) -> None:
        super().__init__()
        rows = torch.eye(words)
        rows[0] = 0
        self.register_buffer("rows", rows)

    def forward(self, y: Tensor) -> Tensor:
        return self.rows[y[:, -1]]


class Joiner(nn.Module):  # type: ignore[misc]  # torch is not looked into
    """The joiner of a transducer. A word just written is not written again: hearing it still gives a blank."""

    def forward(self, encoder_out: Tensor, decoder_out: Tensor) -> Tensor:
        likely = encoder_out.exp()
        still = (likely * decoder_out).sum(dim=1, keepdim=True)
        blank = likely[:, :1] + still
        return torch.log(torch.cat([blank, likely[:, 1:] * (1 - decoder_out[:, 1:])], dim=1) + TINY)


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
    """Features ``(frames, 80)``."""
    words: NDArray[np.int64]
    """The word to write in each step, or the blank: ``(steps,)``."""
    phones: NDArray[np.int64]
    """The sound of each step, ``(steps,)``."""


def example(
    said: Said, words: Sequence[str], phones: Sequence[str], known: Pronounced, kind: str, random: Random
) -> Example:
    samples, timed = heard(said, random)
    features = features_of(samples, kind)
    ends = np.array([end for _, end in timed])
    steps = (np.arange(len(features) // SUBSAMPLING) + 0.5) * SUBSAMPLING / 100
    which = np.searchsorted(ends, steps).clip(0, len(ends) - 1)
    sounds = np.array([phones.index(name) for name, _ in timed])[which]
    written = np.full(len(steps), words.index(BLANK))
    for word, start, end in word_times(said.text.split(), timed, known):
        begin = start + WRITTEN * (end - start)
        first = np.searchsorted(steps, begin)
        written[first : max(first + 1, np.searchsorted(steps, min(begin + WRITTEN_S, end)))] = words.index(word)
    return Example(features, written, sounds)


def word_times(
    words: Sequence[str], timed: Sequence[tuple[str, float]], known: Pronounced
) -> list[tuple[str, float, float]]:
    """Find (word, start, end) in seconds: the cut of the sounds nearest to the words' own pronunciations."""
    starts = [0.0, *(end for _, end in timed)]
    spoken = [(name, start, end) for (name, end), start in zip(timed, starts, strict=False) if name != "pau"]
    names = [name for name, _, _ in spoken]
    best = {0: (0, list[int]())}  # used sounds -> (mistakes, the end of each word)
    for word in words:
        further: dict[int, tuple[int, list[int]]] = {}
        for used, (mistakes, cuts) in best.items():
            for end in range(used + 1, min(used + LONGEST_WORD, len(names)) + 1):
                wrong = mistakes + min(distance(way.split(), names[used:end]) for way in known[word])
                if end not in further or wrong < further[end][0]:
                    further[end] = (wrong, [*cuts, end])
        best = further
    ends = best[len(names)][1]
    return [
        (word, spoken[first][1], spoken[end - 1][2]) for word, first, end in zip(words, [0, *ends], ends, strict=False)
    ]


def train(network: Network, given: list[Example], steps: int, phones: int) -> None:
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
        wanted = torch.full((2, len(chosen), longest // SUBSAMPLING), -100)
        for row, one in enumerate(chosen):
            batch[row, : len(one.features)] = torch.from_numpy(one.features[:longest])
            batch[row, len(one.features) :] = torch.from_numpy(one.features[-1])
            wanted[0, row, : len(one.words)] = torch.from_numpy(one.words)
            wanted[1, row, : len(one.phones)] = torch.from_numpy(one.phones)
        states = network.hear(padded(batch))
        written = functional.cross_entropy(network.out(states).flatten(0, 1), wanted[0].flatten())
        loss = written + functional.cross_entropy(sounds(states).flatten(0, 1), wanted[1].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == steps - 1:
            print(f"step {step} of {steps}: words {written:.3f}, in all {loss:.3f}", flush=True)


def trained(said: Sequence[Said], words: Sequence[str], known: Pronounced, kind: str, steps: int) -> Network:
    random = Random(3)
    torch.manual_seed(2)
    phones = sorted({name for one in said for name, _ in one.phones})
    given = [example(one, words, phones, known, kind, random) for one in said]
    frames = np.concatenate([one.features for one in given])
    mean, deviation = torch.from_numpy(frames.mean(axis=0)), torch.from_numpy(frames.std(axis=0) + 1e-3)
    network = Network(mean, deviation, len(words))
    network.train()
    train(network, given, steps, len(phones))
    for parameter in network.parameters():  # what is packed then takes half of the room
        parameter.data = parameter.data.to(torch.bfloat16).to(torch.float32)
    network.eval()
    return network


def export(
    module: nn.Module, inputs: dict[str, Tensor], outputs: dict[str, dict[int, str]], path: Path, **meta: Any
) -> None:
    """Write a model with its metadata."""
    frames = {"x": {0: "N", 1: "T"}, "audio_signal": {0: "N", 2: "T"}, "x_lens": {0: "N"}, "length": {0: "N"}}
    rows = {name: {0: "N"} for name in ("y", "encoder_out", "decoder_out")}
    axes = {name: (frames | rows)[name] for name in inputs if name in frames | rows} if outputs else {}
    path.parent.mkdir(exist_ok=True)
    torch.onnx.export(
        module.eval(),
        tuple(inputs.values()),
        str(path),
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_axes={} if "chunk_shift" in meta or "decode_chunk_len" in meta else axes | outputs,
        opset_version=17,
        dynamo=False,
    )
    model = onnx.load(str(path))
    for key, value in meta.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, str(value)
    onnx.save(model, str(path))


STEPS = {0: "N", 1: "S"}
ROWS = {0: "N"}


def write(kaldi: Network, nemo: Network, german: Network) -> None:
    known, known_german = words_of(COMMANDS), words_of(GERMAN)
    count = len(known) + 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        zipformer_ctc(kaldi, folder / "zipformer-ctc-en")
        zipformer_ctc(german, folder / "zipformer-ctc-de")
        transducer(kaldi, count, folder / "transducer-en")
        streaming_transducer(kaldi, count, folder / "streaming-transducer-en")
        nemo_ctc(nemo, count, folder / "nemo-ctc-en")
        streaming_nemo_ctc(nemo, count, folder / "streaming-nemo-ctc-en")
        for part in folder.iterdir():
            words = known_german if part.name.endswith("-de") else known
            listed = [*words, BLANK] if "nemo" in part.name else [BLANK, *words]
            text = "".join(f"{spelled(word)} {number}\n" for number, word in enumerate(listed))
            (part / "tokens.txt").write_text(text)
        with ZipFile(ARCHIVE, "w", ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*.*")):
                archive.write(path, path.relative_to(folder))


def words_of(texts: Sequence[str]) -> list[str]:
    return sorted({word for text in texts for word in text.split()})


def zipformer_ctc(kaldi: Network, folder: Path) -> None:
    export(
        Zipformer(kaldi),
        {"x": torch.zeros(1, 200, 80), "x_lens": torch.tensor([200])},
        {"log_probs": STEPS, "log_probs_len": ROWS},
        folder / "model.onnx",
        model_type="zipformer2_ctc",
        version="1",
        comment="tiny, for tests",
    )


def transducer(kaldi: Network, words: int, folder: Path) -> None:
    export(
        Zipformer(kaldi),
        {"x": torch.zeros(1, 200, 80), "x_lens": torch.tensor([200])},
        {"encoder_out": STEPS, "encoder_out_lens": ROWS},
        folder / "encoder.onnx",
        model_type="zipformer2",
        version="1",
    )
    decoder_and_joiner(words, folder)


def streaming_transducer(kaldi: Network, words: int, folder: Path) -> None:
    past = PAST * SUBSAMPLING * 80
    export(
        StreamingTransducer(kaldi),
        {"x": torch.zeros(1, WINDOW, 80), "h": torch.zeros(1, 1, past), "c": torch.zeros(1, 1, 1)},
        {"encoder_out": {}, "next_h": {}, "next_c": {}},
        folder / "encoder.onnx",
        model_type="lstm",
        num_encoder_layers=1,
        T=WINDOW,
        decode_chunk_len=SHIFT * SUBSAMPLING,
        d_model=past,
        rnn_hidden_size=1,
    )
    decoder_and_joiner(words, folder)


def decoder_and_joiner(words: int, folder: Path) -> None:
    export(
        Last(words),
        {"y": torch.zeros(1, 2, dtype=torch.int64)},
        {"decoder_out": ROWS},
        folder / "decoder.onnx",
        vocab_size=words,
        context_size=2,
    )
    export(
        Joiner(),
        {"encoder_out": torch.zeros(1, words), "decoder_out": torch.zeros(1, words)},
        {"logit": ROWS},
        folder / "joiner.onnx",
        joiner_dim=words,
    )


def nemo_ctc(nemo: Network, words: int, folder: Path) -> None:
    export(
        Nemo(nemo),
        {"audio_signal": torch.zeros(1, 80, 200), "length": torch.tensor([200])},
        {"logprobs": STEPS},
        folder / "model.onnx",
        model_type="EncDecCTCModelBPE",
        vocab_size=words - 1,
        subsampling_factor=SUBSAMPLING,
        normalize_type="",
    )


def streaming_nemo_ctc(nemo: Network, words: int, folder: Path) -> None:
    caches = {"cache_last_channel": (1, 1, 1), "cache_last_time": (1, 80, PAST * SUBSAMPLING)}
    export(
        StreamingNemo(nemo),
        {
            "audio_signal": torch.zeros(1, 80, WINDOW),
            "length": torch.tensor([WINDOW]),
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
        folder / "model.onnx",
        model_type="EncDecHybridRNNTCTCBPEModel",
        window_size=WINDOW,
        chunk_shift=SHIFT * SUBSAMPLING,
        vocab_size=words - 1,
        subsampling_factor=SUBSAMPLING,
        normalize_type="",
        **{f"{cache}_dim{axis + 1}": size for cache, shape in caches.items() for axis, size in enumerate(shape)},
    )


def spelled(word: str) -> str:
    """A word's form in tokens.txt: words begin with a mark, the blank does not."""
    return word if word == BLANK else f"\u2581{word}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1200, help="batches of 16")
    parser.add_argument("--each", type=int, default=120, help="times that each command is said")
    args = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    known = words_of(COMMANDS)
    said = list(corpus(Random(1), [*COMMANDS] * args.each))
    pronounced = lexicon(set(known))
    kaldi = trained(said, [BLANK, *known], pronounced, "kaldi", args.steps)
    nemo = trained(said, [*known, BLANK], pronounced, "nemo", args.steps)
    known = words_of(GERMAN)
    said = list(german_corpus(Random(1), [*GERMAN] * args.each))
    german = trained(said, [BLANK, *known], {word: [word] for word in known}, "kaldi", args.steps)
    write(kaldi, nemo, german)


if __name__ == "__main__":
    main()
