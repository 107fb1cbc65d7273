"""The Python packages that wake word engines run on. Found without importing them."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from irene_wyoming.errors import EngineUnavailable


@dataclass(frozen=True, slots=True)
class Package:
    module: str
    """Its name, as it is imported."""
    install: str
    """How it is had."""

    def folder(self) -> Path:
        """The folder that it is installed in.

        :raises EngineUnavailable: nowhere; says what to do.
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
"""Its wheel wants tflite-runtime, which newer Pythons do not have and which fails beside numpy 2."""
