"""Writes a head in ONNX, the format of openWakeWord's own training. Pure.

The file is a protobuf message of a dozen fields. The onnx package would take 15 MB to write it. Its fields are those of
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

import numpy as np

from irene_wyoming.learn.head import EMBEDDINGS, SIZE, Head

FLOAT, INT64 = 1, 7
"""Values of TensorProto.DataType. Reshape takes its shape as a tensor of INT64."""

IR_VERSION, OPSET = 8, 13
"""Versions of 2022, which onnxruntime 1.11 and newer read."""


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def block(field: int, content: bytes | str) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(data)) + data


def tensor(name: str, values: np.ndarray) -> bytes:
    """Encode a TensorProto: dims, data_type, name, raw_data."""
    kind = FLOAT if values.dtype == np.float32 else INT64
    dims = b"".join(number(1, size) for size in values.shape)
    return dims + number(2, kind) + block(8, name) + block(9, values.astype(values.dtype.newbyteorder("<")).tobytes())


def node(kind: str, inputs: list[str], output: str) -> bytes:
    """Encode a NodeProto: input, output, op_type."""
    return b"".join(block(1, name) for name in inputs) + block(2, output) + block(4, kind)


def value(name: str, shape: tuple[int, ...]) -> bytes:
    """Encode a ValueInfoProto: name, type.tensor_type of floats."""
    dims = b"".join(block(1, number(1, size)) for size in shape)
    return block(1, name) + block(2, block(1, number(1, FLOAT) + block(2, dims)))


def model(head: Head) -> bytes:
    """Encode the model: [1, 16, 96] -> Reshape -> MatMul -> Add -> Sigmoid -> [1, 1]."""
    weights = head.weights.astype(np.float32).reshape(-1, 1)
    graph = b"".join(
        (
            block(1, node("Reshape", ["embeddings", "flat"], "values")),
            block(1, node("MatMul", ["values", "weights"], "product")),
            block(1, node("Add", ["product", "bias"], "sum")),
            block(1, node("Sigmoid", ["sum"], "score")),
            block(2, "word"),
            block(5, tensor("flat", np.array([1, EMBEDDINGS * SIZE], np.int64))),
            block(5, tensor("weights", weights)),
            block(5, tensor("bias", np.array([head.bias], np.float32))),
            block(11, value("embeddings", (1, EMBEDDINGS, SIZE))),
            block(12, value("score", (1, 1))),
        )
    )
    return number(1, IR_VERSION) + block(2, "irene_wyoming") + block(7, graph) + block(8, number(2, OPSET))
