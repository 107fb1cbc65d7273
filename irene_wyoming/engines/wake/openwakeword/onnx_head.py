"""OnnxHead: an openWakeWord model of one word in ONNX, over our own features. Only this module loads onnxruntime."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irene_wyoming.errors import EngineFailed


class OnnxHead:
    """Turns embeddings into a score, on the calling thread."""

    def __init__(self, path: Path, content: bytes, sizes: tuple[int, int]) -> None:
        """:param sizes: most embeddings that it may look at, and the length of each.
        :raises EngineFailed: the model is damaged, or of no wake word.
        """
        import onnxruntime  # needs an extra

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # streams run in parallel, not a word's layers
        options.log_severity_level = 4  # errors are raised
        self._path = path
        try:
            self._session: Any = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime's own classes have no other base
            raise EngineFailed(f"{path}: a damaged ONNX model, or none: {reason(error)}") from error
        most, size = sizes
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        shape = list(inputs[0].shape) if len(inputs) == 1 else []
        if (
            len(shape) != 3
            or len(outputs) != 1
            or inputs[0].type != "tensor(float)"
            or shape[2] != size
            or not isinstance(shape[1], int)
            or not 1 <= shape[1] <= most
        ):
            raise EngineFailed(
                f"{path}: another kind of model: {len(outputs)} outputs, inputs of shape "
                f"{[tensor.shape for tensor in inputs]}, expected one output and [1, 16, {size}]"
            )
        self.embeddings: int = shape[1]
        """Number of last embeddings that it looks at."""
        self._input: str = inputs[0].name

    def score(self, embeddings: NDArray[np.float32]) -> float:
        """Score embeddings ``(self.embeddings or more, size)``, 0 to 1.

        :raises EngineFailed: the model fails, or gives more than one number.
        """
        try:
            (output,) = self._session.run(None, {self._input: embeddings[None, -self.embeddings :]})
        except Exception as error:  # the runtime's own classes have no other base
            raise EngineFailed(f"{self._path}: the model failed while it ran: {reason(error)}") from error
        if output.size != 1:
            raise EngineFailed(f"{self._path}: another kind of model: {output.size} scores, expected one")
        return float(output.item())

    def close(self) -> None:
        """Do nothing: the session is freed with its last stream."""


def reason(error: Exception) -> str:
    """The first line of a runtime's message, without internals."""
    return str(error).splitlines()[0][:200]
