"""sherpa: the spec of the engine on the sherpa-onnx library."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from irene_wyoming import cores
from irene_wyoming.checks import or_null, whole
from irene_wyoming.engines.asr.lazy import UNLOAD_AFTER
from irene_wyoming.engines.asr.options import MODEL
from irene_wyoming.engines.base import AsrEngine, EngineContext, EngineSpec, ModelInfo, Option
from irene_wyoming.errors import EngineUnavailable
from irene_wyoming.models import folder
from irene_wyoming.models.families import Found, find
from irene_wyoming.models.recommend import EUROPEAN
from irene_wyoming.tags import primary

URL = "https://github.com/k2-fsa/sherpa-onnx"

SENSE_VOICE = ("zh", "en", "ja", "ko", "yue")
CODES = frozenset(
    [
        *(*SENSE_VOICE, *EUROPEAN),
        *("ar", "ca", "fa", "gl", "he", "hi", "id", "ka", "kk", "mn", "ms", "no", "sr", "sw", "ta", "te", "th", "tr"),
        *("ur", "uz", "vi"),
    ]
)
"""Language codes that occur in names of models."""


def create(values: Mapping[str, Any], context: EngineContext) -> AsrEngine:
    """Make the engine; raises EngineUnavailable with the file's name where the model is missing or broken."""
    path = folder.find("sherpa", values["model"], context.data_dir).path
    found = find(path)
    from irene_wyoming.engines.asr.sherpa.engine import Settings, Sherpa

    threads = values["threads"] or min(4, cores.granted())
    names = (*context.vocabulary.areas, *context.vocabulary.devices)
    return Sherpa(found, model_info(path, found, context.language), Settings(threads, context.language, names))


def offers(values: Mapping[str, Any], context: EngineContext) -> Sequence[ModelInfo]:
    try:
        path = folder.find("sherpa", values["model"], context.data_dir).path
        return [model_info(path, find(path), context.language)]
    except EngineUnavailable:
        return [described(str(values["model"] or "sherpa"), (context.language,), installed=False)]


def model_info(path: Path, found: Found, language: str) -> ModelInfo:
    """Describe the model in that folder for hubs."""
    return described(path.name, languages(path.name, found, language), installed=True)


def described(name: str, known: tuple[str, ...], *, installed: bool) -> ModelInfo:
    return ModelInfo(
        name=name, languages=known, description=f"Model {name}", author="k2-fsa", url=URL, installed=installed
    )


def languages(name: str, found: Found, language: str) -> tuple[str, ...]:
    """The languages of a model, by its family and the name of its folder.

    :param language: language where neither shows it.
    """
    if found.family.name == "sense_voice":
        return SENSE_VOICE
    if found.family.name == "nemo_transducer" and re.search(r"parakeet.*v3", name):
        return EUROPEAN
    said = [part for part in re.split(r"[-_.]", name.casefold()) if part in CODES]
    return tuple(dict.fromkeys(said)) or (primary(language),)


SPEC = EngineSpec(
    name="sherpa",
    kind="asr",
    summary="Parakeet, SenseVoice, Moonshine, zipformers and more, whole utterances or streaming, by sherpa-onnx.",
    url=URL,
    author="k2-fsa",
    requires=("sherpa_onnx",),
    install="pip install 'irene-wyoming[sherpa]'",
    create=create,
    options={
        "model": MODEL,
        "threads": Option(
            None, or_null(whole("threads", 1, 256)), "threads of one decoding; null: as many as cores, up to 4"
        ),
        "unload_after_s": UNLOAD_AFTER,
    },
    offers=offers,
)
