"""Memory of NVIDIA GPUs, read from their driver."""

import importlib.util
import logging
from typing import Any

from irene_wyoming import metrics

log = logging.getLogger(__name__)


class GpuMemory:
    """Reads the memory of every GPU, used or not. It reports nothing without a GPU, or without nvidia-ml-py, which
    comes with the extra ``whisper``.

    The driver's library stays loaded until the process ends: it has no threads, and loading takes tens of ms.
    """

    def __init__(self) -> None:
        self._devices: dict[str, Any] | None = None

    def __call__(self) -> None:
        """Read once. It blocks for a millisecond, the first time until the driver has started."""
        if self._devices is None:
            self._devices = _devices()
        if not self._devices:
            return
        import pynvml

        for name, device in list(self._devices.items()):
            try:
                memory = pynvml.nvmlDeviceGetMemoryInfo(device)
            except pynvml.NVMLError as error:  # it fell off the bus, or the driver was replaced
                log.warning("GPU %s: its memory cannot be read any more: %s", name, error)
                del self._devices[name]
                continue
            metrics.GPU_USED_BYTES.labels(name).set(memory.used)
            metrics.GPU_BYTES.labels(name).set(memory.total)


def _devices() -> dict[str, Any]:
    """The GPUs' handles by number."""
    if importlib.util.find_spec("pynvml") is None:
        return {}
    import pynvml

    try:
        pynvml.nvmlInit()
        return {str(at): pynvml.nvmlDeviceGetHandleByIndex(at) for at in range(pynvml.nvmlDeviceGetCount())}
    except pynvml.NVMLError as error:  # no driver, as a rule: there is no GPU
        log.debug("no NVIDIA GPU: %s", error)
        return {}
