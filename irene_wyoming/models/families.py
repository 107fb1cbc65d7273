"""Finds the family of a sherpa-onnx model from its files and their metadata, without loading it.

The library ends the whole process when it gets a model of an unexpected family. So the family is found first, from the
names of files and the metadata that the library's exporters write into ONNX files.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from irene_wyoming.errors import EngineUnavailable

ROLES = (
    *("preprocess", "uncached_decode", "cached_decode", "encoder", "encode", "decoder_model_merged", "decoder"),
    *("joiner", "ctc", "model"),
)
"""Parts of a model, as their files are named; a longer name precedes one that it contains."""

MOST_METADATA = 1_000_000
"""Most bytes of metadata that are read. The longest, SenseVoice's, has some 60 kB."""


@dataclass(frozen=True, slots=True)
class Family:
    """How models of one family are loaded and used."""

    name: str
    online: bool
    """True: the model decodes while the person speaks. False: it decodes whole utterances."""


@dataclass(frozen=True, slots=True)
class Found:
    """The model that was found in a folder."""

    family: Family
    files: Mapping[str, Path]
    """Files by role (``encoder``, ``model``, ...), and ``tokens``."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Metadata of the model's file; empty where it has none."""


OFFLINE = (
    *("moonshine", "moonshine_v2", "transducer", "nemo_transducer", "nemo_ctc", "nemo_canary"),
    *("whisper", "sense_voice", "paraformer", "zipformer_ctc", "wenet_ctc"),
)
ONLINE = (
    *("online_transducer", "online_nemo_transducer", "online_paraformer"),
    *("online_zipformer2_ctc", "online_nemo_ctc"),
)
FAMILIES: Mapping[str, Family] = {name: Family(name, name in ONLINE) for name in (*OFFLINE, *ONLINE)}
"""The families that this program can run, by name."""


def find(folder: Path) -> Found:
    """Identify the model in a folder.

    :raises EngineUnavailable: there is no model, part of one, or one of an unsupported family; the message names the
        file and says what to do.
    """
    try:
        files = _files(folder)
        _whole(files)
        metadata = _metadata_of(files)
        name = _name(files, metadata)
    except OSError as error:
        raise EngineUnavailable(f"sherpa: {error.filename or folder}: {error.strerror}") from error
    if name is None:
        known = ", ".join(sorted(FAMILIES))
        listed = ", ".join(sorted(path.name for path in files.values())) or "nothing of a model"
        raise EngineUnavailable(
            f"sherpa: {folder} holds {listed}, which is no family that is known here ({known}); "
            "unpack a release archive of sherpa-onnx into it as it is, or give another folder"
        )
    if "tokens" not in files and "tokenizer" not in files:
        raise EngineUnavailable(f"sherpa: {folder} has no tokens.txt; fetch the model again or give another folder")
    return Found(FAMILIES[name], files, metadata)


def _files(folder: Path) -> dict[str, Path]:
    """Find the parts of a model by role. Of several precisions the 8 bit one is taken: smaller and faster."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), key=lambda path: (".int8." not in path.name, path.name)):
        if not path.is_file():
            continue
        if path.suffix in (".onnx", ".ort"):
            role = next((role for role in ROLES if role in path.name), None)
            if role is not None:
                found.setdefault(role, path)
        elif path.name.endswith("tokens.txt"):
            found.setdefault("tokens", path)
        elif path.name in ("bpe.vocab", "bpe.model"):
            found.setdefault(path.name, path)
    if "tokens" not in found and (folder / "tokenizer.bin").is_file():
        found["tokenizer"] = folder / "tokenizer.bin"
    return found


def _whole(files: Mapping[str, Path]) -> None:
    for path in files.values():
        if path.stat().st_size == 0:
            raise EngineUnavailable(f"sherpa: {path} is empty; fetch the model again or give another folder")


def _metadata_of(files: Mapping[str, Path]) -> Mapping[str, str]:
    for role in ("encoder", "model", "ctc"):
        if role in files and files[role].suffix == ".onnx":
            return metadata(files[role])
    return {}


Rule = Callable[[Mapping[str, str]], str | None]


def _transducer(about: Mapping[str, str]) -> str:
    online = "decode_chunk_len" in about or "chunk_shift" in about or "window_size" in about
    nemo = about.get("model_type", "").startswith("EncDec") or "pred_hidden" in about or "pred_rnn_layers" in about
    if nemo:
        return "online_nemo_transducer" if online else "nemo_transducer"
    return "online_transducer" if online else "transducer"


def _pair(about: Mapping[str, str]) -> str | None:
    """The family of a model with an encoder and a decoder; None: unknown."""
    kind = about.get("model_type", "")
    if kind.startswith("whisper") or "n_text_layer" in about:
        return "whisper"
    if kind == "EncDecMultiTaskModel":
        return "nemo_canary"
    return "online_paraformer" if "lfr_window_size" in about else None


def _single(about: Mapping[str, str]) -> str | None:
    """The family of a model in one file; None: unknown."""
    kind = about.get("model_type", "")
    if kind.startswith("EncDec") or "normalize_type" in about or "is_giga_am" in about:
        return "online_nemo_ctc" if "chunk_shift" in about else "nemo_ctc"
    if "lfr_window_size" in about:
        return "sense_voice" if "lang_auto" in about or "with_itn" in about else "paraformer"
    if kind.startswith("zipformer"):
        return "online_zipformer2_ctc" if "decode_chunk_len" in about else "zipformer_ctc"
    return "wenet_ctc" if kind == "wenet_ctc" else None


SHAPES: Sequence[tuple[frozenset[str], Rule]] = (
    (frozenset({"preprocess", "encode", "uncached_decode", "cached_decode"}), lambda _: "moonshine"),
    (frozenset({"encoder", "decoder_model_merged"}), lambda _: "moonshine_v2"),
    (frozenset({"encoder", "decoder", "joiner"}), _transducer),
    (frozenset({"encoder", "decoder"}), _pair),
    (frozenset({"model"}), _single),
    (frozenset({"ctc"}), _single),
)
"""Sets of roles, and how metadata tells the families with that set apart. The first match is taken."""


def _name(files: Mapping[str, Path], about: Mapping[str, str]) -> str | None:
    there = files.keys()
    return next((rule(about) for roles, rule in SHAPES if roles <= there), None)


def metadata(path: Path) -> Mapping[str, str]:
    """Read the metadata of an ONNX file without loading its weights.

    The file is a protobuf message (onnx.proto3, ModelProto): all fields but ``metadata_props`` (14) are skipped.

    :raises EngineUnavailable: the file is cut short or no ONNX model.
    """
    about: dict[str, str] = {}
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            for number, content in _fields(file, size):
                if number == 14:
                    parts = dict(_strings(content))
                    about[parts.get(1, "")] = parts.get(2, "")
    except (ValueError, EOFError, UnicodeDecodeError) as error:
        raise EngineUnavailable(
            f"sherpa: {path} is cut short or no ONNX model; fetch the model again or give another folder"
        ) from error
    return about


def _fields(file: BinaryIO, size: int) -> Iterator[tuple[int, bytes]]:
    """Iterate over the length-delimited fields of a message; the content of large ones is skipped."""
    while file.tell() < size:
        key = _varint(file)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise ValueError("field 0")
        if wire == 0:
            _varint(file)
        elif wire == 2:
            length = _varint(file)
            if file.tell() + length > size:
                raise EOFError
            if number == 14 and length <= MOST_METADATA:
                yield number, file.read(length)
            else:
                file.seek(length, 1)
        elif wire in (1, 5):
            file.seek(8 if wire == 1 else 4, 1)
        else:
            raise ValueError(f"wire type {wire}")


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise EOFError
        value |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return value
    raise ValueError("a number of more than 70 bits")


def _strings(content: bytes) -> Iterator[tuple[int, str]]:
    """The strings of a small message, by field number."""
    at = 0
    while at < len(content):
        number, at = content[at] >> 3, at + 1
        length, shift = 0, 0
        while True:
            byte = content[at]
            at, length, shift = at + 1, length | (byte & 127) << shift, shift + 7
            if byte < 128:
                break
        yield number, content[at : at + length].decode()
        at += length
