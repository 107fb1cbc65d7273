"""openwakeword_package: the openwakeword package with its own streaming code, for those who want exactly that."""

from collections.abc import Mapping
from typing import Any

from irene_wyoming.checks import one_of, or_null, text
from irene_wyoming.engines.base import EngineContext, EngineSpec, Option, WakeEngine
from irene_wyoming.engines.wake import folders
from irene_wyoming.engines.wake.packages import OPENWAKEWORD
from irene_wyoming.engines.wake.trigger import TriggerSettings, options

FRAMEWORKS = ("tflite", "onnx")


def create(values: Mapping[str, Any], context: EngineContext) -> WakeEngine:
    """Make the engine; raises EngineUnavailable where the package, its runtime or its feature models are missing."""
    from irene_wyoming.engines.wake.openwakeword_package.engine import OpenWakeWordPackage

    return OpenWakeWordPackage(
        TriggerSettings.from_options(values),
        values["inference_framework"],
        values["feature_models"],
        folders.folders_of(values, context, "openwakeword"),
        commercial=context.commercial,
    )


SPEC = EngineSpec(
    name="openwakeword_package",
    kind="wake",
    summary="The openwakeword package's own runtime: half as much CPU again as openwakeword, 150 MB more memory.",
    url="https://github.com/dscripka/openWakeWord",
    author="David Scripka",
    requires=(OPENWAKEWORD.module, "numpy"),
    install=OPENWAKEWORD.install,
    create=create,
    options={
        **options("score from which a step counts, above 0, up to 1; null: 0.5"),
        "inference_framework": Option("tflite", one_of(FRAMEWORKS), "tflite or onnx: what runs the models"),
        "feature_models": Option(None, or_null(text), "folder of melspectrogram and embedding_model in that framework"),
        **folders.options(),
    },
)
