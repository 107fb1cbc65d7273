"""microWakeWord on the library and models of pymicro-wakeword: audio -> spectral features -> one model per word.

The models keep state between two calls, so every stream has an interpreter per word; the files are in memory once.
A session for several words shares one pass of features. Features come every 160 frames (10 ms), a model takes three of
them at a time (30 ms), and a score is the mean of its last few probabilities.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pymicro_features import MicroFrontend

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.base import ModelInfo, Score
from irene_wyoming.engines.wake.folders import Folders, word_name
from irene_wyoming.engines.wake.library import Library, LibraryEngine, OwnModel
from irene_wyoming.engines.wake.manifest import read_manifest
from irene_wyoming.engines.wake.names import is_helper
from irene_wyoming.engines.wake.tflite import Interpreter, Model, Runtime, read_model
from irene_wyoming.engines.wake.trigger import TriggerSettings
from irene_wyoming.engines.wake.words import PHRASES
from irene_wyoming.errors import EngineFailed, EngineUnavailable

TRIAL = "irene_wyoming.engines.wake.microwakeword.trial:tflite"
"""The test of a user's own model."""
HOP = 160
"""Frames from one row of features to the next, 10 ms."""
HOP_MS = 10
HOP_BYTES = HOP * SPEECH.frame_bytes
FIRST_HOPS = 2
"""Hops before the first row of features, whose window is three hops long."""
FEATURES = 40
"""Number of values in a row of features."""
DEFAULT_STRIDE = 3
"""Rows that a packaged model takes at a time."""
MAX_STRIDE = 10
"""Most rows that a model may take at a time."""
ROUNDING = 1e-6
"""Tolerance of sums of probabilities: far above their rounding errors, far below their differences."""


def read_description(path: Path) -> OwnModel:
    """Read a model and the .json file that describes it.

    :raises EngineFailed: a file cannot be read, or a value is missing or out of range.
    """
    said = read_manifest(path, "micro")
    assert said.cutoff is not None
    info = ModelInfo(
        name=path.stem,
        languages=said.languages,
        description=f"{said.phrase} (microWakeWord)",
        author=said.author,
        url=said.url,
        phrase=said.phrase,
        version=said.version,
        threshold=said.cutoff,
        spellings=said.spellings,
    )
    content = read_model(said.model)
    return OwnModel(info, (path, said.model), content, TRIAL, said.cutoff, said.sliding_window, said.step_ms)


def read_packaged(path: Path) -> OwnModel:
    """Read a packaged model; raises EngineFailed where a file or a value is wrong."""
    model = read_description(path)
    return replace(model, info=replace(model.info, licence="Apache-2.0"))


def read_own(path: Path) -> OwnModel | None:
    """The Reader of users' own models: a .json file and the model that it names. Helpers are ignored.

    :raises EngineFailed: a file or value is wrong, a model has no description, or its name is unusable.
    """
    if is_helper(path.stem):
        return None
    if path.suffix.lower() != ".json":
        if path.with_suffix(".json").exists():
            return None
        raise EngineFailed(f"{path}: a microWakeWord model needs its description beside it: {path.stem}.json")
    name = word_name(path)
    if not name:
        raise EngineFailed(f"{path}: a word is called by its file's name, and this one has no letter or digit")
    model = read_description(path)
    return replace(model, info=replace(model.info, name=name))


class Word:
    """The model of one word in one stream. It turns rows of features into a mean probability."""

    def __init__(self, model: Model, sliding_window: int, step_ms: int | None = HOP_MS) -> None:
        """:param step_ms: milliseconds between two rows; None: 20 for models of one row, as of the first generation,
            else 10.
        :raises EngineFailed: the model does not work, or is not microWakeWord's.
        """
        with ExitStack() as undo:
            # No XNNPACK: it saves 0.02 ms of each 30 ms, but takes 0.25 instead of 0.13 MB per stream and word.
            self._interpreter = undo.enter_context(closing(Interpreter(model)))
            self._input, self._output = self._interpreter.input, self._interpreter.output
            shape = self._input.array.shape
            stride = shape[1] if len(shape) == 3 and 1 <= shape[1] <= MAX_STRIDE else DEFAULT_STRIDE
            self._interpreter.expect((1, stride, FEATURES), (1, 1), quantized=True)
            self._release = undo.pop_all()
        limits = np.iinfo(self._input.array.dtype)
        self._least, self._most = limits.min, limits.max
        most = np.iinfo(self._output.array.dtype).max
        self._highest = (most - self._output.zero_point) * self._output.scale
        """Highest probability that the model can give."""
        self._stride = stride
        self._every = (step_ms or (2 * HOP_MS if stride == 1 else HOP_MS)) // HOP_MS
        """One of this many rows is taken."""
        self._seen = 0
        """Rows since the last step."""
        self._size = stride * FEATURES
        self._values: list[float] = []
        """Values of the rows that wait for the next step."""
        self._sliding_window = sliding_window
        self._probabilities: deque[float] = deque(maxlen=sliding_window)

    def rows_to(self, step: int) -> int:
        """Rows missing for a step; the coming one is 1."""
        return step * self._stride * self._every - self._seen

    def steps_to(self, score: float) -> int:
        """Least steps until the mean can reach this score, with the highest possible probabilities; at least 1."""
        wanted = score * self._sliding_window - ROUNDING
        total = sum(self._probabilities)
        missing = self._sliding_window - len(self._probabilities)
        for step in range(1, self._sliding_window):
            if step > missing:
                total -= self._probabilities[step - missing - 1]
            if step >= missing and total + step * self._highest >= wanted:
                return step
        return self._sliding_window

    def push(self, rows: Iterable[Iterable[float]]) -> Sequence[tuple[int, float]]:
        """Take any number of rows of FEATURES values. Gives for each completed step its last row and the score, which
        is 0 until the window of probabilities is full.
        """
        row = -self._seen - 1  # number of earlier rows
        for values in rows:
            self._seen += 1
            if self._seen % self._every == 0:
                self._values.extend(values)
        if len(self._values) < self._size:
            return ()
        scores = []
        for step in self._quantized():
            row += self._stride * self._every
            self._seen -= self._stride * self._every
            scores.append((row, self._score(step)))
        return scores

    def close(self) -> None:
        self._release.close()

    def _quantized(self) -> NDArray[np.float64]:
        """The complete steps quantised for the model, ``(steps, stride, FEATURES)``. All at once: numpy takes as long
        for one.
        """
        whole = len(self._values) // self._size * self._size
        rows = np.fromiter(self._values[:whole], np.float64, whole)
        del self._values[:whole]
        rows /= self._input.scale
        rows += self._input.zero_point
        np.rint(rows, out=rows)
        np.maximum(rows, self._least, out=rows)
        np.minimum(rows, self._most, out=rows)
        return rows.reshape(-1, self._stride, FEATURES)

    def _score(self, rows: NDArray[np.float64]) -> float:
        """Run the model for one step."""
        self._input.array[...] = rows
        self._interpreter.invoke()
        probability = (int(self._output.array[0, 0]) - self._output.zero_point) * self._output.scale
        self._probabilities.append(probability)
        if len(self._probabilities) < self._sliding_window:
            return 0.0
        return sum(self._probabilities) / self._sliding_window


class MicroWakeWordStream:
    """A ScoreStream with a step whenever a word's model has its rows: usually every third hop."""

    def __init__(self, words: Mapping[str, Word]) -> None:
        """:param words: models by word; the stream closes them."""
        self._words = words
        self._frontend: MicroFrontend | None = MicroFrontend()  # None: the stream is closed
        self._rest = b""
        """Audio of less than a hop."""
        self._frame = 0

    @property
    def needs(self) -> int:
        return min(self.frames_to(word, 1) for word in self._words)

    def steps_to(self, word: str, score: float, /) -> int:
        return self._words[word].steps_to(score)

    def frames_to(self, word: str, step: int, /) -> int:
        hops = self._words[word].rows_to(step) + max(0, FIRST_HOPS - self._frame // HOP)
        return hops * HOP - len(self._rest) // SPEECH.frame_bytes

    def push(self, pcm: bytes) -> list[Score]:
        assert self._frontend is not None
        process = self._frontend.process_samples
        pcm = self._rest + pcm
        end = len(pcm) - len(pcm) % HOP_BYTES
        self._rest = pcm[end:]
        rows = []
        for start in range(0, end, HOP_BYTES):
            row = process(pcm[start : start + HOP_BYTES]).features
            if row:  # its first window is full: 30 ms
                rows.append(row)
        self._frame += end // SPEECH.frame_bytes
        first = self._frame - (len(rows) - 1) * HOP  # where the first of them ends
        scores = []
        for name, word in self._words.items():
            for number, score in word.push(rows):
                scores.append(Score(name, score, first + number * HOP))
        if len(self._words) > 1:
            scores.sort(key=attrgetter("frame"))
        return scores

    def close(self) -> None:
        for word in self._words.values():
            word.close()
        self._frontend = None

    def __del__(self) -> None:
        # The frontend's C++ destructor would clear an exception that is being raised; this method runs with that
        # exception set aside.
        self._frontend = None


class MicroWakeWord(LibraryEngine[OwnModel]):
    """The engine: packaged models, read once, and the user's own, which win over packaged ones of the same name."""

    name = "microwakeword"

    def __init__(self, package: Path, settings: TriggerSettings, folders: Sequence[Path] = ()) -> None:
        """:param package: the folder of pymicro-wakeword.
        :param folders: folders of the user's own models.
        :raises EngineUnavailable: the package has no library that works here, or no models.
        :raises EngineFailed: a packaged model or its description is damaged.
        """
        folder = package / "models"
        packaged = {word: read_packaged(path) for word in PHRASES if (path := folder / f"{word}.json").is_file()}
        if not packaged:
            raise EngineUnavailable(f"{folder}: no wake word models; reinstall pymicro-wakeword")
        self._runtime = Runtime.of_package(package)
        # All models: together a quarter of a megabyte and 2 ms, and a damaged file is noticed at the start.
        self._models = {model: self._load(model) for model in packaged.values()}
        super().__init__(packaged, Library(self.name, Folders(folders, (".json", ".tflite")), read_own), settings)

    def models(self) -> list[ModelInfo]:
        return [model.info for model in self._words.values()]

    def close(self) -> None:
        """Close the engine. Open sessions go on working. May be called more than once."""
        self._closed = True
        for model in self._models.values():
            model.close()

    def _stream(self, words: Mapping[str, OwnModel]) -> MicroWakeWordStream:
        loaded: dict[str, Word] = {}
        with ExitStack() as undo:
            for name, model in words.items():
                loaded[name] = Word(self._model(model), model.sliding_window, model.step_ms)
                undo.callback(loaded[name].close)
            undo.pop_all()
        return MicroWakeWordStream(loaded)

    def _model(self, source: OwnModel) -> Model:
        if source not in self._models:
            for old in self._models.keys() - self._words.values() - {source}:
                del self._models[old]  # freed when the last stream that uses it has ended
            self._models[source] = self._load(source)
        return self._models[source]

    def _load(self, source: OwnModel) -> Model:
        return Model(self._runtime, source.files[1], source.content)
