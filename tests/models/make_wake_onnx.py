"""Makes tests/models/hey_jarvis.onnx: a word's model in ONNX, small enough for a repository. Needs the package onnx.

    python -m tests.models.make_wake_onnx

One layer over the last 16 embeddings, fitted by ridge regression to tell the recordings of hey_jarvis in tests/speech
(where the packaged model hears it) from everything else there. A model for tests, not for homes.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.engines.wake.openwakeword.engine import EMBEDDING_SIZE, EMBEDDINGS, Features, Head, Silence
from irene_wyoming.engines.wake.openwakeword.engine import OpenWakeWordStream as Stream
from irene_wyoming.engines.wake.packages import PYOPEN_WAKEWORD
from irene_wyoming.engines.wake.tflite import Runtime
from tests.engines.wake.speech import SOUNDS, SYNTHESISED, read, silence

PACKAGE = PYOPEN_WAKEWORD.folder()
TARGET = Path(__file__).parent / "hey_jarvis.onnx"


class Tap:
    """A head that keeps its inputs."""

    def __init__(self, head: Head) -> None:
        self.head = head
        self.embeddings = head.embeddings
        self.rows: list[NDArray[np.float32]] = []
        self.scores: list[float] = []

    def score(self, embeddings: NDArray[np.float32]) -> float:
        self.rows.append(embeddings[-EMBEDDINGS:].reshape(-1).copy())
        self.scores.append(self.head.score(embeddings))
        return self.scores[-1]

    def close(self) -> None:
        self.head.close()


def main() -> None:
    runtime = Runtime.of_package(PACKAGE)
    features = Features(runtime, PACKAGE / "models")
    tap = Tap(Head(runtime, PACKAGE / "models" / "hey_jarvis.tflite"))
    quiet = Silence(features)
    for pcm in [*map(read, SYNTHESISED), *SOUNDS.values()]:
        stream = Stream(features, quiet, {"hey_jarvis": tap})
        for start in range(0, len(pcm + silence(1)), 2560):
            list(stream.push((pcm + silence(1))[start : start + 2560]))
    rows = np.array(tap.rows, np.float64)
    wanted = np.where(np.array(tap.scores) > 0.5, 6.0, -6.0)
    middle = rows.mean(axis=0)
    centred = rows - middle
    weights = centred.T @ np.linalg.solve(centred @ centred.T + 300 * np.eye(len(rows)), wanted - wanted.mean())
    write(weights.astype(np.float32), float(wanted.mean() - middle @ weights))
    features.close()


def write(weights: NDArray[np.float32], bias: float) -> None:
    onnx: Any = import_module("onnx")
    helper, tensors = onnx.helper, onnx.numpy_helper
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["x"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weights", "bias"], ["sum"]),
            helper.make_node("Sigmoid", ["sum"], ["score"]),
        ],
        "hey_jarvis",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, EMBEDDINGS, EMBEDDING_SIZE])],
        [helper.make_tensor_value_info("score", onnx.TensorProto.FLOAT, [1, 1])],
        [
            tensors.from_array(weights.reshape(-1, 1), "weights"),
            tensors.from_array(np.array([bias], np.float32), "bias"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    TARGET.write_bytes(model.SerializeToString())
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
