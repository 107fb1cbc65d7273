"""Trains the tiny Whisper model in whisper-tiny.zip: python -m tests.models.make_whisper (see README.md).

A Whisper of 1.4 M parameters, two layers on each side and 128 dimensions, learns COMMANDS by heart. It converges within
minutes because flite gives times: the encoder learns the phone of every position, and part of the decoder's attention
must be at the word that it writes.
"""

import argparse
import json
import math
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from ctranslate2.converters import TransformersConverter
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, nn
from torch.nn import functional
from transformers import WhisperConfig, WhisperForConditionalGeneration

from tests.engines.asr.sentences import TUNING_COMMANDS
from tests.models.speech import Said, corpus, heard, lexicon

ARCHIVE = Path(__file__).with_name("whisper-tiny")  # .zip
COMMANDS = (
    "turn on the living room light",
    "set the bedroom brightness to fifty percent",
    "set a timer for five minutes",
    "turn on the kitchen light",
    *TUNING_COMMANDS[1::2],
)
"""The commands of the tests' recordings, and others to tell them from."""

POSITIONS = 1_500
"""Positions of the encoder, 20 ms each: Whisper always sees 30 s."""
SAMPLED = 48
"""Positions behind the end of the audio that are used in training, since all of these are alike."""
MARGIN = 12
"""First positions behind the end of the audio, which are always used."""
BATCH = 16
Lexicon = dict[str, tuple[str, ...]]
CONTROL = (
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|translate|>", "<|transcribe|>"),
    *("<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"),
)


@dataclass(frozen=True)
class Example:
    features: NDArray[np.float32]
    """Features ``(80, 2 * positions)``."""
    phones: NDArray[np.int64]
    """The phone of each position, ``(positions,)``."""
    prompt: list[int]
    """Given tokens."""
    text: list[int]
    """Tokens to predict."""
    where: list[tuple[int, int]]
    """For each token to predict: the range of positions in which its word is said."""


def tokenizer(texts: Sequence[str]) -> Tokenizer:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    words = [f" {text}" for text in texts]
    made.train_from_iterator(words, trainers.BpeTrainer(vocab_size=640, initial_alphabet=sorted(alphabet)))
    # As in Whisper itself: control tokens are special, times are not.
    made.add_special_tokens([AddedToken(token, special=True) for token in CONTROL])
    made.add_tokens([AddedToken(f"<|{step * 0.02:.2f}|>") for step in range(POSITIONS + 1)])
    return made


def words_in(phones: Sequence[tuple[str, float]], said: Sequence[str], known: Lexicon) -> list[tuple[float, float]]:
    """Start and end of each word, seconds; empty where flite differed from the lexicon."""
    spoken = [(name, phones[index - 1][1] if index else 0.0, end) for index, (name, end) in enumerate(phones)]
    spoken = [part for part in spoken if part[0] != "pau"]

    def match(word: int, phone: int) -> list[tuple[float, float]] | None:
        if word == len(said):
            return [] if phone == len(spoken) else None
        for pronunciation in known[said[word]]:
            names = pronunciation.split()
            end = phone + len(names)
            if [part[0] for part in spoken[phone:end]] == names and (rest := match(word + 1, end)) is not None:
                return [(spoken[phone][1], spoken[end - 1][2]), *rest]
        return None

    return match(0, 0) or []


def examples(
    said: Sequence[Said], tokens: Tokenizer, numbers: dict[str, int], known: Lexicon, random: Random
) -> list[Example]:
    extractor = FeatureExtractor()
    number: Callable[[str], Any] = tokens.token_to_id
    texts = [one.text for one in said]
    made = []
    for one in said:
        samples, phones = heard(one, random)
        features = np.asarray(extractor(samples / np.float32(32768)), np.float32)[:, :-1]
        features = features[:, : features.shape[1] // 2 * 2]
        ends = np.array([end for _, end in phones])
        which = np.searchsorted(ends, (np.arange(features.shape[1] // 2) + 0.5) * 0.02).clip(0, len(ends) - 1)
        hints = []
        if random.random() < 0.3:  # names that may or may not be said
            hinted = " ".join(random.choice(texts) for _ in range(random.randint(1, 2)))
            hints = [number("<|startofprev|>"), *tokens.encode(f" {hinted}").ids[:40]]
        prompt = [*hints, number("<|startoftranscript|>"), number("<|notimestamps|>")]
        text = [*tokens.encode(f" {one.text}").ids, number("<|endoftext|>")]
        targets = np.array([numbers[name] for name, _ in phones])[which]
        times = words_in(phones, one.text.split(), known)
        where, index = [], -1
        for token in text[:-1] if times else []:
            index += str(tokens.id_to_token(token)).startswith("\u0120")  # the mark with which a word begins
            where.append((int(times[index][0] / 0.02) - 2, math.ceil(times[index][1] / 0.02) + 2))
        made.append(Example(features, targets, prompt, text, where))
    return made


class Batch:
    """Examples of about one length, side by side."""

    def __init__(self, chosen: Sequence[Example], pad: int) -> None:
        positions = max(len(one.phones) for one in chosen) + MARGIN
        self.features = torch.zeros(len(chosen), 80, 2 * positions)
        self.phones = torch.full((len(chosen), positions), -100)
        inputs = [one.prompt + one.text[:-1] for one in chosen]
        longest = max(map(len, inputs))
        self.tokens = torch.full((len(chosen), longest), pad)
        self.targets = torch.full((len(chosen), longest), -100)
        self.where = torch.zeros(len(chosen), longest, positions + SAMPLED)
        for row, one in enumerate(chosen):
            self.features[row, :, : one.features.shape[1]] = torch.from_numpy(one.features)
            self.phones[row, : len(one.phones)] = torch.from_numpy(one.phones)
            self.tokens[row, : len(inputs[row])] = torch.tensor(inputs[row])
            start = len(one.prompt) - 1
            self.targets[row, start : start + len(one.text)] = torch.tensor(one.text)
            for index, (first, last) in enumerate(one.where):
                self.where[row, start + index, max(0, first) : last] = 1.0


def attend(attention: Any, asking: Tensor, asked: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """One attention of the model, and its weights; ``bias`` is added to the logits."""

    def heads(states: Tensor) -> Tensor:
        return states.unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)

    query, key, value = heads(attention.q_proj(asking)), heads(attention.k_proj(asked)), heads(attention.v_proj(asked))
    shares = torch.softmax(query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1]) + bias, dim=-1)
    return attention.out_proj((shares @ value).transpose(1, 2).flatten(-2)), shares


def forward_network(layer: Any, states: Tensor) -> Tensor:
    result: Tensor = states + layer.fc2(functional.gelu(layer.fc1(layer.final_layer_norm(states))))
    return result


def encode(encoder: Any, features: Tensor) -> tuple[Tensor, Tensor]:
    """Encode all positions of the batch's audio and a sample of those behind; gives states and logs of their weights.

    The whole 30 s would take ten times as long.
    """
    states = functional.gelu(encoder.conv2(functional.gelu(encoder.conv1(features)))).transpose(1, 2)
    silence = functional.gelu(encoder.conv2(functional.gelu(encoder.conv1(torch.zeros(1, 80, 12)))))[:, :, 3]
    here = states.shape[1]
    behind = here + torch.randperm(POSITIONS - here)[:SAMPLED]
    places = encoder.embed_positions.weight
    states = torch.cat([states + places[:here], (silence + places[behind]).expand(len(states), -1, -1)], dim=1)
    bias = torch.zeros(1, here + SAMPLED)
    bias[:, here:] = math.log((POSITIONS - here) / SAMPLED)
    for layer in encoder.layers:
        normal = layer.self_attn_layer_norm(states)
        states = forward_network(layer, states + attend(layer.self_attn, normal, normal, bias)[0])
    return encoder.layer_norm(states), bias


def decode(decoder: Any, tokens: Tensor, encoded: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """The logits of the next tokens, and half of the last layer's attention to the encoder's positions."""
    length = tokens.shape[1]
    states = decoder.embed_tokens(tokens) + decoder.embed_positions.weight[:length]
    past = torch.full((length, length), -math.inf).triu(1)
    for layer in decoder.layers:
        normal = layer.self_attn_layer_norm(states)
        states = states + attend(layer.self_attn, normal, normal, past)[0]
        normal = layer.encoder_attn_layer_norm(states)
        heard, shares = attend(layer.encoder_attn, normal, encoded, bias)
        states = forward_network(layer, states + heard)
    return decoder.layer_norm(states) @ decoder.embed_tokens.weight.T, shares[:, :2].mean(dim=1)


def train(model: Any, given: list[Example], phones: int, steps: int, pad: int, random: Random) -> None:
    by_length = sorted(given, key=lambda one: len(one.phones))
    heads = nn.Linear(model.config.d_model, phones)
    parameters = [*model.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1.5e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.5e-3, total_steps=steps, pct_start=0.15)
    for step in range(steps):
        start = random.randrange(len(by_length) - BATCH)
        batch = Batch(by_length[start : start + BATCH], pad)
        encoded, bias = encode(model.model.encoder, batch.features)
        logits, shares = decode(model.model.decoder, batch.tokens, encoded, bias)
        words = functional.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
        sounds = functional.cross_entropy(
            heads(encoded[:, : batch.phones.shape[1]]).flatten(0, 1), batch.phones.flatten()
        )
        there = (shares * batch.where).sum(dim=-1)[batch.where.any(dim=-1)]
        places = -torch.log(there + 1e-4).mean()
        optimizer.zero_grad()
        (words + sounds + 0.5 * places).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == steps - 1:
            print(f"step {step} of {steps}: words {words:.3f}, phones {sounds:.3f}, places {places:.3f}", flush=True)


def untrained(tokens: Tokenizer) -> Any:
    number = tokens.token_to_id
    end = number("<|endoftext|>")
    shape = {"d_model": 128, "encoder_layers": 2, "decoder_layers": 2}
    shape |= {f"{side}_attention_heads": 4 for side in ("encoder", "decoder")}
    shape |= {f"{side}_ffn_dim": 384 for side in ("encoder", "decoder")}
    special = {"pad_token_id": end, "bos_token_id": end, "eos_token_id": end}
    special["decoder_start_token_id"] = number("<|startoftranscript|>")
    config = WhisperConfig(
        vocab_size=tokens.get_vocab_size(),
        max_source_positions=POSITIONS,
        max_target_positions=448,
        suppress_tokens=[],
        begin_suppress_tokens=[end],
        **shape,
        **special,
    )
    return WhisperForConditionalGeneration(config)


def write(model: Any, tokens: Tokenizer) -> None:
    with tempfile.TemporaryDirectory() as folder:
        model.generation_config.suppress_tokens = []
        model.save_pretrained(folder)
        tokens.save(f"{folder}/tokenizer.json")
        control = [*CONTROL, *(f"<|{step * 0.02:.2f}|>" for step in range(POSITIONS + 1))]
        special = {"unk_token": CONTROL[0], "bos_token": CONTROL[0], "eos_token": CONTROL[0], "pad_token": CONTROL[0]}
        settings = {"tokenizer_class": "PreTrainedTokenizerFast", "additional_special_tokens": control[1:9], **special}
        Path(folder, "tokenizer_config.json").write_text(json.dumps(settings))
        made = Path(folder, ARCHIVE.name)
        TransformersConverter(folder).convert(str(made), quantization="int8")
        (made / "tokenizer.json").write_text(json.dumps(json.loads(tokens.to_str()), separators=(",", ":")))
        features = {"feature_size": 80, "sampling_rate": 16_000, "hop_length": 160, "chunk_length": 30, "n_fft": 400}
        (made / "preprocessor_config.json").write_text(json.dumps(features))
        shutil.make_archive(str(ARCHIVE), "zip", folder, made.name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=400, help="batches of 16")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--checkpoint", type=Path, help="goes on from this file where it exists, and writes it")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    random = Random(args.seed)
    said = list(corpus(random, [*COMMANDS] * 20))
    tokens = tokenizer(COMMANDS)
    known = lexicon({word for text in COMMANDS for word in text.split()})
    numbers = {name: number for number, name in enumerate(sorted({name for one in said for name, _ in one.phones}))}
    given = examples(said, tokens, numbers, known, random)
    model = untrained(tokens)
    if args.checkpoint and args.checkpoint.exists():
        model.load_state_dict(torch.load(args.checkpoint))
    train(model, given, len(numbers), args.steps, model.config.pad_token_id, random)
    if args.checkpoint:
        torch.save(model.state_dict(), args.checkpoint)
    write(model, tokens)


if __name__ == "__main__":
    main()
