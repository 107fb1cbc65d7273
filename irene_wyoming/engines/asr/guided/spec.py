"""guided: commands of the home and any other English sentence, with a neural model from the wheel moonshine-voice."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from irene_wyoming.checks import one_of, or_null
from irene_wyoming.engines.asr.options import text_or_null
from irene_wyoming.engines.base import ANSWERS, AsrEngine, EngineContext, EngineSpec, ModelInfo, Option
from irene_wyoming.language.vocabulary import Vocabulary
from irene_wyoming.models import folder

URL = "https://github.com/moonshine-ai/moonshine"

PACKAGED = "moonshine-tiny-en"
"""Name of the packaged model."""


def create(values: Mapping[str, Any], context: EngineContext) -> AsrEngine:
    """Make the engine.

    :raises EngineUnavailable: the model is missing or broken; the message names the file.
    :raises ConfigError: a sentence of the user's cannot be used.
    """
    from irene_wyoming.engines.asr.guided.engine import Guided
    from irene_wyoming.engines.asr.guided.home import Graphs
    from irene_wyoming.engines.asr.guided.model import packaged, shared
    from irene_wyoming.heap import give_back_memory

    path = chosen(values, context) or packaged()
    model = shared(path, values["threads"])
    names = Vocabulary.of(context.vocabulary.areas, context.vocabulary.devices)
    graphs = Graphs(model.tokens, names, values["sentences"])
    give_back_memory()  # temporary memory of loading: 33 MB for the tiny model
    return Guided(model, model_info(values), graphs, values["answer"] or context.answer)


def chosen(values: Mapping[str, Any], context: EngineContext) -> Path | None:
    """The folder of the model; None: the packaged one.

    :raises EngineUnavailable: the folder does not exist.
    """
    if values["model"] in (None, PACKAGED):
        return None
    return folder.find("guided", values["model"], context.data_dir).path


def model_info(values: Mapping[str, Any], *, installed: bool = True) -> ModelInfo:
    name = PACKAGED if values["model"] is None else Path(values["model"]).name
    return ModelInfo(
        name=name,
        languages=("en",),
        description=f"Home commands and open English, {name}",
        author="Moonshine AI",
        url=URL,
        installed=installed,
        licence="MIT" if name == PACKAGED else None,
    )


def offers(values: Mapping[str, Any], _: EngineContext) -> Sequence[ModelInfo]:
    return [model_info(values)]


def sentences(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item.strip() for item in value):
        raise ValueError("expected a list of sentences, e.g. ['good night', '(open|close) the roof']")
    return tuple(value)


def threads(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= 64:
        raise ValueError("expected a number of threads, 1 to 64")
    return value


SPEC = EngineSpec(
    name="guided",
    kind="asr",
    summary="English: commands of the home first, and whatever else is said; a small neural model that comes along.",
    url=URL,
    author="Moonshine AI",
    requires=("onnxruntime", "hassil", "home_assistant_intents"),
    install="pip install onnxruntime moonshine-voice==0.0.73 hassil home-assistant-intents",
    create=create,
    finds_speech=True,
    options={
        "answer": Option(None, or_null(one_of(ANSWERS)), "what comes out; null: as asr.answer says"),
        "model": Option(
            None, text_or_null, "folder of another Moonshine model, or its name; null: the one that comes along"
        ),
        "sentences": Option([], sentences, "further sentences, in hassil's template notation"),
        "threads": Option(1, threads, "threads of one decoding, 1 to 64; two gain little"),
    },
    offers=offers,
)
