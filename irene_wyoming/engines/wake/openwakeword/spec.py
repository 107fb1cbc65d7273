"""openwakeword: the pre-trained openWakeWord models, streamed by our own code."""

from collections.abc import Mapping
from typing import Any

from irene_wyoming.engines.base import EngineContext, EngineSpec, WakeEngine
from irene_wyoming.engines.wake import folders
from irene_wyoming.engines.wake.packages import PYOPEN_WAKEWORD
from irene_wyoming.engines.wake.trigger import TriggerSettings, options


def create(values: Mapping[str, Any], context: EngineContext) -> WakeEngine:
    """Make the engine; raises EngineUnavailable or EngineFailed where the package or its models cannot be loaded."""
    from irene_wyoming.engines.wake.openwakeword.engine import OpenWakeWord

    own = folders.folders_of(values, context, SPEC.name)
    settings = TriggerSettings.from_options(values)
    return OpenWakeWord(PYOPEN_WAKEWORD.folder(), settings, own, commercial=context.commercial)


SPEC = EngineSpec(
    name="openwakeword",
    kind="wake",
    summary="openWakeWord's pre-trained models: robust, further words are almost free; about 17 ms of CPU per second.",
    url="https://github.com/dscripka/openWakeWord",
    author="David Scripka",
    requires=(PYOPEN_WAKEWORD.module, "numpy"),
    install=PYOPEN_WAKEWORD.install,
    create=create,
    options={**options("score from which a step counts, above 0, up to 1; null: 0.5"), **folders.options()},
)
