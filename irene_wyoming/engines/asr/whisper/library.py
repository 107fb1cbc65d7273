"""Imports faster-whisper, also without PyAV.

faster-whisper imports PyAV for decoding files, which takes 104 MB of disk: with it the image would have 540 MB. Here
Whisper gets samples, never files. So an installation such as the image may leave PyAV out. faster-whisper has no other
way in: importing any part of it imports its decoder of files, and that imports PyAV.
"""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

__all__ = ["Tokenizer", "WhisperModel", "get_compression_ratio", "get_suppressed_tokens"]


class _Missing(ModuleType):
    """Stands for a module that is not installed: its first use fails, instead of its import."""

    def __getattr__(self, attribute: str) -> object:
        raise ImportError(
            f"{self.__name__}.{attribute} is wanted, and {self.__name__} is not installed", name=self.__name__
        )


@contextmanager
def _first_use_fails(module: str) -> Iterator[None]:
    """Let a missing module be imported in this block. Whoever imports it later is told that it is missing."""
    if module in sys.modules or importlib.util.find_spec(module) is not None:
        yield
        return
    sys.modules[module] = _Missing(module)
    try:
        yield
    finally:
        del sys.modules[module]


with _first_use_fails("av"):
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer
    from faster_whisper.transcribe import get_compression_ratio, get_suppressed_tokens
