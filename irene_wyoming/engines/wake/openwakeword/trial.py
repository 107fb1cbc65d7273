"""The test of a user's own openWakeWord model, in the child process of ``engines/wake/trials.py``."""

from importlib import import_module

import numpy as np

from irene_wyoming.engines.wake.openwakeword.engine import EMBEDDING_SIZE, Head, onnx_head
from irene_wyoming.engines.wake.packages import PYOPEN_WAKEWORD
from irene_wyoming.engines.wake.tflite import Runtime
from irene_wyoming.engines.wake.trials import UNNAMED, Trial, check, features


def tflite() -> Trial:
    """Make the test of TensorFlow Lite models."""
    runtime = Runtime.of_package(PYOPEN_WAKEWORD.folder())

    def trial(content: bytes) -> None:
        head = Head(runtime, UNNAMED, content)
        for embeddings in features((head.embeddings, EMBEDDING_SIZE), 20.0):
            check(head.score(embeddings.astype(np.float32)))
        head.close()

    return trial


def onnx() -> Trial:
    """Make the test of ONNX models."""
    import_module("onnxruntime")  # loaded before memory is limited

    def trial(content: bytes) -> None:
        head = onnx_head(UNNAMED, content)
        for embeddings in features((head.embeddings, EMBEDDING_SIZE), 20.0):
            check(head.score(embeddings.astype(np.float32)))

    return trial
