"""Makes recognizers of the sherpa-onnx library for each family."""

import base64
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import sherpa_onnx

from irene_wyoming.engines.asr.sherpa.hotwords import Hotwords
from irene_wyoming.models.families import Found
from irene_wyoming.tags import primary

SCORE = 0.8
"""Bonus of each token of a hotword, as a logarithm. The library's own is 1.5. Of 180 noisy commands of a small model in
the tests, 1.5 mended 6 and spoiled 6, since names came up that nobody had said; 0.8 mended 5 and spoiled 2.
"""


def offline(found: Found, threads: int, language: str, hotwords: Hotwords | None) -> Any:
    """Make a recognizer of whole utterances.

    :param language: the spoken language, for families that need it.
    :param hotwords: None: the family takes none.
    """
    made = sherpa_onnx.OfflineRecognizer
    spoken = primary(language)
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
        "transducer": lambda kept: made.from_transducer(**three(kept), **common(kept), **leaning(kept)),
        # Beam search leaves a fifth of the utterances of Parakeet v3 empty: an open fault of the library.
        "nemo_transducer": lambda kept: made.from_transducer(
            **three(kept), **common(kept), model_type="nemo_transducer", decoding_method="greedy_search"
        ),
        "nemo_ctc": lambda kept: made.from_nemo_ctc(model=single(kept), **common(kept)),
        "nemo_canary": lambda kept: made.from_nemo_canary(
            encoder=kept["encoder"], decoder=kept["decoder"], src_lang=spoken, tgt_lang=spoken, **common(kept)
        ),
        "whisper": lambda kept: made.from_whisper(
            encoder=kept["encoder"], decoder=kept["decoder"], language=spoken, **common(kept)
        ),
        "sense_voice": lambda kept: made.from_sense_voice(
            model=single(kept), language=spoken, use_itn=True, **common(kept)
        ),
        "paraformer": lambda kept: made.from_paraformer(paraformer=single(kept), **common(kept)),
        "zipformer_ctc": lambda kept: made.from_zipformer_ctc(model=single(kept), **common(kept)),
        "wenet_ctc": lambda kept: made.from_wenet_ctc(model=single(kept), **common(kept)),
    }
    return _made(families[found.family.name], found, threads, hotwords)


def online(found: Found, threads: int, language: str, hotwords: Hotwords | None) -> Any:  # noqa: ARG001  # a signature with ``offline``
    """Make a recognizer that decodes while the person speaks."""
    made = sherpa_onnx.OnlineRecognizer
    families: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
        "online_transducer": lambda kept: made.from_transducer(**three(kept), **common(kept), **leaning(kept)),
        "online_nemo_transducer": lambda kept: made.from_transducer(**three(kept), **common(kept)),
        "online_paraformer": lambda kept: made.from_paraformer(
            encoder=kept["encoder"], decoder=kept["decoder"], **common(kept)
        ),
        "online_zipformer2_ctc": lambda kept: made.from_zipformer2_ctc(model=single(kept), **common(kept)),
        "online_nemo_ctc": lambda kept: made.from_nemo_ctc(model=single(kept), **common(kept)),
    }
    return _made(families[found.family.name], found, threads, hotwords)


def common(kept: Mapping[str, Any]) -> dict[str, Any]:
    return {"tokens": kept["tokens"], "num_threads": kept["threads"]}


def three(kept: Mapping[str, Any]) -> dict[str, str]:
    return {role: kept[role] for role in ("encoder", "decoder", "joiner")}


def single(kept: Mapping[str, Any]) -> str:
    return str(kept.get("model") or kept["ctc"])


def leaning(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with which a transducer leans towards hotwords: a beam, and how text is cut into tokens."""
    unit = kept.get("unit")
    if unit is None:
        return {}
    return {
        "decoding_method": "modified_beam_search",
        "hotwords_score": SCORE,
        "modeling_unit": unit,
        "bpe_vocab": kept["bpe.vocab"],
    }


def _made(make: Callable[[Mapping[str, Any]], Any], found: Found, threads: int, hotwords: Hotwords | None) -> Any:
    """Make a recognizer; files that the folder lacks are written temporarily."""
    kept: dict[str, Any] = {role: str(path) for role, path in found.files.items()} | {"threads": threads}
    with tempfile.TemporaryDirectory(prefix="irene-tokens-") as folder:
        if "tokens" not in kept:
            kept["tokens"] = _written(folder, "tokens.txt", tokens_text(found.files["tokenizer"].read_bytes()))
        if hotwords is not None:
            kept["unit"] = hotwords.unit
            kept.setdefault("bpe.vocab", _written(folder, "bpe.vocab", hotwords.pieces))
        return make(kept)


def _written(folder: str, name: str, text: str) -> str:
    path = Path(folder, name)
    path.write_text(text, encoding="utf-8")
    return str(path)


def tokens_text(tokenizer: bytes) -> str:
    """Convert Moonshine's ``tokenizer.bin`` to the library's form: each token in base64, and its number.

    The file has byte strings, each behind its length, which has a second byte from 128 on.

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
