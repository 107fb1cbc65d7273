"""Manifest: the JSON file beside a wake word model, as microWakeWord, ESPHome and Linux Voice Assistant publish it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from irene_wyoming import files
from irene_wyoming.engines.wake.tflite import looks_like
from irene_wyoming.errors import EngineFailed

Kind = Literal["micro", "openwakeword"]

MAX_JSON_BYTES = 64 * 1024
"""Most bytes of a manifest. Published ones have 500."""
MAX_TEXT = 80
"""Most characters of each text in a manifest, since all of them go to every hub that asks."""
MAX_LANGUAGES = 32
MAX_SLIDING_WINDOW = 100
"""Most probabilities in a mean, 3 s."""
STEPS_MS = (10, 20)
"""Allowed milliseconds between two rows of features. Models of the first generation took one row every 20 ms."""
NAMES: Mapping[Kind, str] = {"micro": "a microWakeWord", "openwakeword": "an openWakeWord"}
FOLDERS: Mapping[Kind, str] = {"micro": "microwakeword", "openwakeword": "openwakeword"}
"""The folder under ``wake`` for models of each kind."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A publisher's description of a model."""

    phrase: str
    """The phrase that a person says."""
    model: Path
    """The model's file, beside the manifest."""
    author: str
    url: str
    languages: tuple[str, ...]
    version: str | None
    cutoff: float | None
    """Threshold from which a step counts; None: not given."""
    sliding_window: int
    """Number of probabilities in a mean (microWakeWord)."""
    step_ms: int | None
    """Milliseconds between two rows of features (microWakeWord); None: the model's input shows it."""
    spellings: tuple[str, ...] = ()
    """A recogniser's spellings of the phrase, where they differ from it."""


def kind_of(data: Mapping[str, Any]) -> Kind | None:
    """The kind of model that a manifest describes; None: it is no manifest of a wake word."""
    named = data.get("type")
    if isinstance(named, str) and named.casefold() == "openwakeword":
        return "openwakeword"
    if named == "micro" or isinstance(data.get("micro"), dict):
        return "micro"
    return None


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; raises EngineFailed where the file cannot be read or holds none."""
    try:
        content = files.read(path, MAX_JSON_BYTES)
        data = json.loads(content)
    except OSError as error:
        raise EngineFailed(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # no JSON, no text, or endless brackets
        raise EngineFailed(
            f"{path}: no description of a wake word model but {looks_like(content)}; get the file again"
        ) from error
    if not isinstance(data, dict):
        raise EngineFailed(f"{path}: no description of a wake word model: expected an object, {{...}}")
    return data


def read_manifest(path: Path, wanted: Kind, data: Mapping[str, Any] | None = None) -> Manifest:
    """Read a manifest.

    :param data: the file's data, where it has been read already.
    :raises EngineFailed: the file cannot be read, describes another kind of model, or a value is missing or wrong.
    """
    data = read_json(path) if data is None else data
    kind = kind_of(data)
    if kind is None:
        raise EngineFailed(f"{path}: no description of a wake word model: it has no type, micro or openWakeWord")
    if kind != wanted:
        raise EngineFailed(
            f"{path}: describes a model for {FOLDERS[kind]}: it belongs into the folder wake/{FOLDERS[kind]}"
        )
    try:
        return _manifest(path, data, "micro" if kind == "micro" else "openWakeWord")
    except ValueError as error:
        raise EngineFailed(f"{path}: no description of {NAMES[kind]} model: {error}") from error


def _manifest(path: Path, data: Mapping[str, Any], section: str) -> Manifest:
    """Read the values of a manifest; raises ValueError with the one that is missing or wrong."""
    inner = data.get(section, {})
    if not isinstance(inner, dict):
        raise ValueError(f"{section}: expected an object, {{...}}")
    micro = section == "micro"
    first = micro and "sliding_window_size" not in inner and "sliding_window_average_size" in inner
    window = "sliding_window_average_size" if first else "sliding_window_size"
    languages = data.get("trained_languages", ["en"] if micro else [])
    spellings = data.get("spellings", [])
    return Manifest(
        phrase=_text(_needed(data, "wake_word")),
        model=path.parent / _file_name(data.get("model", f"{path.stem}.tflite")),
        author=_text(data.get("author", "unknown")),
        url=_text(data.get("website", "")),
        languages=tuple(map(_text, languages[:MAX_LANGUAGES])) if isinstance(languages, list) else (),
        version=_text(data["version"]) if "version" in data else None,
        cutoff=_cutoff(inner, data, needed=micro),
        sliding_window=_whole(_needed(inner, window, "micro."), f"micro.{window}") if micro else 1,
        step_ms=_step(inner.get("feature_step_size", None if first else 10)),
        spellings=tuple(map(_text, spellings[:MAX_LANGUAGES])) if isinstance(spellings, list) else (),
    )


def _needed(data: Mapping[str, Any], key: str, where: str = "") -> Any:
    if key not in data:
        raise ValueError(f"{where}{key} is missing")
    return data[key]


def _cutoff(inner: Mapping[str, Any], data: Mapping[str, Any], *, needed: bool) -> float | None:
    for key, value in (("probability_cutoff", inner.get("probability_cutoff")), ("threshold", data.get("threshold"))):
        if value is not None:
            return _share(key, value)
    if needed:
        raise ValueError("micro.probability_cutoff is missing")
    return None


def _share(key: str, value: Any) -> float:
    try:
        share = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{key} {value!r:.40}: expected a number above 0, up to 1") from None
    if isinstance(value, bool) or not 0 < share <= 1:
        raise ValueError(f"{key} {share}: expected a number above 0, up to 1")
    return share


def _whole(value: Any, key: str) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = -1
    if isinstance(value, bool) or number != value or not 1 <= number <= MAX_SLIDING_WINDOW:
        raise ValueError(f"{key} {value!r:.40}: expected 1 to {MAX_SLIDING_WINDOW}")
    return number


def _step(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or value not in STEPS_MS:
        raise ValueError(f"micro.feature_step_size {value!r:.40}: expected 10 or 20 ms")
    return int(value)


def _file_name(value: Any) -> str:
    """Check the name of a file beside the manifest; older manifests write ``./alexa.tflite``."""
    path = PurePosixPath(value) if isinstance(value, str) else None
    if path is None or len(path.parts) != 1 or path.name != str(path) or "\0" in str(path):
        raise ValueError(f"model {value!r:.80}: expected the name of a file beside the description")
    return path.name


def _text(value: Any) -> str:
    return "".join(c for c in str(value)[:MAX_TEXT] if c.isprintable())
