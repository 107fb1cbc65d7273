"""sherpa-onnx with the model that the engine ``guided`` has, beside it: open transcripts, no command grammar.

Needs PyPI sherpa-onnx, and moonshine-voice for the model.
"""

import base64
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from irene_wyoming.audio.format import SPEECH
from irene_wyoming.bench import usage
from irene_wyoming.bench.asr import Answer, AsrRow, Cost, Subject, sounds, summed_up
from irene_wyoming.bench.mixing import Condition
from irene_wyoming.bench.people import Folder
from irene_wyoming.errors import EngineUnavailable
from irene_wyoming.household.alone import alone
from irene_wyoming.wire.hear import HeardText

NAME = "sherpa-onnx"


def measure(folder: Folder, condition: Condition) -> tuple[AsrRow, list[Answer]]:
    """A folder under a condition, in a fresh process with one thread. The delay is the time to decode.

    :raises EngineUnavailable: a package is missing.
    """
    model()
    audio = sounds(folder, condition)
    texts, cost = alone(decoded, audio)
    answers = [
        Answer(spoken, SPEECH.seconds(len(pcm)), HeardText(text, "en", taken, took_s=taken))
        for spoken, pcm, (text, taken) in zip(folder.spoken, audio, texts, strict=True)
    ]
    return summed_up(Subject(NAME, "moonshine tiny", folder.name, condition), answers, cost), answers


def decoded(audio: Sequence[bytes]) -> tuple[list[tuple[str, float]], Cost]:
    """Each text and the seconds that it took. For a process of its own."""
    with TemporaryDirectory() as folder:
        recogniser = recogniser_of(model(), Path(folder))
        text_of(recogniser, bytes(SPEECH.rate * SPEECH.frame_bytes))  # what is allocated once
        texts, used = [], time.process_time()
        for pcm in audio:
            began = time.perf_counter()
            texts.append((text_of(recogniser, pcm), time.perf_counter() - began))
        used = time.process_time() - used
    seconds = sum(SPEECH.seconds(len(pcm)) for pcm in audio)
    resident, proportional = usage.resident_bytes(), usage.proportional_bytes()
    return texts, Cost(used / seconds, resident and resident / 1e6, proportional and proportional / 1e6)


def recogniser_of(model: Path, folder: Path) -> Any:
    tokens = folder / "tokens.txt"
    listed = (f"{base64.b64encode(token).decode()} {number}" for number, token in enumerate(pieces(model)))
    tokens.write_text("\n".join(listed), encoding="ascii")
    return import_module("sherpa_onnx").OfflineRecognizer.from_moonshine_v2(
        encoder=str(model / "encoder_model.ort"),
        decoder=str(model / "decoder_model_merged.ort"),
        tokens=str(tokens),
        num_threads=1,
    )


def text_of(recogniser: Any, pcm: bytes) -> str:
    stream = recogniser.create_stream()
    stream.accept_waveform(SPEECH.rate, np.frombuffer(pcm, "<i2").astype(np.float32) / 2**15)
    recogniser.decode_stream(stream)
    return str(stream.result.text).strip()


def pieces(model: Path) -> Iterator[bytes]:
    """The tokens of tokenizer.bin: each with its length before it, of two bytes from 128 on."""
    data, at = (model / "tokenizer.bin").read_bytes(), 0
    while at < len(data):
        size, at = data[at], at + 1
        if size >= 128:
            size, at = size - 128 + data[at] * 128, at + 1
        yield data[at : at + size]
        at += size


def model() -> Path:
    """The folder of the model, found without importing its package, which would load PortAudio.

    :raises EngineUnavailable: a package is missing.
    """
    found = find_spec("moonshine_voice")
    if found is None or found.origin is None or find_spec("sherpa_onnx") is None:
        raise EngineUnavailable("--sherpa: pip install sherpa-onnx moonshine-voice==0.0.73")
    return Path(found.origin).parent / "assets" / "tiny-en"
