"""microwakeword: quantised models made for microcontrollers; the cheapest engine."""

from collections.abc import Mapping
from typing import Any

from irene_wyoming.engines.base import EngineContext, EngineSpec, WakeEngine
from irene_wyoming.engines.wake import folders
from irene_wyoming.engines.wake.packages import PYMICRO_WAKEWORD
from irene_wyoming.engines.wake.trigger import TriggerSettings, options


def create(values: Mapping[str, Any], context: EngineContext) -> WakeEngine:
    """Make the engine; raises EngineUnavailable or EngineFailed where the package or its models cannot be loaded."""
    from irene_wyoming.engines.wake.microwakeword.engine import MicroWakeWord

    own = folders.folders_of(values, context, SPEC.name)
    return MicroWakeWord(PYMICRO_WAKEWORD.folder(), TriggerSettings.from_options(values), own)


SPEC = EngineSpec(
    name="microwakeword",
    kind="wake",
    summary="microWakeWord's quantised models: the least CPU: about 3 ms per second, 1.2 for each further word.",
    url="https://github.com/kahrendt/microWakeWord",
    author="Kevin Ahrendt",
    requires=(PYMICRO_WAKEWORD.module, "pymicro_features", "numpy"),
    install=PYMICRO_WAKEWORD.install,
    create=create,
    options={
        **options("mean score from which a step counts, above 0, up to 1; null: what each model recommends"),
        **folders.options(),
    },
)
