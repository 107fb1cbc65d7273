"""The openwakeword package as an engine, with a Model per stream, since a Model keeps the stream's audio.

Today's package has no models, and requires a runtime that fails beside numpy 2. So it gets the feature models of
pyopen-wakeword or of a folder, and LiteRT under the name of that runtime.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import numpy as np

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.engines.base import ModelInfo, Score
from irene_wyoming.engines.wake.folders import Folders
from irene_wyoming.engines.wake.library import Library, LibraryEngine, OwnModel
from irene_wyoming.engines.wake.openwakeword.engine import HOP
from irene_wyoming.engines.wake.openwakeword.words import THRESHOLD, infos, packaged, read_own
from irene_wyoming.engines.wake.packages import OPENWAKEWORD, PYOPEN_WAKEWORD
from irene_wyoming.engines.wake.trigger import TriggerSettings
from irene_wyoming.errors import EngineFailed, EngineUnavailable

FEATURE_MODELS = {"melspec_model_path": "melspectrogram", "embedding_model_path": "embedding_model"}
"""The package's arguments for feature models, and their files."""

HOP_BYTES = HOP * SPEECH.frame_bytes


def runtime(framework: str) -> None:
    """Make the package find the runtime of its models.

    :raises EngineUnavailable: the runtime is not installed.
    """
    if framework == "onnx":
        if find_spec("onnxruntime") is None:
            raise EngineUnavailable(f"openwakeword_package: onnxruntime is not installed; {OPENWAKEWORD.install}")
        return
    if find_spec("ai_edge_litert") is None:
        raise EngineUnavailable(f"openwakeword_package: ai_edge_litert is not installed; {OPENWAKEWORD.install}")
    parent = ModuleType("tflite_runtime")
    parent.__dict__["interpreter"] = import_module("ai_edge_litert.interpreter")
    sys.modules["tflite_runtime"], sys.modules["tflite_runtime.interpreter"] = parent, parent.__dict__["interpreter"]


def feature_models(framework: str, folder: str | None) -> dict[str, str]:
    """Find the feature models for the package.

    :raises EngineUnavailable: one is missing.
    """
    places = [Path(folder).expanduser()] if folder else [OPENWAKEWORD.folder() / "resources" / "models"]
    if not folder and framework == "tflite":
        places.append(PYOPEN_WAKEWORD.folder() / "models")
    found = {}
    for name, stem in FEATURE_MODELS.items():
        paths = [path for place in places if (path := place / f"{stem}.{framework}").is_file()]
        if not paths:
            raise EngineUnavailable(
                f"openwakeword_package: no {stem}.{framework} in {' or '.join(map(str, places))}; it is among the "
                "releases of openWakeWord; say where it lies with feature_models"
            )
        found[name] = str(paths[0])
    return found


class PackageStream:
    """A ScoreStream over one Model of the package, with a step per hop."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._hop = b""
        self._frame = 0

    @property
    def needs(self) -> int:
        return (HOP_BYTES - len(self._hop)) // SPEECH.frame_bytes

    def steps_to(self, _word: str, _score: float) -> int:
        """Always 1: a step tells nothing about the next."""
        return 1

    def frames_to(self, _word: str, step: int, /) -> int:
        return self.needs + (step - 1) * HOP

    def push(self, pcm: bytes) -> Iterator[Score]:
        self._hop += pcm
        while len(self._hop) >= HOP_BYTES:
            hop, self._hop = self._hop[:HOP_BYTES], self._hop[HOP_BYTES:]
            self._frame += HOP
            try:
                scores = self._model.predict(np.frombuffer(hop, "<i2"))
            except (ValueError, RuntimeError) as error:
                raise EngineFailed(f"openwakeword_package: {error}") from error
            for word, score in scores.items():
                yield Score(word, float(score), self._frame)

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""


class OpenWakeWordPackage(LibraryEngine[Path]):
    """The engine. Each stream loads its models anew, since the package requires that."""

    name = "openwakeword_package"

    def __init__(
        self,
        settings: TriggerSettings,
        framework: str,
        features: str | None,
        folders: Sequence[Path] = (),
        *,
        commercial: bool = False,
    ) -> None:
        """:param commercial: leave out the packaged words, which may not be used commercially.
        :raises EngineUnavailable: a runtime or a feature model is missing.
        """
        runtime(framework)
        self._features = feature_models(framework, features)
        self._framework = framework
        self._model: Any = import_module("openwakeword.model").Model
        models = PYOPEN_WAKEWORD.folder() / "models"
        words = packaged(models) if framework == "tflite" and not commercial else {}
        # Copies of the tested content: the package takes files, which may change meanwhile.
        self._copies = TemporaryDirectory(prefix="irene-wyoming-")
        library = Library(self.name, Folders(folders, (f".{framework}",)), read_own)
        super().__init__(words, library, settings, THRESHOLD)

    def models(self) -> list[ModelInfo]:
        return infos(self._words)

    def close(self) -> None:
        """Close the engine. Open sessions go on working. May be called more than once."""
        self._closed = True
        self._copies.cleanup()

    def _stream(self, words: Mapping[str, Path | OwnModel]) -> PackageStream:
        """Load the words' models, which takes 0.1 s."""
        try:
            paths = [self._path(word, source) for word, source in words.items()]
            model = self._model(wakeword_models=paths, inference_framework=self._framework, **self._features)
        except Exception as error:  # both runtimes' errors, which have no common class
            raise EngineFailed(f"{self.name}: {', '.join(words)}: {error}") from error
        return PackageStream(model)

    def _path(self, word: str, source: Path | OwnModel) -> str:
        if isinstance(source, Path):
            return str(source)
        # The package names a word by its file and maps the file, which therefore must never change.
        folder = Path(self._copies.name) / sha256(source.content).hexdigest()
        folder.mkdir(exist_ok=True)
        path = folder / f"{word}.{self._framework}"
        if not path.exists():
            path.write_bytes(source.content)
        return str(path)
