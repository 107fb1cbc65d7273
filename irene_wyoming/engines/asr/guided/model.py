"""Moonshine: a speech recogniser of two networks, an encoder of sound and a decoder of tokens, run by onnxruntime.

The networks are those of N. Jeffries et al., 2024, "Moonshine: Speech Recognition for Live Transcription and Voice
Commands". The decoder says how likely each token is to come next, so that several ways to go on can be compared.
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
"""The Python package whose wheel carries the model. It is looked up and never imported: that would need PortAudio."""

ENCODER, DECODER, TOKENIZER = "encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"

STRIDE = 384
"""Samples of one frame of the encoder. The decoder takes a mask of samples, of which it looks at every 384th."""

SHORTEST = 1_024
"""Samples that the encoder needs at least; it fails on less."""

REINSTALL = "pip install --force-reinstall 'moonshine-voice==0.0.73'"

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sound:
    """One piece of audio as the decoder attends to it."""

    keys: dict[str, Array]
    """By name of the decoder's input: (1, heads, frames, size)."""
    seconds: float
    begun: "tuple[Array, Past]"
    """What ``step`` would give for the first token, which comes along: (1, 1, tokens), and the memory with it."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the decoder remembers of the tokens of each row."""

    keys: tuple[Array, ...]
    """Each (rows, heads, tokens, size)."""

    def rows(self, which: Sequence[int]) -> "Past":
        """The same for other rows, each a copy of one of these."""
        order = np.asarray(which, np.intp)
        return Past(tuple(key[order] for key in self.keys))


LOADING = Lock()
"""Held while a model is loaded: whoever wants the same one meanwhile waits for it."""


class Moonshine:
    """A loaded model. It may be used by several threads at once.

    :param threads: of one call. None: one, which for commands is as fast as two and leaves the others their cores.
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
        self._unused = np.zeros((1, 1, hidden.shape[2]), np.float32)  # later steps look at the keys instead
        self._nothing = np.zeros((1, heads, 0, size), np.float32)

    def listen(self, samples: Array) -> Sound:
        """Run the encoder, once for a piece of audio.

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
        """The memory before the first token, of one row."""
        return Past((self._nothing,) * len(self._own))

    def step(self, sound: Sound, ids: NDArray[np.int64], past: Past) -> tuple[Array, Past]:
        """How likely each token is to come next.

        The weights are 8 bit and activations are quantised over all rows together, so that rows disturb each other a
        little: by some hundredths.

        :param ids: (rows, steps), the tokens that come after ``past``.
        :return: natural logarithms of probabilities, (rows, steps, tokens); and the memory with these tokens in it.
        :raises EngineFailed: the network breaks.
        """
        # Keys of the sound have one row, which the network's products spread over all rows by themselves.
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
    """Natural logarithms of probabilities, in place: (rows, steps, tokens)."""
    for row in logits.reshape(-1, logits.shape[-1]):  # one by one they stay in the processor's cache
        row -= row.max()
        row -= np.log(np.exp(row).sum())
    return logits


LOADED: WeakValueDictionary[tuple[Path, int], Moonshine] = WeakValueDictionary()
"""By folder and threads; a model goes with the last who uses it."""


def shared(folder: Path, threads: int = 1) -> Moonshine:
    """The model of a folder, which all who ask for it in this process have in common. Slow where nobody has it yet.

    :raises EngineUnavailable: as ``Moonshine``.
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
    options.enable_cpu_mem_arena = False  # it keeps the most that was ever used, and speeds nothing up here
    options.log_severity_level = 3  # errors; they come as exceptions, too
    return options


def session(file: Path, options: onnxruntime.SessionOptions, advice: str) -> onnxruntime.InferenceSession:
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library has a dozen classes of its own
        raise EngineUnavailable(f"guided: {file} is cut short or no network: {short(error)}; {advice}") from error


def run(network: onnxruntime.InferenceSession, wanted: list[str] | None, feeds: dict[str, Any]) -> list[Any]:
    try:
        found: list[Any] = network.run(wanted, feeds)
    except Exception as error:  # likewise
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
