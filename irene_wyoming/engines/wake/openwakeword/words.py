"""The words of openWakeWord: packaged ones, and those in users' files."""

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from irene_wyoming.engines.base import ModelInfo
from irene_wyoming.engines.wake.folders import phrase_of, version_of, word_name
from irene_wyoming.engines.wake.library import OwnModel
from irene_wyoming.engines.wake.manifest import Manifest, kind_of, read_json, read_manifest
from irene_wyoming.engines.wake.names import is_helper
from irene_wyoming.engines.wake.tflite import looks_like, read_bounded, read_model
from irene_wyoming.engines.wake.words import PHRASES
from irene_wyoming.errors import EngineFailed

TFLITE = "irene_wyoming.engines.wake.openwakeword.trial:tflite"
ONNX = "irene_wyoming.engines.wake.openwakeword.trial:onnx"
"""The functions that test models in each format."""

SUFFIXES = (".tflite", ".onnx", ".json")
"""Suffixes of models, and of manifests that describe them."""

THRESHOLD = 0.5
"""The threshold that the models' author recommends."""


LICENCE = "CC-BY-NC-SA-4.0"
"""Licence of the packaged words. The feature models, which every word needs, are under Apache-2.0."""


def packaged(folder: Path) -> dict[str, Path]:
    """The words in the folder of pyopen-wakeword's models."""
    return {word: path for word in PHRASES if (path := folder / f"{word}.tflite").is_file()}


def packaged_info(word: str) -> ModelInfo:
    return ModelInfo(
        name=word,
        languages=("en",),
        description=f"{PHRASES[word]} (openWakeWord)",
        author="David Scripka",
        url="https://github.com/dscripka/openWakeWord",
        phrase=PHRASES[word],
        threshold=THRESHOLD,
        licence=LICENCE,
    )


def read_own(path: Path) -> OwnModel | None:
    """The Reader of users' own models: one file each, maybe with a manifest. Helpers are ignored.

    :raises EngineFailed: it is no model, or its name is unusable.
    """
    if is_helper(path.stem):
        return None
    data = read_json(path) if path.suffix.lower() == ".json" else None
    if data is not None and kind_of(data) is None:
        return None  # a file of some other program
    name = word_name(path)
    if not name:
        raise EngineFailed(f"{path}: a word is called by its file's name, and this one has no letter or digit")
    if data is not None:
        return described(path, name, read_manifest(path, "openwakeword", data))
    return own_model(path, own_info(name, phrase_of(name)), (path,))


def own_info(name: str, phrase: str) -> ModelInfo:
    return ModelInfo(
        name=name,
        languages=(),  # nothing in the file shows them
        description=f"{phrase} (openWakeWord, your own)",
        author="you",
        url="",
        phrase=phrase,
        version=version_of(name),
        threshold=THRESHOLD,
    )


def described(path: Path, name: str, said: Manifest) -> OwnModel:
    """Read the model of a manifest; raises EngineFailed where it is none."""
    info = replace(
        own_info(name, said.phrase),
        languages=said.languages,
        author="you" if said.author == "unknown" else said.author,
        url=said.url,
        version=said.version or version_of(name),
        threshold=said.cutoff or THRESHOLD,
        spellings=said.spellings,
    )
    return own_model(said.model, info, (path, said.model))


def own_model(path: Path, info: ModelInfo, files: tuple[Path, ...]) -> OwnModel:
    """Read a model; raises EngineFailed where the file is none."""
    onnx = path.suffix.lower() == ".onnx"
    content = read_onnx(path) if onnx else read_model(path)
    return OwnModel(info, files, content, ONNX if onnx else TFLITE, info.threshold or THRESHOLD)


def read_onnx(path: Path) -> bytes:
    """Read an ONNX file.

    :raises EngineFailed: onnxruntime is missing, or the file is obviously something else.
    """
    if find_spec("onnxruntime") is None:
        raise EngineFailed(f"{path}: needs onnxruntime, which is not installed: pip install 'irene-wyoming[onnx]'")
    content = read_bounded(path)
    if not content.startswith(b"\x08"):  # the format's version, the first field that every tool writes
        raise EngineFailed(f"{path}: no ONNX model but {looks_like(content)}; get the file again")
    return content


def infos(words: Mapping[str, Path | OwnModel]) -> list[ModelInfo]:
    """Describe words for hubs, packaged ones or the user's own."""
    return [source.info if isinstance(source, OwnModel) else packaged_info(word) for word, source in words.items()]
