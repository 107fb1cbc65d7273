"""Model files as users may have them: good ones, and every kind of bad one."""

import json
from pathlib import Path

from irene_wyoming.engines.wake.packages import PYMICRO_WAKEWORD, PYOPEN_WAKEWORD

OPENWAKEWORD = PYOPEN_WAKEWORD.folder() / "models"
MICROWAKEWORD = PYMICRO_WAKEWORD.folder() / "models"

OWN_WORD = (OPENWAKEWORD / "hey_jarvis.tflite").read_bytes()
"""An openWakeWord model, to be put into a folder under another name."""

MICRO_WORD = (MICROWAKEWORD / "hey_jarvis.tflite").read_bytes()
MICRO_DESCRIPTION = json.loads((MICROWAKEWORD / "hey_jarvis.json").read_text(encoding="utf-8"))

CRASHING = bytearray((OPENWAKEWORD / "okay_nabu.tflite").read_bytes())
"""A model that passes the library's own check and then crashes the process that runs it (SIGSEGV)."""
CRASHING[203_604:203_608] = b"\xff" * 4

USELESS = {
    "empty": (b"", "an empty file"),
    "page": (b"<!DOCTYPE html><html><body>Not found</body></html>", "a web page"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a Git LFS pointer"),
    "zip": (b"PK\x03\x04" + bytes(100), "a ZIP archive"),
    "truncated": (OWN_WORD[: len(OWN_WORD) // 2], "a damaged TensorFlow Lite model"),
    "features": ((OPENWAKEWORD / "melspectrogram.tflite").read_bytes(), "another kind|of another kind"),
    "embedding": ((OPENWAKEWORD / "embedding_model.tflite").read_bytes(), "another kind"),
    "micro": (MICRO_WORD, "another kind"),
    "crashing": (bytes(CRASHING), "crashes the program that runs it"),
}
"""Useless files in the folder of openWakeWord's models: content, and the reason for refusing it."""


def put_micro(folder: Path, name: str, content: bytes = MICRO_WORD) -> None:
    """Put a microWakeWord model and its description into a folder."""
    (folder / f"{name}.tflite").write_bytes(content)
    description = MICRO_DESCRIPTION | {"wake_word": name.replace("_", " ").title(), "model": f"{name}.tflite"}
    (folder / f"{name}.json").write_text(json.dumps(description), encoding="utf-8")
