"""Small real models for the tests, and the scripts that made them. README.md tells where they come from."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from zipfile import ZipFile

VOSK = Path(__file__).with_name("vosk-tiny")
"""English commands, for the vosk engine; it can be given a grammar."""


def whisper() -> Path:
    """English commands, for the whisper engine. In the tree it is an archive, since a store of add-ons takes every
    config.json that it finds there for a manifest.
    """
    return _unpacked("whisper-tiny") / "whisper-tiny"


def sherpa(name: str) -> Path:
    """A folder for the sherpa engine. For English commands: ``zipformer-ctc-en``, ``transducer-en``, ``nemo-ctc-en``;
    streaming ones: ``streaming-transducer-en``, ``streaming-nemo-ctc-en``. For German commands: ``zipformer-ctc-de``.
    """
    return _unpacked("sherpa-tiny") / name


@cache
def _unpacked(archive: str) -> Path:
    """The folder with what an archive beside this file holds: unpacked once, gone after the tests."""
    folder = Path(tempfile.mkdtemp(prefix=f"{archive}-"))
    atexit.register(shutil.rmtree, folder)
    with ZipFile(Path(__file__).with_name(f"{archive}.zip")) as opened:
        opened.extractall(folder)
    return folder
