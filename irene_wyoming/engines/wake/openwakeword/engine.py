"""openWakeWord on the library and models of pyopen-wakeword: audio -> mel frames -> embeddings -> one head per word.

None of the graphs keeps state between two calls, so one set of interpreters serves all sessions, and what a stream
remembers is three numpy arrays of together 20 kB. A session for several words shares one pass of features.

Every 1280 frames (a hop) the last 1760 frames become 8 mel frames, the last 76 mel frames one embedding, and
the last 16 embeddings one score per word. The window looks back, so a hop's score needs no audio after it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.engines.base import ModelInfo, Score
from irene_wyoming.engines.wake.folders import Folders
from irene_wyoming.engines.wake.library import Library, LibraryEngine, OwnModel
from irene_wyoming.engines.wake.openwakeword.words import ONNX, SUFFIXES, THRESHOLD, infos, packaged, read_own
from irene_wyoming.engines.wake.tflite import Interpreter, Model, Runtime
from irene_wyoming.engines.wake.trigger import TriggerSettings
from irene_wyoming.errors import EngineUnavailable

Samples = NDArray[np.int16]
Floats = NDArray[np.float32]

HOP = 1280
"""Frames per step, 80 ms."""
WINDOW = 1760
"""Frames that the models see at a time, 110 ms. The first 480 are the end of the hop before."""
MEL_STEP = 8
"""Mel frames per hop, 10 ms each."""
MEL_FRAMES = 76
MEL_BANDS = 32
EMBEDDING_SIZE = 96
EMBEDDINGS = 16
"""Embeddings that a packaged head looks at."""
MAX_EMBEDDINGS = 128
"""Most embeddings that a head may look at, 10 s: a stream's memory grows with them."""


class Features:
    """The two feature models: a window of audio into mel frames, a stretch of mel frames into an embedding."""

    def __init__(self, runtime: Runtime, folder: Path) -> None:
        """Load the models; raises EngineFailed where one is missing, damaged, or of another kind."""
        with ExitStack() as undo:
            # XNNPACK: 0.11 instead of 0.20 ms for the mel frames, 1.0 instead of 3.4 ms for the embedding.
            with closing(Model(runtime, folder / "melspectrogram.tflite")) as model:
                self._mel = undo.enter_context(closing(Interpreter(model, input_shape=(1, WINDOW), xnnpack=True)))
            self._mel.expect((1, WINDOW), (1, 1, MEL_STEP, MEL_BANDS))
            with closing(Model(runtime, folder / "embedding_model.tflite")) as model:
                self._embedding = undo.enter_context(closing(Interpreter(model, xnnpack=True, slow=True)))
            self._embedding.expect((1, MEL_FRAMES, MEL_BANDS, 1), (1, 1, 1, EMBEDDING_SIZE))
            self._release = undo.pop_all()

    def mel(self, window: Samples, out: Floats) -> None:
        """Compute mel frames: ``(WINDOW,)`` into ``(MEL_STEP, MEL_BANDS)``."""
        self._mel.input.array[0] = window
        self._mel.invoke()
        # The scale on which the embedding model was trained.
        np.divide(self._mel.output.array[0, 0], 10.0, out=out)
        out += 2.0

    def embedding(self, mels: Floats, out: Floats) -> None:
        """Compute an embedding: ``(MEL_FRAMES, MEL_BANDS)`` into ``(EMBEDDING_SIZE,)``."""
        self._embedding.input.array[0, :, :, 0] = mels
        self._embedding.invoke()
        out[:] = self._embedding.output.array[0, 0, 0]

    def close(self) -> None:
        self._release.close()


class Head:
    """The model of one word. It turns embeddings into a score."""

    def __init__(self, runtime: Runtime, path: Path, content: bytes | None = None) -> None:
        """:param content: the file's content, where it has been read already.
        :raises EngineFailed: the file is missing, damaged, or no model of a wake word.
        """
        with ExitStack() as undo:
            # No XNNPACK: it gains a few microseconds and keeps a second copy of the weights, up to 1.2 MB a word.
            with closing(Model(runtime, path, content)) as model:
                self._interpreter = undo.enter_context(closing(Interpreter(model)))
            shape = self._interpreter.input.array.shape
            self.embeddings = shape[1] if len(shape) == 3 and shape[1] <= MAX_EMBEDDINGS else 0
            """How many of the last embeddings it looks at."""
            self._interpreter.expect((1, self.embeddings or EMBEDDINGS, EMBEDDING_SIZE), (1, 1))
            self._release = undo.pop_all()

    def score(self, embeddings: Floats) -> float:
        """Score embeddings ``(self.embeddings or more, EMBEDDING_SIZE)``, 0 to 1."""
        self._interpreter.input.array[0] = embeddings[-self.embeddings :]
        self._interpreter.invoke()
        return float(self._interpreter.output.array[0, 0])

    def close(self) -> None:
        self._release.close()


class WordHead(Protocol):
    """The model of one word, in any runtime."""

    @property
    def embeddings(self) -> int:
        """Number of last embeddings that it looks at."""

    def score(self, embeddings: Floats) -> float:
        """Score embeddings ``(self.embeddings or more, EMBEDDING_SIZE)``, 0 to 1."""

    def close(self) -> None:
        """Close the model. May be called more than once."""


class Watching:
    """A head that scores nothing, for callers that want the embeddings themselves."""

    embeddings = 1

    def score(self, embeddings: Floats) -> float:  # noqa: ARG002  # of the protocol
        return 0.0

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""


class Silence:
    """The silence before a stream: computed once, copied by every stream.

    An empty buffer of zeros is unknown to the models: with one alexa and hey_mycroft score 0.97 within half a second.
    """

    def __init__(self, features: Features) -> None:
        mels = np.empty((MEL_STEP, MEL_BANDS), np.float32)
        features.mel(np.zeros(WINDOW, np.int16), mels)
        self.mels = np.tile(mels, (-(-MEL_FRAMES // MEL_STEP), 1))[-MEL_FRAMES:].copy()
        """Mel frames of silence, ``(MEL_FRAMES, MEL_BANDS)``."""
        self.embedding = np.empty(EMBEDDING_SIZE, np.float32)
        features.embedding(self.mels, self.embedding)


class OpenWakeWordStream:
    """A ScoreStream with one step per hop."""

    def __init__(self, features: Features, silence: Silence, heads: Mapping[str, WordHead]) -> None:
        """:param heads: models by word, at least one."""
        self._features = features
        self._heads = heads
        self._window = np.zeros(WINDOW, np.int16)
        self._new = 0
        """Frames of the next hop that are in the window already, 0 to HOP - 1."""
        self._mels = silence.mels.copy()
        self._embeddings = np.tile(silence.embedding, (max(head.embeddings for head in heads.values()), 1))
        self._frame = 0

    @property
    def needs(self) -> int:
        return HOP - self._new

    @property
    def latest(self) -> Floats:
        """The embedding of the last hop, ``(EMBEDDING_SIZE,)``; the next hop overwrites it."""
        last: Floats = self._embeddings[-1]
        return last

    def steps_to(self, _word: str, _score: float) -> int:
        """Always 1: a step tells nothing about the next."""
        return 1

    def frames_to(self, _word: str, step: int, /) -> int:
        return self.needs + (step - 1) * HOP

    def push(self, pcm: bytes) -> Iterator[Score]:
        samples = np.frombuffer(pcm, "<i2")
        while len(samples):
            start = WINDOW - HOP + self._new
            part, samples = samples[: self.needs], samples[self.needs :]
            self._window[start : start + len(part)] = part
            self._new += len(part)
            if self._new == HOP:
                self._step()
                for word, head in self._heads.items():
                    yield Score(word, head.score(self._embeddings), self._frame)

    def close(self) -> None:
        """Do nothing: the heads belong to the engine."""

    def _step(self) -> None:
        """Turn the full window into one more embedding, and make room for the next hop."""
        self._mels[:-MEL_STEP] = self._mels[MEL_STEP:]
        self._features.mel(self._window, self._mels[-MEL_STEP:])
        self._embeddings[:-1] = self._embeddings[1:]
        self._features.embedding(self._mels, self._embeddings[-1])
        self._window[: WINDOW - HOP] = self._window[HOP:]
        self._new = 0
        self._frame += HOP


class OpenWakeWord(LibraryEngine[Path]):
    """The engine: packaged models, loaded once, and the user's own, which win over packaged ones of the same name."""

    name = "openwakeword"

    def __init__(
        self, package: Path, settings: TriggerSettings, folders: Sequence[Path] = (), *, commercial: bool = False
    ) -> None:
        """:param package: the folder of pyopen-wakeword.
        :param folders: folders of the user's own models.
        :param commercial: leave out the packaged words, which may not be used commercially.
        :raises EngineUnavailable: the package has no library that works here, or no models.
        :raises EngineFailed: the feature models do not work.
        """
        words = packaged(package / "models")
        if not words:
            raise EngineUnavailable(f"{package / 'models'}: no wake word models; reinstall pyopen-wakeword")
        self._runtime = Runtime.of_package(package)
        self._features = Features(self._runtime, package / "models")
        self._silence = Silence(self._features)
        # Loaded when a session first needs the word, which takes about a millisecond. Unused words cost nothing (else
        # about 1 MB each).
        self._heads: dict[Path | OwnModel, WordHead] = {}
        library = Library(self.name, Folders(folders, SUFFIXES), read_own)
        super().__init__({} if commercial else words, library, settings, THRESHOLD)

    def models(self) -> list[ModelInfo]:
        return infos(self._words)

    def embeddings(self, pcm: bytes) -> Floats:
        """Compute the embeddings that word models look at, for making one.

        :param pcm: 16 kHz, 16 bit, mono.
        :returns: embeddings ``(hops, EMBEDDING_SIZE)``, one per 80 ms.
        """
        stream = OpenWakeWordStream(self._features, self._silence, {"": Watching()})
        found = []
        for start in range(0, len(pcm) // 2 - HOP + 1, HOP):
            found += [stream.latest.copy() for _ in stream.push(pcm[2 * start : 2 * (start + HOP)])]
        return np.array(found, np.float32).reshape(-1, EMBEDDING_SIZE)

    def close(self) -> None:
        """Close the engine. Open sessions fail from now on. May be called more than once."""
        self._closed = True
        self._features.close()
        for head in self._heads.values():
            head.close()

    def _stream(self, words: Mapping[str, Path | OwnModel]) -> OpenWakeWordStream:
        for old in self._heads.keys() - {*self._words.values(), *words.values()}:
            del self._heads[old]  # closed when the last stream that uses it has ended
        heads = {word: self._head(source) for word, source in words.items()}
        return OpenWakeWordStream(self._features, self._silence, heads)

    def _head(self, source: Path | OwnModel) -> WordHead:
        if source not in self._heads:
            self._heads[source] = self._load(source)
        return self._heads[source]

    def _load(self, source: Path | OwnModel) -> WordHead:
        if isinstance(source, Path):
            return Head(self._runtime, source)
        if source.trial == ONNX:
            return onnx_head(source.files[-1], source.content)
        return Head(self._runtime, source.files[-1], source.content)


def onnx_head(path: Path, content: bytes) -> WordHead:
    """Make a head of an ONNX model. The first call loads onnxruntime, 0.2 s.

    :raises EngineFailed: the model is damaged, or of no wake word.
    """
    from irene_wyoming.engines.wake.openwakeword.onnx_head import OnnxHead

    return OnnxHead(path, content, (MAX_EMBEDDINGS, EMBEDDING_SIZE))
