"""The Python packages of wake word engines, found without importing them."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from irene_wyoming.errors import EngineUnavailable


@dataclass(frozen=True, slots=True)
class Package:
    module: str
    """The module's name for imports."""
    install: str
    """Command that installs it."""

    def folder(self) -> Path:
        """Find the folder that it is installed in.

        :raises EngineUnavailable: it is not installed; the message says what to do.
        """
        spec = find_spec(self.module)
        if spec is None or not spec.submodule_search_locations:
            raise EngineUnavailable(f"{self.module} is not installed; {self.install}")
        return Path(spec.submodule_search_locations[0])


PYOPEN_WAKEWORD = Package(
    "pyopen_wakeword", "pip install pyopen-wakeword (glibc 2.35 or newer: Debian 12, Ubuntu 22.04)"
)

PYMICRO_WAKEWORD = Package(
    "pymicro_wakeword", "pip install pymicro-wakeword (glibc 2.35 or newer: Debian 12, Ubuntu 22.04)"
)

OPENWAKEWORD = Package(
    "openwakeword", "pip install 'irene-wyoming[openwakeword]' and then pip install --no-deps openwakeword"
)
"""The openwakeword package. Its wheel requires tflite-runtime, which newer Pythons lack and which fails beside numpy 2.
"""
