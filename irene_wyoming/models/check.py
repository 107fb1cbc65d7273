"""Checks that a model folder is complete by names, sizes and first bytes, without loading the model.

The libraries that load models end the whole process on some broken files, and say little that a user could act on. Here
every message names the file and what to do.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from irene_wyoming.errors import EngineUnavailable
from irene_wyoming.models import families


class Broken(Exception):
    """Raised for a file that is not as it should be. ``check`` turns it into EngineUnavailable."""


def check(engine: str, folder: Path) -> None:
    """Check the model folder of an engine.

    :raises EngineUnavailable: the message names the file, what is wrong with it, and what to do.
    """
    try:
        CHECKS[engine](folder)
    except Broken as error:
        raise EngineUnavailable(f"{engine}: {error}; fetch the model again or give another folder") from error
    except OSError as error:
        raise EngineUnavailable(f"{engine}: {error.filename or folder}: {error.strerror}") from error


def _first(folder: Path, *names: str) -> Path:
    """The first of these files that exists and is not empty."""
    for name in names:
        path = folder / name
        if path.is_file():
            if path.stat().st_size == 0:
                raise Broken(f"{path} is empty")
            return path
    raise Broken(f"{folder} has no {' or '.join(names)}, so it is no model of this engine or an incomplete one")


# ----------------------------------------------------------------------------------------------------------------------
# Vosk


def check_vosk(folder: Path) -> None:
    """Check a Vosk model in either layout; the older one has everything in one folder."""
    flat = (folder / "final.mdl").is_file() and not (folder / "am").is_dir()
    am, conf, graph = ("", "", "") if flat else ("am/", "conf/", "graph/")
    model = _first(folder, f"{am}final.mdl")
    with model.open("rb") as file:
        if not file.read(20).lstrip(b"\0B").startswith(b"<TransitionModel>"):
            raise Broken(f"{model} is not an acoustic model of Kaldi")
        file.seek(-min(4096, model.stat().st_size), 2)
        if b"<Priors>" not in file.read() and model.stat().st_size < 4096:
            raise Broken(f"{model} is cut short")
    _first(folder, f"{conf}mfcc.conf")
    _first(folder, f"{graph}words.txt")
    if (folder / f"{graph}HCLG.fst").is_file():
        _check_fst(folder / f"{graph}HCLG.fst")
    else:
        for name in ("HCLr.fst", "Gr.fst"):
            _check_fst(_first(folder, f"{graph}{name}"))
        if not (folder / f"{graph}disambig_tid.int").is_file():
            raise Broken(f"{folder / graph} has no disambig_tid.int")


def takes_grammar(folder: Path) -> bool:
    """Whether a Vosk model can be given a grammar at run time."""
    return (folder / "graph" / "HCLr.fst").is_file() and not (folder / "graph" / "HCLG.fst").is_file()


FST_MAGIC = 2125659606
FST_STATE = 12
"""Least bytes of a state without its arcs, in OpenFst's types ``vector`` and ``const``."""
FST_ARC = 16


def _check_fst(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(4)
        if len(head) < 4 or struct.unpack("<i", head)[0] != FST_MAGIC:
            raise Broken(f"{path} is not a graph of OpenFst")
        try:
            kind, _arc = _text(file), _text(file)
            _, _, _, _, states, arcs = struct.unpack("<iiQqqq", file.read(40))
        except (struct.error, UnicodeDecodeError) as error:
            raise Broken(f"{path} is cut short") from error
    # Other types pack their arcs in ways of their own, which cannot be checked by size.
    if kind in ("vector", "const") and arcs >= 0 and size < states * FST_STATE + arcs * FST_ARC:
        raise Broken(f"{path} is cut short: {size} bytes, expected at least {states * FST_STATE + arcs * FST_ARC}")


def _text(file: BinaryIO) -> str:
    (length,) = struct.unpack("<i", file.read(4))
    if not 0 < length < 100:
        raise struct.error(f"a name of {length} bytes")
    return file.read(length).decode("ascii")


# ----------------------------------------------------------------------------------------------------------------------
# Whisper (CTranslate2)


def check_whisper(folder: Path) -> None:
    model = _first(folder, "model.bin")
    _first(folder, "config.json")
    _first(folder, "vocabulary.json", "vocabulary.txt")
    _first(folder, "tokenizer.json")
    size = model.stat().st_size
    with model.open("rb") as file:
        try:
            version, *_ = struct.unpack("<I", file.read(4))
            if not 1 <= version <= 100:
                raise Broken(f"{model} is not a model of CTranslate2; one of PyTorch has to be converted first")
            name = _counted(file)
            if not name.startswith("Whisper"):
                raise Broken(f"{model} is a {name or 'nameless'} model, expected Whisper")
            for end in _variables(file):
                if end > size:
                    raise Broken(f"{model} is cut short: {size} bytes, expected at least {end}")
        except (struct.error, UnicodeDecodeError) as error:
            raise Broken(f"{model} is cut short or not a model of CTranslate2") from error


def _counted(file: BinaryIO) -> str:
    (length,) = struct.unpack("<H", file.read(2))
    return file.read(length).rstrip(b"\0").decode()


def _variables(file: BinaryIO) -> Iterator[int]:
    """Give the offset at which each variable's data ends. Data beyond the end of the file are not read."""
    _revision, count = struct.unpack("<II", file.read(8))
    for _ in range(count):
        _counted(file)
        (rank,) = struct.unpack("<B", file.read(1))
        file.read(4 * rank)
        _kind, length = struct.unpack("<BI", file.read(5))
        yield file.tell() + length
        file.seek(length, 1)


# ----------------------------------------------------------------------------------------------------------------------
# sherpa-onnx


def check_sherpa(folder: Path) -> None:
    families.find(folder)


CHECKS: Mapping[str, Callable[[Path], None]] = {
    "vosk": check_vosk,
    "whisper": check_whisper,
    "sherpa": check_sherpa,
}
"""The check of each engine's model folder, by the engine's name."""
