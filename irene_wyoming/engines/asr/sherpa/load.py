"""Recognizers of the sherpa-onnx library, made as each family wants it."""

import base64
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import sherpa_onnx

from irene_wyoming.models.families import Found


def offline(found: Found, threads: int, language: str) -> Any:
    """A recognizer of whole utterances.

    :param language: of the speech, where a family has to be told.
    """
    made = sherpa_onnx.OfflineRecognizer
    primary = language.replace("_", "-").split("-")[0]
    families: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
        "moonshine": lambda kept: made.from_moonshine(
            preprocessor=kept["preprocess"],
            encoder=kept["encode"],
            uncached_decoder=kept["uncached_decode"],
            cached_decoder=kept["cached_decode"],
            **common(kept),
        ),
        "moonshine_v2": lambda kept: made.from_moonshine_v2(
            encoder=kept["encoder"], decoder=kept["decoder_model_merged"], **common(kept)
        ),
        "transducer": lambda kept: made.from_transducer(**three(kept), **common(kept)),
        # Beam search leaves a fifth of the utterances of Parakeet v3 empty: an open fault of the library's.
        "nemo_transducer": lambda kept: made.from_transducer(
            **three(kept), **common(kept), model_type="nemo_transducer", decoding_method="greedy_search"
        ),
        "nemo_ctc": lambda kept: made.from_nemo_ctc(model=single(kept), **common(kept)),
        "nemo_canary": lambda kept: made.from_nemo_canary(
            encoder=kept["encoder"], decoder=kept["decoder"], src_lang=primary, tgt_lang=primary, **common(kept)
        ),
        "whisper": lambda kept: made.from_whisper(
            encoder=kept["encoder"], decoder=kept["decoder"], language=primary, **common(kept)
        ),
        "sense_voice": lambda kept: made.from_sense_voice(
            model=single(kept), language=primary, use_itn=True, **common(kept)
        ),
        "paraformer": lambda kept: made.from_paraformer(paraformer=single(kept), **common(kept)),
        "zipformer_ctc": lambda kept: made.from_zipformer_ctc(model=single(kept), **common(kept)),
        "wenet_ctc": lambda kept: made.from_wenet_ctc(model=single(kept), **common(kept)),
    }
    return _made(families[found.family.name], found, threads)


def online(found: Found, threads: int, language: str) -> Any:  # noqa: ARG001  # a signature with ``offline``
    """A recognizer that decodes while the person speaks."""
    made = sherpa_onnx.OnlineRecognizer
    families: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
        "online_transducer": lambda kept: made.from_transducer(**three(kept), **common(kept)),
        "online_nemo_transducer": lambda kept: made.from_transducer(**three(kept), **common(kept)),
        "online_paraformer": lambda kept: made.from_paraformer(
            encoder=kept["encoder"], decoder=kept["decoder"], **common(kept)
        ),
        "online_zipformer2_ctc": lambda kept: made.from_zipformer2_ctc(model=single(kept), **common(kept)),
        "online_nemo_ctc": lambda kept: made.from_nemo_ctc(model=single(kept), **common(kept)),
    }
    return _made(families[found.family.name], found, threads)


def common(kept: Mapping[str, Any]) -> dict[str, Any]:
    return {"tokens": kept["tokens"], "num_threads": kept["threads"]}


def three(kept: Mapping[str, Any]) -> dict[str, str]:
    return {role: kept[role] for role in ("encoder", "decoder", "joiner")}


def single(kept: Mapping[str, Any]) -> str:
    return str(kept.get("model") or kept["ctc"])


def _made(make: Callable[[Mapping[str, Any]], Any], found: Found, threads: int) -> Any:
    kept: dict[str, Any] = {role: str(path) for role, path in found.files.items()} | {"threads": threads}
    if "tokens" in kept:
        return make(kept)
    with tempfile.TemporaryDirectory(prefix="irene-tokens-") as folder:
        listed = Path(folder, "tokens.txt")
        listed.write_text(tokens_text(found.files["tokenizer"].read_bytes()))
        return make(kept | {"tokens": str(listed)})


def tokens_text(tokenizer: bytes) -> str:
    """Moonshine's ``tokenizer.bin`` as the library wants it: each token in base64, and its number.

    The file holds byte strings, each behind its length, which has a second byte from 128 on.

    :raises ValueError: the file is cut short.
    """
    lines = list[str]()
    at = 0
    while at < len(tokenizer):
        size = tokenizer[at]
        at += 1
        if size >= 128 and at < len(tokenizer):
            size += tokenizer[at] * 128 - 128
            at += 1
        token = tokenizer[at : at + size]
        if len(token) < size:
            raise ValueError("tokenizer.bin is cut short")
        lines.append(f"{base64.b64encode(token).decode()} {len(lines)}\n")
        at += size
    return "".join(lines)
