"""whisper: OpenAI's Whisper models on faster-whisper (CTranslate2), for any sentence in a hundred languages."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from irene_wyoming.checks import boolean, one_of, or_null, whole
from irene_wyoming.engines.asr.lazy import UNLOAD_AFTER
from irene_wyoming.engines.asr.options import MODEL, text_or_null
from irene_wyoming.engines.base import AsrEngine, EngineContext, EngineSpec, ModelInfo, Option
from irene_wyoming.errors import EngineUnavailable
from irene_wyoming.models import folder
from irene_wyoming.models.check import check

URL = "https://github.com/SYSTRAN/faster-whisper"

MULTILINGUAL = 51_865
"""Least tokens in the vocabulary of a model that knows more than English."""

DEVICES = ("auto", "cpu", "cuda")

COMPUTE_TYPES = (
    *("auto", "int8", "int8_float32", "int8_float16", "int8_bfloat16", "int16"),
    *("float16", "bfloat16", "float32"),
)


def create(values: Mapping[str, Any], context: EngineContext) -> AsrEngine:
    """Make the engine; raises EngineUnavailable with the file's name where the model is missing or broken."""
    path = folder.find("whisper", values["model"], context.data_dir).path
    check("whisper", path)
    from irene_wyoming.engines.asr.whisper.engine import Settings, Whisper

    language = values["language"] or context.language
    names = (*context.vocabulary.areas, *context.vocabulary.devices)
    settings = Settings(
        device=values["device"],
        compute_type=values["compute_type"],
        cpu_threads=values["cpu_threads"],
        beam_size=values["beam_size"],
        language=None if language == "auto" else language,
        initial_prompt=values["initial_prompt"],
        short_window=values["short_window"],
        hotwords=names,
    )
    return Whisper(path, model_info(path), settings)


def offers(values: Mapping[str, Any], context: EngineContext) -> Sequence[ModelInfo]:
    try:
        return [model_info(folder.find("whisper", values["model"], context.data_dir).path)]
    except EngineUnavailable:
        return [described(str(values["model"] or "whisper"), (context.language,), installed=False)]


def model_info(path: Path) -> ModelInfo:
    """Describe the model in that folder for hubs; it is not installed where its vocabulary cannot be read."""
    try:
        known = languages(path)
    except (OSError, ValueError):
        return described(path.name, ("en",), installed=False)
    return described(path.name, known, installed=True)


def described(name: str, known: tuple[str, ...], *, installed: bool) -> ModelInfo:
    return ModelInfo(
        name=name,
        languages=known,
        description=f"Whisper model {name}",
        author="OpenAI",
        url=URL,
        installed=installed,
    )


def languages(path: Path) -> tuple[str, ...]:
    """The languages of a model, by its vocabulary.

    :raises OSError, ValueError: the vocabulary is missing or invalid.
    """
    listed = path / "vocabulary.json"
    tokens = json.loads(listed.read_bytes()) if listed.is_file() else (path / "vocabulary.txt").read_text().split("\n")
    if len(tokens) < MULTILINGUAL:
        return ("en",)
    found = (re.fullmatch(r"<\|([a-z]{2,3})\|>", token) for token in tokens if isinstance(token, str))
    return tuple(match[1] for match in found if match)


THREADS = or_null(whole("null or a number of threads", 1, 256))


def language(value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and re.fullmatch(r"auto|[a-z]{2,3}(-[A-Za-z0-9]+)*", value)):
        raise ValueError("expected null, auto or a language tag such as 'de'")
    return value


SPEC = EngineSpec(
    name="whisper",
    kind="asr",
    summary="Whisper models for any sentence in up to a hundred languages; wants a fast PC or a GPU.",
    url=URL,
    author="OpenAI, Systran",
    requires=("faster_whisper",),
    install="pip install 'irene-wyoming[whisper]'",
    create=create,
    options={
        "model": MODEL,
        "device": Option("auto", one_of(DEVICES), "auto, cpu or cuda; where the GPU does not work, the CPU takes over"),
        "compute_type": Option("auto", one_of(COMPUTE_TYPES), "how exactly it calculates; auto: the fastest there is"),
        "cpu_threads": Option(None, THREADS, "threads on the CPU; null: all cores, or all but one of three and more"),
        "beam_size": Option(
            5, whole("a number of beams", 1, 20), "how many ways of hearing are followed at once, 1 to 20"
        ),
        "short_window": Option(True, boolean, "hear a command in a window of its own length, not in one of 30 s"),
        "language": Option(
            None, language, "spoken where a client does not say it; null: asr.language; auto: found out"
        ),
        "initial_prompt": Option(None, text_or_null, "text in the style and spelling that is wanted; null: none"),
        "unload_after_s": UNLOAD_AFTER,
    },
    offers=offers,
)
