"""A thin binding to the TensorFlow Lite C library in the wake word wheels.

Runtime is the loaded library, Model a checked file, Interpreter one set of tensors that runs a model. Every status and
pointer is checked: the library crashes the process on NULL.
"""

import ctypes
import weakref
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irene_wyoming import files
from irene_wyoming.engines.wake.quiet import without
from irene_wyoming.errors import EngineFailed, EngineUnavailable

_Handle = ctypes.c_void_p
_Status = ctypes.c_int


class _Quantization(ctypes.Structure):
    _fields_ = (("scale", ctypes.c_float), ("zero_point", ctypes.c_int32))


_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "TfLiteModelCreate": (_Handle, (ctypes.c_char_p, ctypes.c_size_t)),
    "TfLiteModelDelete": (None, (_Handle,)),
    "TfLiteInterpreterOptionsCreate": (_Handle, ()),
    "TfLiteInterpreterOptionsDelete": (None, (_Handle,)),
    "TfLiteInterpreterOptionsSetNumThreads": (None, (_Handle, ctypes.c_int32)),
    "TfLiteInterpreterOptionsAddDelegate": (None, (_Handle, _Handle)),
    "TfLiteXNNPackDelegateCreate": (_Handle, (ctypes.c_void_p,)),
    "TfLiteXNNPackDelegateDelete": (None, (_Handle,)),
    "TfLiteInterpreterCreate": (_Handle, (_Handle, _Handle)),
    "TfLiteInterpreterDelete": (None, (_Handle,)),
    "TfLiteInterpreterResizeInputTensor": (
        _Status,
        (_Handle, ctypes.c_int32, ctypes.POINTER(ctypes.c_int), ctypes.c_int32),
    ),
    "TfLiteInterpreterAllocateTensors": (_Status, (_Handle,)),
    "TfLiteInterpreterInvoke": (_Status, (_Handle,)),
    "TfLiteInterpreterGetInputTensorCount": (ctypes.c_int32, (_Handle,)),
    "TfLiteInterpreterGetOutputTensorCount": (ctypes.c_int32, (_Handle,)),
    "TfLiteInterpreterGetInputTensor": (_Handle, (_Handle, ctypes.c_int32)),
    "TfLiteInterpreterGetOutputTensor": (_Handle, (_Handle, ctypes.c_int32)),
    "TfLiteTensorType": (ctypes.c_int, (_Handle,)),
    "TfLiteTensorNumDims": (ctypes.c_int32, (_Handle,)),
    "TfLiteTensorDim": (ctypes.c_int32, (_Handle, ctypes.c_int32)),
    "TfLiteTensorByteSize": (ctypes.c_size_t, (_Handle,)),
    "TfLiteTensorQuantizationParams": (_Quantization, (_Handle,)),
    "TfLiteTensorCopyFromBuffer": (_Status, (_Handle, ctypes.c_void_p, ctypes.c_size_t)),
    "TfLiteTensorCopyToBuffer": (_Status, (_Handle, ctypes.c_void_p, ctypes.c_size_t)),
}

_QUICK = ("TfLiteTensorCopyFromBuffer", "TfLiteTensorCopyToBuffer")
"""Functions that copy a few kilobytes, called without releasing Python's lock. While the event loop is busy, each
release costs up to 5 ms, and a step of openWakeWord did so nine times.
"""

_INVOKE = "TfLiteInterpreterInvoke"

XNNPACK_LINE = b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU."

_DTYPES = {1: np.float32, 3: np.uint8, 9: np.int8}
"""Types of wake word models' inputs and outputs, by TfLiteType."""

MAX_MODEL_BYTES = 16 * 1024 * 1024
"""Most bytes of a model. Wake word models have 50 kB to 1.3 MB; a larger file is not read into memory."""


class Runtime:
    """The loaded library, which stays loaded until the process ends."""

    def __init__(self, path: Path) -> None:
        """Load the library; raises EngineUnavailable where that fails."""
        self.path = path
        try:
            library, quick = ctypes.CDLL(str(path)), ctypes.PyDLL(str(path))
            for name in _QUICK:
                setattr(library, name, getattr(quick, name))
            for name, (result, arguments) in _FUNCTIONS.items():
                function = getattr(library, name)
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            raise EngineUnavailable(f"{path}: cannot load the TensorFlow Lite library: {error}") from error
        self.c = library
        self.invoke_quickly: Any = getattr(quick, _INVOKE)
        """TfLiteInterpreterInvoke, called without releasing Python's lock."""
        self.invoke_quickly.restype, self.invoke_quickly.argtypes = _FUNCTIONS[_INVOKE]

    @classmethod
    def of_package(cls, folder: Path) -> "Runtime":
        """Load the library in ``folder``/lib of an installed wheel.

        :raises EngineUnavailable: there is none, or it cannot be loaded.
        """
        found = sorted(folder.glob("lib/*tensorflowlite_c.*"))
        if not found:
            raise EngineUnavailable(
                f"{folder / 'lib'}: no TensorFlow Lite library; the package was built for another platform"
            )
        return cls(found[0])


class Model:
    """A model in memory, shared by its interpreters. Freed at ``close``, or with its last reference."""

    def __init__(self, runtime: Runtime, path: Path, content: bytes | None = None) -> None:
        """:param content: the file's content, where it has been read already; ``path`` then only names it.
        :raises EngineFailed: the file is missing, is no TensorFlow Lite model, or is damaged.
        """
        self.runtime = runtime
        self.path = path
        # Read, not mapped: replacing or truncating a mapped file in use would crash the process.
        self._content = read_model(path) if content is None else content
        self._handle: int | None = runtime.c.TfLiteModelCreate(self._content, len(self._content))
        if not self._handle:
            raise EngineFailed(f"{path}: a damaged TensorFlow Lite model; get the file again")
        self._delete = weakref.finalize(self, runtime.c.TfLiteModelDelete, self._handle)

    @property
    def handle(self) -> int:
        """The C pointer; raises EngineFailed where the model is closed."""
        if self._handle is None:
            raise EngineFailed(f"{self.path.name}: the model is closed")
        return self._handle

    def close(self) -> None:
        """Close the model; its interpreters go on working. May be called more than once."""
        self._handle = None
        self._delete()


class Tensor:
    """An input or output of an interpreter, and the array that is copied to or from it."""

    def __init__(self, model: Model, handle: int) -> None:
        c = model.runtime.c
        kind = c.TfLiteTensorType(handle)
        if kind not in _DTYPES:
            raise EngineFailed(f"{model.path}: tensor of type {kind}; expected float32, int8 or uint8")
        shape = tuple(c.TfLiteTensorDim(handle, n) for n in range(c.TfLiteTensorNumDims(handle)))
        self.array: NDArray[Any] = np.zeros(shape, dtype=_DTYPES[kind])
        """The array, C-contiguous, in the tensor's own type; the same object while the interpreter lives."""
        if self.array.nbytes != c.TfLiteTensorByteSize(handle):
            raise EngineFailed(f"{model.path}: {c.TfLiteTensorByteSize(handle)} bytes for a tensor of shape {shape}")
        quantization = c.TfLiteTensorQuantizationParams(handle)
        self.scale: float = quantization.scale
        """Scale of an integer tensor: value = (integer - zero_point) * scale. 0 for float32."""
        self.zero_point: int = quantization.zero_point
        self.arguments = (handle, self.array.ctypes.data, self.array.nbytes)


class Interpreter:
    """Runs a model with one input and one output, on the calling thread. Holds the state of a stateful model.

    Write ``input.array``, call ``invoke``, read ``output.array``. Freed at ``close``, or with its last reference, since
    a stream may outlive the offer of its word.
    """

    def __init__(
        self, model: Model, *, input_shape: Sequence[int] | None = None, xnnpack: bool = False, slow: bool = False
    ) -> None:
        """:param input_shape: shape of the input, for models that leave it open.
        :param xnnpack: faster for large float graphs, at the price of a second copy of their weights.
        :param slow: whether a run takes more than a fraction of a millisecond. Other runs keep Python's lock, since
            getting it back takes longer while the event loop is busy.
        :raises EngineFailed: the model does not run here.
        """
        self._model = model
        self._c = model.runtime.c
        self._invoke = self._c.TfLiteInterpreterInvoke if slow else model.runtime.invoke_quickly
        with ExitStack() as undo:
            with without(XNNPACK_LINE) if xnnpack else nullcontext():
                self._handle: int | None = self._create(undo, xnnpack)
            if input_shape is not None:
                sizes = (ctypes.c_int * len(input_shape))(*input_shape)
                self._check(
                    self._c.TfLiteInterpreterResizeInputTensor(self._handle, 0, sizes, len(sizes)),
                    f"does not take input of shape {tuple(input_shape)}",
                )
            self._check(
                self._c.TfLiteInterpreterAllocateTensors(self._handle),
                "cannot be prepared: damaged, or of another kind",
            )
            self.input = Tensor(model, self._pointer(self._c.TfLiteInterpreterGetInputTensor(self._handle, 0), "input"))
            self.output = Tensor(
                model, self._pointer(self._c.TfLiteInterpreterGetOutputTensor(self._handle, 0), "output")
            )
            self._release = weakref.finalize(self, undo.pop_all().close)

    def expect(self, input_shape: tuple[int, ...], output_shape: tuple[int, ...], *, quantized: bool = False) -> None:
        """Check shapes and float32 (or 8-bit integers); raises EngineFailed where the model is of another kind."""
        for what, tensor, shape in (("input", self.input, input_shape), ("output", self.output, output_shape)):
            found = tensor.array
            if found.shape != shape or (found.dtype != np.float32) != quantized or (tensor.scale > 0) != quantized:
                raise EngineFailed(
                    f"{self._model.path}: another kind of model: {what} of shape {found.shape} and type {found.dtype}, "
                    f"expected {shape} and {'8-bit integers with a scale' if quantized else 'float32'}"
                )

    def invoke(self) -> None:
        """Take ``input.array``, run the model once, fill ``output.array``.

        :raises EngineFailed: it is closed, or the model fails.
        """
        if self._handle is None:
            raise EngineFailed(f"{self._model.path.name}: the interpreter is closed")
        status = (
            self._c.TfLiteTensorCopyFromBuffer(*self.input.arguments)
            or self._invoke(self._handle)
            or self._c.TfLiteTensorCopyToBuffer(*self.output.arguments)
        )
        self._check(status, "failed while it ran")

    def close(self) -> None:
        """Close the interpreter. May be called more than once."""
        self._handle = None
        self._release()

    def _create(self, undo: ExitStack, xnnpack: bool) -> int:
        """Make the C interpreter; ``undo`` frees it and its helpers in the right order."""
        options = self._pointer(self._c.TfLiteInterpreterOptionsCreate(), "options")
        try:
            # One thread each: these graphs are too small for a second core, and streams run in parallel.
            self._c.TfLiteInterpreterOptionsSetNumThreads(options, 1)
            if xnnpack:
                delegate = self._pointer(self._c.TfLiteXNNPackDelegateCreate(None), "XNNPACK delegate")
                undo.callback(self._c.TfLiteXNNPackDelegateDelete, delegate)
                self._c.TfLiteInterpreterOptionsAddDelegate(options, delegate)
            handle = self._pointer(self._c.TfLiteInterpreterCreate(self._model.handle, options), "interpreter")
        finally:
            self._c.TfLiteInterpreterOptionsDelete(options)
        undo.callback(self._c.TfLiteInterpreterDelete, handle)
        counts = (
            self._c.TfLiteInterpreterGetInputTensorCount(handle),
            self._c.TfLiteInterpreterGetOutputTensorCount(handle),
        )
        if counts != (1, 1):
            raise EngineFailed(f"{self._model.path}: {counts[0]} inputs and {counts[1]} outputs; expected one of each")
        return handle

    def _pointer(self, pointer: int | None, what: str) -> int:
        if not pointer:
            raise EngineFailed(f"{self._model.path}: the TensorFlow Lite library gave no {what}")
        return pointer

    def _check(self, status: int, what: str) -> None:
        if status:
            raise EngineFailed(f"{self._model.path}: the model {what} (TensorFlow Lite status {status})")


def read_model(path: Path) -> bytes:
    """Read a file that looks like a model: bytes 4 to 8 of a TensorFlow Lite file are ``TFL3``.

    :raises EngineFailed: it cannot be read, is too large, or is something else.
    """
    content = read_bounded(path)
    if content[4:8] != b"TFL3":
        raise EngineFailed(f"{path}: no TensorFlow Lite model but {looks_like(content)}; get the file again")
    return content


def read_bounded(path: Path) -> bytes:
    """Read a file; raises EngineFailed where it cannot be read, or is larger than any model."""
    try:
        return files.read(path, MAX_MODEL_BYTES)
    except OSError as error:
        raise EngineFailed(f"{path}: cannot be read: {error.strerror or error}") from error


def looks_like(content: bytes) -> str:
    """Describe what a file seems to be that should be a model, for a message."""
    start = content[:512].lstrip().lower()
    if not content:
        return "an empty file"
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "a web page (the download gave a page instead of the file)"
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer (the repository keeps the file itself elsewhere)"
    if content.startswith(b"PK\x03\x04"):
        return "a ZIP archive (unpack it first)"
    return f"something else, starting with {content[:8]!r}"
