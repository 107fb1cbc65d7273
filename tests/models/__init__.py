"""Small real models for the tests, and the scripts that made them. README.md tells where they come from."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from zipfile import ZipFile

VOSK = Path(__file__).with_name("vosk-tiny")
"""The folder of a vosk model for English commands; it can be given a grammar."""


def whisper() -> Path:
    """The folder of a whisper model for English commands. It is archived, since add-on stores take any config.json for
    a manifest.
    """
    return _unpacked("whisper-tiny") / "whisper-tiny"


def sherpa(name: str) -> Path:
    """A folder for the sherpa engine. For English commands: ``zipformer-ctc-en``, ``transducer-en``, ``nemo-ctc-en``;
    streaming ones: ``streaming-transducer-en``, ``streaming-nemo-ctc-en``. For German commands: ``zipformer-ctc-de``.
    """
    return _unpacked("sherpa-tiny") / name


@cache
def _unpacked(archive: str) -> Path:
    """The folder with an archive's content: unpacked once, removed after the tests."""
    folder = Path(tempfile.mkdtemp(prefix=f"{archive}-"))
    atexit.register(shutil.rmtree, folder)
    with ZipFile(Path(__file__).with_name(f"{archive}.zip")) as opened:
        opened.extractall(folder)
    return folder
