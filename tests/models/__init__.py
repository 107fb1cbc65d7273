"""Small real models for the tests, and the scripts that made them. README.md tells where they come from."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from zipfile import ZipFile

VOSK = Path(__file__).with_name("vosk-tiny")
"""English commands, for the vosk engine; it can be given a grammar."""


@cache
def whisper() -> Path:
    """Likewise, for whisper. Unpacked once, gone after the tests: in the tree it is an archive, since a store
    of add-ons takes every config.json that it finds there for a manifest.
    """
    folder = Path(tempfile.mkdtemp(prefix="whisper-"))
    atexit.register(shutil.rmtree, folder)
    with ZipFile(Path(__file__).with_name("whisper-tiny.zip")) as archive:
        archive.extractall(folder)
    return folder / "whisper-tiny"
