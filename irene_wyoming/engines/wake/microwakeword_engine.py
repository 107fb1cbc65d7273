"""microWakeWord on the library and models of pymicro-wakeword: audio -> spectral features -> one model per word.

The models keep state between two calls, so every stream has an interpreter per word; the files are in memory once.
A session for several words shares one pass of features. Features come every 160 frames (10 ms), a model takes three of
them at a time (30 ms), and a score is the mean of its last few probabilities.
"""

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymicro_features import MicroFrontend

from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.engines.base import NO_SETTINGS, ModelInfo, OnScore, Score, WakeSettings
from irene_wyoming.engines.wake.session import Session
from irene_wyoming.engines.wake.tflite import Interpreter, Model, Runtime
from irene_wyoming.engines.wake.trigger import TriggerSettings
from irene_wyoming.engines.wake.words import PHRASES, chosen
from irene_wyoming.errors import EngineFailed, EngineUnavailable

HOP = 160
"""Frames, 10 ms: one row of features."""
HOP_BYTES = HOP * SPEECH.frame_bytes
FIRST_HOPS = 2
"""Hops before the first row of features: its window is three hops long."""
FEATURES = 40
"""Values in a row."""
DEFAULT_STRIDE = 3
"""Rows that a packaged model takes at a time."""
MAX_STRIDE = 10
"""Rows that a model may take at a time."""
MAX_SLIDING_WINDOW = 100
"""Probabilities that may go into one mean, 3 s."""


@dataclass(frozen=True, slots=True)
class WordConfig:
    """What the .json file beside a model says about it."""

    info: ModelInfo
    model: Path
    cutoff: float
    """Mean probability from which the word counts as heard."""
    sliding_window: int
    """Probabilities in a mean."""

    @classmethod
    def read(cls, path: Path) -> "WordConfig":
        """:raises EngineFailed: the file cannot be read, or a value is missing or out of range."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            micro = data["micro"]
            config = cls(
                _info(path.stem, data),
                path.parent / str(data["model"]),
                float(micro["probability_cutoff"]),
                int(micro["sliding_window_size"]),
            )
        except (OSError, ValueError, OverflowError, KeyError, TypeError) as error:
            raise EngineFailed(f"{path}: no description of a microWakeWord model: {error!r}") from error
        if not 0 < config.cutoff <= 1:
            raise EngineFailed(f"{path}: probability_cutoff {config.cutoff}: expected a number above 0, up to 1")
        if not 1 <= config.sliding_window <= MAX_SLIDING_WINDOW:
            raise EngineFailed(
                f"{path}: sliding_window_size {config.sliding_window}: expected 1 to {MAX_SLIDING_WINDOW}"
            )
        return config


def _info(name: str, data: Mapping[str, Any]) -> ModelInfo:
    phrase = str(data["wake_word"])
    return ModelInfo(
        name=name,
        languages=tuple(str(language) for language in data.get("trained_languages", ["en"])),
        description=f"{phrase} (microWakeWord)",
        author=str(data.get("author", "unknown")),
        url=str(data.get("website", "")),
        phrase=phrase,
        version=str(data["version"]) if "version" in data else None,
    )


class Word:
    """The model of one word in one stream: rows of features into a mean probability."""

    def __init__(self, model: Model, sliding_window: int) -> None:
        """:raises EngineFailed: the model does not work, or is none of microWakeWord's."""
        with ExitStack() as undo:
            # Plain: XNNPACK saves 0.02 ms of each 30 ms, but takes 0.25 instead of 0.13 MB per stream and word.
            self._interpreter = undo.enter_context(closing(Interpreter(model)))
            self._input, self._output = self._interpreter.input, self._interpreter.output
            shape = self._input.array.shape
            stride = shape[1] if len(shape) == 3 and 1 <= shape[1] <= MAX_STRIDE else DEFAULT_STRIDE
            self._interpreter.expect((1, stride, FEATURES), (1, 1), quantized=True)
            self._release = undo.pop_all()
        self._limits = np.iinfo(self._input.array.dtype)
        self._rows = np.empty((stride, FEATURES))
        self._filled = 0
        self._sliding_window = sliding_window
        self._probabilities: deque[float] = deque(maxlen=sliding_window)

    @property
    def needs(self) -> int:
        """Rows that are missing to the next probability."""
        return len(self._rows) - self._filled

    def push(self, row: NDArray[np.float64]) -> float | None:
        """``row``: (FEATURES,). The score; None while the model waits for more rows, 0 until a whole window of
        probabilities is there."""
        self._rows[self._filled] = row
        self._filled += 1
        if self._filled < len(self._rows):
            return None
        self._filled = 0
        self._probabilities.append(self._probability())
        if len(self._probabilities) < self._sliding_window:
            return 0.0
        return sum(self._probabilities) / self._sliding_window

    def close(self) -> None:
        self._release.close()

    def _probability(self) -> float:
        rows = self._rows
        rows /= self._input.scale
        rows += self._input.zero_point
        np.rint(rows, out=rows)
        np.maximum(rows, self._limits.min, out=rows)
        np.minimum(rows, self._limits.max, out=rows)
        self._input.array[0] = rows
        self._interpreter.invoke()
        return (int(self._output.array[0, 0]) - self._output.zero_point) * self._output.scale


class MicroWakeWordStream:
    """A ScoreStream with a step whenever a word's model has its rows: every third hop."""

    def __init__(self, words: Mapping[str, Word]) -> None:
        """``words``: now the stream's, which closes them."""
        self._words = words
        self._frontend: MicroFrontend | None = MicroFrontend()  # None: closed
        self._rest = b""
        """Less than a hop."""
        self._frame = 0

    @property
    def needs(self) -> int:
        hops = min(word.needs for word in self._words.values())
        hops += max(0, FIRST_HOPS - self._frame // HOP)
        return hops * HOP - len(self._rest) // SPEECH.frame_bytes

    def push(self, pcm: bytes) -> Iterator[Score]:
        assert self._frontend is not None
        pcm = self._rest + pcm
        end = len(pcm) - len(pcm) % HOP_BYTES
        self._rest = pcm[end:]
        for start in range(0, end, HOP_BYTES):
            self._frame += HOP
            features = self._frontend.process_samples(pcm[start : start + HOP_BYTES]).features
            if not features:
                continue  # its first window is not full yet: 30 ms
            row = np.array(features)
            for name, word in self._words.items():
                score = word.push(row)
                if score is not None:
                    yield Score(name, score, self._frame)

    def close(self) -> None:
        for word in self._words.values():
            word.close()
        self._frontend = None

    def __del__(self) -> None:
        # The frontend's C++ destructor wipes out the exception that is just being raised, if any; this method runs
        # with that one put aside.
        self._frontend = None


class MicroWakeWord:
    """The engine: packaged models, read once."""

    name = "microwakeword"
    format: AudioFormat = SPEECH

    def __init__(self, package: Path, settings: TriggerSettings) -> None:
        """``package``: the folder of pymicro-wakeword.

        :raises EngineUnavailable: it has no library that works here, or no models.
        :raises EngineFailed: a model or its description is damaged.
        """
        self._settings = settings
        folder = package / "models"
        self._configs = {word: WordConfig.read(path) for word in PHRASES if (path := folder / f"{word}.json").is_file()}
        if not self._configs:
            raise EngineUnavailable(f"{folder}: no wake word models; reinstall pymicro-wakeword")
        runtime = Runtime.of_package(package)
        # All of them: together a quarter of a megabyte and 2 ms, and a damaged file shows at start.
        self._models = {word: Model(runtime, config.model) for word, config in self._configs.items()}

    def models(self) -> list[ModelInfo]:
        return [config.info for config in self._configs.values()]

    def session(
        self,
        models: Sequence[str],
        settings: Mapping[str, WakeSettings] = NO_SETTINGS,
        on_score: OnScore | None = None,
    ) -> Session:
        """:raises EngineFailed: a word's model does not work, or the engine is closed."""
        words: dict[str, Word] = {}
        with ExitStack() as undo:
            for name in chosen(models, self._configs, self.name):
                words[name] = Word(self._models[name], self._configs[name].sliding_window)
                undo.callback(words[name].close)
            undo.pop_all()
        triggers = {name: self._settings.trigger(self._configs[name].cutoff, settings.get(name)) for name in words}
        return Session(MicroWakeWordStream(words), triggers, on_score)

    def close(self) -> None:
        """Sessions still open go on working. May be called more than once."""
        for model in self._models.values():
            model.close()
