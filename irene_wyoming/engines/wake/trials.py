"""What the child of ``probe`` does with one model: loads it as its engine would, and runs it over some features.

Each trial is made once, which loads what all models of its kind need, and is then given one model after another. It
raises EngineFailed for a model that is of no use.
"""

from collections.abc import Callable, Iterator
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.engines.wake import microwakeword, openwakeword
from irene_wyoming.engines.wake.probe import UNNAMED
from irene_wyoming.engines.wake.tflite import Model, Runtime, package_dir
from irene_wyoming.errors import EngineFailed

STEPS = 24
"""Of each kind of features."""

Trial = Callable[[bytes], None]


def openwakeword_tflite() -> Trial:
    from irene_wyoming.engines.wake.openwakeword_engine import EMBEDDING_SIZE, Head

    runtime = Runtime.of_package(package_dir(openwakeword.PACKAGE, openwakeword.INSTALL))

    def trial(content: bytes) -> None:
        head = Head(runtime, UNNAMED, content)
        for embeddings in features((head.embeddings, EMBEDDING_SIZE), 20.0):
            check(head.score(embeddings.astype(np.float32)))
        head.close()

    return trial


def openwakeword_onnx() -> Trial:
    from irene_wyoming.engines.wake.openwakeword_engine import EMBEDDING_SIZE, onnx_head

    import_module("onnxruntime")  # before memory is limited

    def trial(content: bytes) -> None:
        head = onnx_head(UNNAMED, content)
        for embeddings in features((head.embeddings, EMBEDDING_SIZE), 20.0):
            check(head.score(embeddings.astype(np.float32)))

    return trial


def microwakeword_tflite() -> Trial:
    from irene_wyoming.engines.wake.microwakeword_engine import FEATURES, Word

    runtime = Runtime.of_package(package_dir(microwakeword.PACKAGE, microwakeword.INSTALL))

    def trial(content: bytes) -> None:
        model = Model(runtime, UNNAMED, content)
        word = Word(model, sliding_window=1)
        for rows in features((10, FEATURES), 26.0):
            for row in rows:
                score = word.push(np.abs(row))
                check(0.0 if score is None else score)
        word.close()
        model.close()

    return trial


TRIALS: dict[str, Callable[[], Trial]] = {
    "openwakeword": openwakeword_tflite,
    "openwakeword-onnx": openwakeword_onnx,
    "microwakeword": microwakeword_tflite,
}


def features(shape: tuple[int, ...], scale: float) -> Iterator[NDArray[np.float64]]:
    """Zeros, ordinary values and extreme ones."""
    random = np.random.default_rng(1)
    for _ in range(STEPS):
        yield np.zeros(shape)
        yield random.normal(size=shape) * scale / 3
        yield random.choice((-scale, scale), shape)


def check(score: float) -> None:
    """:raises EngineFailed: no score."""
    if not -1e-3 <= score <= 1 + 1e-3:  # in this form a NaN is refused too
        raise EngineFailed(f"{UNNAMED}: gives a score of {score:g}; expected 0 to 1")
