"""Imports faster-whisper, also without PyAV.

faster-whisper imports PyAV for decoding files, which takes 100 MB of disk. Here Whisper gets samples, never files. So
an installation such as the image may leave PyAV out, and an empty module stands in for it.
"""

import importlib.util
import sys
from types import ModuleType

if "av" not in sys.modules and importlib.util.find_spec("av") is None:
    sys.modules["av"] = ModuleType("av", "Stands in for PyAV, which is not installed.")

from faster_whisper import WhisperModel  # imported after its stand-in
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_compression_ratio, get_suppressed_tokens

__all__ = ["Tokenizer", "WhisperModel", "get_compression_ratio", "get_suppressed_tokens"]
