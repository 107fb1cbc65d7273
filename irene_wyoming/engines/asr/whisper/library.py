"""What is used of faster-whisper. It loads without PyAV, too.

faster-whisper decodes files with PyAV, which takes 100 MB of disk, and imports it at once. Whisper is given samples
here, never files. So an installation may leave PyAV out, as the image does, and an empty module stands in for it.
"""

import importlib.util
import sys
from types import ModuleType

if "av" not in sys.modules and importlib.util.find_spec("av") is None:
    sys.modules["av"] = ModuleType("av", "Stands in for PyAV, which is not installed.")

from faster_whisper import WhisperModel  # behind its stand-in
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_compression_ratio, get_suppressed_tokens

__all__ = ["Tokenizer", "WhisperModel", "get_compression_ratio", "get_suppressed_tokens"]
