"""Moonshine: a speech recogniser of two networks, an encoder of sound and a decoder of tokens, run by onnxruntime.

The networks are those of N. Jeffries et al., 2024, "Moonshine: Speech Recognition for Live Transcription and Voice
Commands". The decoder gives the probability of each next token, so that several continuations can be compared.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from irene_wyoming import cores
from irene_wyoming.engines.asr.guided import tokens
from irene_wyoming.errors import EngineFailed, EngineUnavailable

log = logging.getLogger(__name__)

PACKAGE = "moonshine_voice"
"""The Python package whose wheel has the model. It is never imported, since that would need PortAudio."""

ENCODER, DECODER, TOKENIZER = "encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"

STRIDE = 384
"""Samples of one frame of the encoder. The decoder takes a mask of samples and looks at every 384th."""

SHORTEST = 1_024
"""Least number of samples for the encoder, which fails on fewer."""

REINSTALL = "pip install --force-reinstall 'moonshine-voice==0.0.73'"

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sound:
    """A piece of audio in the form for the decoder."""

    keys: dict[str, Array]
    """Keys and values of attention by the decoder's input: ``(1, heads, frames, size)``."""
    seconds: float
    begun: "tuple[Array, Past]"
    """The output of ``step`` for the first token, computed with it: ``(1, 1, tokens)`` and the memory."""


@dataclass(frozen=True, slots=True)
class Past:
    """The decoder's memory of the tokens of each row."""

    keys: tuple[Array, ...]
    """Keys and values, each ``(rows, heads, tokens, size)``."""

    def rows(self, which: Sequence[int]) -> "Past":
        """The memory for other rows, each a copy of one of these."""
        order = np.asarray(which, np.intp)
        return Past(tuple(key[order] for key in self.keys))


LOADING = Lock()
"""Held while a model is loaded; others who want the same one wait for it."""


class Moonshine:
    """A loaded model, which several threads may use at once.

    :param threads: threads of one call. None: one, which is as fast as two for commands.
    :raises EngineUnavailable: a file is missing or broken; the message names it and says what to do.
    """

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        advice = REINSTALL if PACKAGE in folder.parts else "fetch the model again or give another folder"
        for name in (ENCODER, DECODER, TOKENIZER):
            if not (folder / name).is_file():
                raise EngineUnavailable(f"guided: {folder} has no {name}, so it is no model of this engine; {advice}")
        try:
            self.tokens = tokens.read(folder / TOKENIZER)
        except (OSError, ValueError, IndexError) as error:
            raise EngineUnavailable(f"guided: {folder / TOKENIZER}: {error}; {advice}") from error
        options = settings(min(threads or 1, cores.granted()))
        self._encoder = session(folder / ENCODER, options, advice)
        self._decoder = session(folder / DECODER, options, advice)
        past = [entry for entry in self._decoder.get_inputs() if entry.name.startswith("past_key_values.")]
        self._own = [entry.name for entry in past if ".decoder." in entry.name]
        self._heard = [entry.name for entry in past if ".encoder." in entry.name]
        outputs = [output.name.replace("present.", "past_key_values.") for output in self._decoder.get_outputs()]
        if not self._own or outputs[0] != "logits":
            raise EngineUnavailable(f"guided: {folder / DECODER} is no decoder of a Moonshine model; {advice}")
        self._places = {name: place for place, name in enumerate(outputs)}
        self._later = ["logits", *(name.replace("past_key_values.", "present.") for name in self._own)]
        _, heads, _, size = past[0].shape
        hidden = next(entry for entry in self._decoder.get_inputs() if entry.name == "encoder_hidden_states")
        self._unused = np.zeros((1, 1, hidden.shape[2]), np.float32)  # later steps use the keys instead
        self._nothing = np.zeros((1, heads, 0, size), np.float32)

    def listen(self, samples: Array) -> Sound:
        """Run the encoder on a piece of audio.

        :param samples: 16 kHz, mono, full scale 1.
        :raises EngineFailed: the network breaks.
        """
        audio = samples if len(samples) >= SHORTEST else np.pad(samples, (0, SHORTEST - len(samples)))
        audio = np.ascontiguousarray(audio, np.float32)[None]
        mask = np.ones(audio.shape, np.int64)
        (hidden,) = run(self._encoder, None, {"input_values": audio, "attention_mask": mask})
        feeds = self._feeds(np.array([[tokens.START]]), hidden, first=True)
        feeds.update(dict.fromkeys([*self._own, *self._heard], self._nothing))
        found = run(self._decoder, None, feeds)
        keys = {name: found[self._places[name]] for name in self._heard}
        past = Past(tuple(found[self._places[name]] for name in self._own))
        return Sound(keys, len(samples) / 16_000, (normalised(found[0]), past))

    def begin(self) -> Past:
        """The memory before the first token, for one row."""
        return Past((self._nothing,) * len(self._own))

    def step(self, sound: Sound, ids: NDArray[np.int64], past: Past) -> tuple[Array, Past]:
        """Compute the probability of each next token.

        Activations are quantised over all rows together, so rows change each other's results by some hundredths.

        :param ids: tokens after ``past``, ``(rows, steps)``.
        :return: natural logarithms of probabilities ``(rows, steps, tokens)``, and the memory with these tokens.
        :raises EngineFailed: the network breaks.
        """
        # Keys of the sound have one row, which the network's products broadcast over all rows.
        feeds = self._feeds(ids, self._unused, first=False)
        feeds.update(sound.keys)
        feeds.update(zip(self._own, past.keys, strict=True))
        logits, *keys = run(self._decoder, self._later, feeds)
        return normalised(logits), Past(tuple(keys))

    def _feeds(self, ids: NDArray[np.int64], hidden: Array, *, first: bool) -> dict[str, Any]:
        return {
            "input_ids": ids,
            "encoder_hidden_states": hidden,
            "encoder_attention_mask": np.ones((1, hidden.shape[1] * STRIDE), np.int64),
            "use_cache_branch": np.array([not first]),
        }


def normalised(logits: Array) -> Array:
    """Turn logits ``(rows, steps, tokens)`` into natural logarithms of probabilities, in place."""
    for row in logits.reshape(-1, logits.shape[-1]):  # row by row they stay in the processor's cache
        row -= row.max()
        row -= np.log(np.exp(row).sum())
    return logits


LOADED: WeakValueDictionary[tuple[Path, int], Moonshine] = WeakValueDictionary()
"""Loaded models by folder and threads; a model is freed with its last user."""


def shared(folder: Path, threads: int = 1) -> Moonshine:
    """The model of a folder, shared within this process. Slow where it is not loaded yet.

    :raises EngineUnavailable: a file is missing or broken.
    """
    with LOADING:
        model = LOADED.get((folder, threads))
        if model is None:
            model = LOADED[folder, threads] = Moonshine(folder, threads)
    return model


def settings(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it keeps the most memory ever used, and speeds nothing up here
    options.log_severity_level = 3  # errors only, which are also raised
    return options


def session(file: Path, options: onnxruntime.SessionOptions, advice: str) -> onnxruntime.InferenceSession:
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library has a dozen classes of errors
        raise EngineUnavailable(f"guided: {file} is cut short or no network: {short(error)}; {advice}") from error


def run(network: onnxruntime.InferenceSession, wanted: list[str] | None, feeds: dict[str, Any]) -> list[Any]:
    try:
        found: list[Any] = network.run(wanted, feeds)
    except Exception as error:  # the library has a dozen classes of errors
        raise EngineFailed(f"guided: {short(error)}") from error
    return found


def short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def packaged() -> Path:
    """The folder of the model that comes with the installed packages.

    :raises EngineUnavailable: there is none.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise EngineUnavailable(f"guided: the package moonshine-voice is not installed; {REINSTALL}")
    folder = Path(spec.origin).parent / "assets" / "tiny-en"
    if not folder.is_dir():
        raise EngineUnavailable(
            f"guided: {folder} is not there: this moonshine-voice carries no model, 0.0.73 does; {REINSTALL}"
        )
    return folder
