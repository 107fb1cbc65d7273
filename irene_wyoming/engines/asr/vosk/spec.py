"""vosk: Kaldi models that decode while the person speaks, in more than twenty languages."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from irene_wyoming.engines.asr.lazy import UNLOAD_AFTER
from irene_wyoming.engines.asr.options import MODEL, phrases
from irene_wyoming.engines.base import AsrEngine, EngineContext, EngineSpec, ModelInfo, Option
from irene_wyoming.errors import EngineUnavailable
from irene_wyoming.models import folder

URL = "https://alphacephei.com/vosk/"
AUTHOR = "Alpha Cephei"


def create(values: Mapping[str, Any], context: EngineContext) -> AsrEngine:
    """Make the engine.

    :raises EngineUnavailable: the model is missing or broken; the message names the file.

    :raises ConfigError: there is a grammar, and the model cannot take one.
    """
    from irene_wyoming.engines.asr.vosk.engine import Vosk

    found = folder.find("vosk", values["model"], context.data_dir)
    return Vosk(found.path, model_info(found.name, context.language), grammar=values["grammar"])


def offers(values: Mapping[str, Any], context: EngineContext) -> Sequence[ModelInfo]:
    try:
        return [model_info(folder.find("vosk", values["model"], context.data_dir).name, context.language)]
    except EngineUnavailable:
        return [model_info(str(values["model"] or "vosk"), context.language, installed=False)]


def model_info(name: str, language: str, *, installed: bool = True) -> ModelInfo:
    """Describe the model with that folder name for hubs.

    :param language: language where the name (vosk-model-small-en-us-0.15) does not show it.
    """
    found = re.match(r"vosk-model-(?:small-|big-)?([a-z]{2,3})(?=-)", name)
    tag = {"cn": "zh", "ua": "uk", "kz": "kk", "vn": "vi"}.get(found[1], found[1]) if found else language
    version = re.search(r"-(\d[\d.]*)", name)
    return ModelInfo(
        name=name,
        languages=(tag,),
        description=f"Kaldi model {name}",
        author=AUTHOR,
        url=URL,
        version=version[1] if version else None,
        installed=installed,
    )


SPEC = EngineSpec(
    name="vosk",
    kind="asr",
    summary="Kaldi models that decode while the person speaks; light, in more than twenty languages.",
    url=URL,
    author=AUTHOR,
    requires=("vosk",),
    install="pip install 'irene-wyoming[vosk]'",
    create=create,
    options={
        "model": MODEL,
        "grammar": Option([], phrases, "phrases to listen for instead of everything; [] is everything"),
        "unload_after_s": UNLOAD_AFTER,
    },
    offers=offers,
)
