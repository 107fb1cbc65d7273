"""Families told apart by files and metadata: real small models, and folders with the metadata of published ones."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from irene_wyoming.errors import EngineUnavailable
from irene_wyoming.models.families import FAMILIES, find, metadata
from tests.models import sherpa


def onnx_file(path: Path, about: Mapping[str, str]) -> None:
    """Write the outside of an ONNX model: its version, an empty graph, and its metadata."""

    def length(content: bytes) -> bytes:
        size, told = len(content), b""
        while size >= 128:
            told, size = told + bytes([size & 127 | 128]), size >> 7
        return told + bytes([size]) + content

    def text(number: int, value: str) -> bytes:
        return bytes([number << 3 | 2]) + length(value.encode())

    graph = b"\x3a" + length(bytes(3_000))
    path.write_bytes(
        b"\x08\x08" + graph + b"".join(b"\x72" + length(text(1, k) + text(2, v)) for k, v in about.items())
    )


PUBLISHED = [
    ("nemo_transducer", ("encoder.int8", "decoder.int8", "joiner.int8"), {"model_type": "EncDecRNNTBPEModel"}),
    (
        "online_nemo_transducer",
        ("encoder", "decoder", "joiner"),
        {"model_type": "EncDecHybridRNNTCTCBPEModel", "window_size": "113", "chunk_shift": "105"},
    ),
    (
        "transducer",
        ("encoder-epoch-30-avg-1", "decoder-epoch-30-avg-1", "joiner-epoch-30-avg-1"),
        {"model_type": "zipformer2"},
    ),
    (
        "online_transducer",
        ("encoder-epoch-99-avg-1-chunk-16-left-128", "decoder-epoch-99-avg-1", "joiner-epoch-99-avg-1"),
        {"model_type": "zipformer2", "decode_chunk_len": "32", "T": "45"},
    ),
    ("whisper", ("base-encoder.int8", "base-decoder.int8"), {"model_type": "whisper-base", "n_text_layer": "6"}),
    ("nemo_canary", ("encoder.int8", "decoder.int8"), {"model_type": "EncDecMultiTaskModel"}),
    ("online_paraformer", ("encoder.int8", "decoder.int8"), {"lfr_window_size": "7"}),
    ("sense_voice", ("model.int8",), {"lfr_window_size": "7", "with_itn": "14", "lang_auto": "0"}),
    ("paraformer", ("model.int8",), {"lfr_window_size": "7", "vocab_size": "8404"}),
    ("nemo_ctc", ("model",), {"model_type": "EncDecCTCModelBPE", "normalize_type": "per_feature"}),
    ("zipformer_ctc", ("model.int8",), {"model_type": "zipformer2_ctc"}),
    (
        "online_zipformer2_ctc",
        ("ctc-epoch-20-avg-1-chunk-16-left-128.int8",),
        {"model_type": "zipformer2", "decode_chunk_len": "32"},
    ),
    ("moonshine", ("preprocess", "encode.int8", "uncached_decode.int8", "cached_decode.int8"), {}),
]


@pytest.mark.parametrize(("family", "files", "about"), PUBLISHED)
def test_published_folders_are_told_apart(
    tmp_path: Path, family: str, files: tuple[str, ...], about: Mapping[str, str]
) -> None:
    for name in files:
        onnx_file(tmp_path / f"{name}.onnx", about)
    (tmp_path / "tokens.txt").write_text("<blk> 0\n")
    assert find(tmp_path).family is FAMILIES[family]


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("zipformer-ctc-en", "zipformer_ctc"),
        ("nemo-ctc-en", "nemo_ctc"),
        ("streaming-nemo-ctc-en", "online_nemo_ctc"),
    ],
)
def test_real_models_are_told_apart(name: str, family: str) -> None:
    assert find(sherpa(name)).family.name == family


def test_the_8_bit_file_is_taken_where_both_are_there(tmp_path: Path) -> None:
    for name in ("model.onnx", "model.int8.onnx"):
        onnx_file(tmp_path / name, {"model_type": "zipformer2_ctc"})
    (tmp_path / "tokens.txt").write_text("<blk> 0\n")
    assert find(tmp_path).files["model"].name == "model.int8.onnx"


def test_an_empty_folder_and_an_unknown_family_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"nothing of a model.*release archive"):
        find(tmp_path)
    onnx_file(tmp_path / "model.onnx", {"model_type": "tdnn_lstm"})
    with pytest.raises(EngineUnavailable, match=r"model\.onnx.*no family that is known"):
        find(tmp_path)


def test_a_model_without_its_tokens_names_them(tmp_path: Path) -> None:
    onnx_file(tmp_path / "model.onnx", {"model_type": "zipformer2_ctc"})
    with pytest.raises(EngineUnavailable, match=r"no tokens\.txt"):
        find(tmp_path)


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").touch()
    with pytest.raises(EngineUnavailable, match=r"model\.onnx is empty"):
        find(tmp_path)


@pytest.mark.parametrize("kept", [1, 100, 2_000, 3_010])
def test_a_file_that_is_cut_short_is_named(tmp_path: Path, kept: int) -> None:
    whole = tmp_path / "whole.onnx"
    onnx_file(whole, {"model_type": "zipformer2_ctc"})
    cut = tmp_path / "model.onnx"
    cut.write_bytes(whole.read_bytes()[:kept])
    with pytest.raises(EngineUnavailable, match=r"model\.onnx is cut short or no ONNX model"):
        metadata(cut)


def test_a_page_of_html_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"<html><body>404 not found</body></html>" * 40)
    with pytest.raises(EngineUnavailable, match=r"model\.onnx is cut short or no ONNX model"):
        find(tmp_path)
