"""The openwakeword package as an engine: a Model of its own for every stream, since it keeps the stream's audio.

As installed today the package carries no models, and asks for a runtime that fails beside numpy 2. So it is given the
feature models of pyopen-wakeword, or those of a folder, and LiteRT under the name of the runtime that it asks for.
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

from irene_wyoming.audio.format import SPEECH, AudioFormat
from irene_wyoming.engines.base import NO_SETTINGS, ModelInfo, OnScore, Score, WakeSettings
from irene_wyoming.engines.wake.folders import Folders
from irene_wyoming.engines.wake.library import Library, LibraryEngine, OwnModel
from irene_wyoming.engines.wake.openwakeword.engine import HOP
from irene_wyoming.engines.wake.openwakeword.words import THRESHOLD, infos, packaged, read_own
from irene_wyoming.engines.wake.packages import OPENWAKEWORD, PYOPEN_WAKEWORD
from irene_wyoming.engines.wake.session import Session
from irene_wyoming.engines.wake.trigger import TriggerSettings
from irene_wyoming.engines.wake.words import chosen
from irene_wyoming.errors import EngineFailed, EngineUnavailable

FEATURE_MODELS = {"melspec_model_path": "melspectrogram", "embedding_model_path": "embedding_model"}
"""What the package calls them, and their files."""

HOP_BYTES = HOP * SPEECH.frame_bytes


def runtime(framework: str) -> None:
    """Have the package find what runs its models.

    :raises EngineUnavailable: it is not installed.
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
    """The paths that the package is given.

    :raises EngineUnavailable: one is nowhere.
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
        """1: a step says nothing about the next."""
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
        """Nothing to give back."""


class OpenWakeWordPackage(LibraryEngine[Path]):
    """The engine. Each stream loads its models anew, as the package is made."""

    name = "openwakeword_package"
    format: AudioFormat = SPEECH

    def __init__(
        self,
        settings: TriggerSettings,
        framework: str,
        features: str | None,
        folders: Sequence[Path] = (),
        *,
        commercial: bool = False,
    ) -> None:
        """:param commercial: the packaged words are left out, since they may not be used commercially.
        :raises EngineUnavailable: a runtime or a feature model is missing.
        """
        runtime(framework)
        self._features = feature_models(framework, features)
        self._framework = framework
        self._model: Any = import_module("openwakeword.model").Model
        self._settings = settings
        models = PYOPEN_WAKEWORD.folder() / "models"
        words = packaged(models) if framework == "tflite" and not commercial else {}
        # What has been tried out is what is run: the package takes files, which may become something else meanwhile.
        self._copies = TemporaryDirectory(prefix="irene-wyoming-")
        self._closed = False
        super().__init__(words, Library(self.name, Folders(folders, (f".{framework}",)), read_own))

    def models(self) -> list[ModelInfo]:
        return infos(self._words)

    def session(
        self,
        models: Sequence[str],
        settings: Mapping[str, WakeSettings] = NO_SETTINGS,
        on_score: OnScore | None = None,
    ) -> Session:
        """Slow: loads the models, 0.1 s.

        :raises EngineFailed: a word's model does not work, or the engine is closed.
        """
        if self._closed:
            raise EngineFailed(f"{self.name} is closed")
        known = self._words
        words = chosen(models, known, self.name)
        try:
            paths = [self._path(word, known[word]) for word in words]
            model = self._model(wakeword_models=paths, inference_framework=self._framework, **self._features)
        except Exception as error:  # of either runtime, which have no class in common
            raise EngineFailed(f"{self.name}: {', '.join(words)}: {error}") from error
        triggers = {word: self._settings.trigger(THRESHOLD, settings.get(word)) for word in words}
        return Session(PackageStream(model), triggers, on_score)

    def close(self) -> None:
        """Sessions still open go on working. May be called more than once."""
        self._closed = True
        self._copies.cleanup()

    def _path(self, word: str, source: Path | OwnModel) -> str:
        if isinstance(source, Path):
            return str(source)
        # The package calls a word by its file's name; it maps the file, which therefore must never change.
        folder = Path(self._copies.name) / sha256(source.content).hexdigest()
        folder.mkdir(exist_ok=True)
        path = folder / f"{word}.{self._framework}"
        if not path.exists():
            path.write_bytes(source.content)
        return str(path)
