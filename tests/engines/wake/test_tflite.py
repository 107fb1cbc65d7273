"""Damaged models and libraries give an error with the file's name; the library itself would end the process."""

import os
from pathlib import Path

import numpy as np
import pytest

from irene_wyoming.engines.wake.packages import PYOPEN_WAKEWORD, Package
from irene_wyoming.engines.wake.tflite import MAX_MODEL_BYTES, Interpreter, Model, Runtime
from irene_wyoming.errors import EngineFailed, EngineUnavailable

PACKAGE = PYOPEN_WAKEWORD.folder()
GOOD = (PACKAGE / "models" / "okay_nabu.tflite").read_bytes()


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime.of_package(PACKAGE)


@pytest.fixture
def model(runtime: Runtime) -> Model:
    return Model(runtime, PACKAGE / "models" / "okay_nabu.tflite")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no TensorFlow Lite model"),
        (b"<!DOCTYPE html><html></html>", "no TensorFlow Lite model"),
        (GOOD[:7], "no TensorFlow Lite model"),
        (GOOD[:8], "damaged"),
        (GOOD[:8] + b"\xff" * 1000, "damaged"),
        (GOOD[: len(GOOD) // 2], "damaged"),
        (GOOD[:-1], "damaged"),
    ],
)
def test_a_broken_file_is_refused_by_name(runtime: Runtime, tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "broken.tflite"
    path.write_bytes(content)
    with pytest.raises(EngineFailed, match=rf"broken\.tflite: .*{why}"):
        Model(runtime, path)


def test_a_file_that_turns_into_zeros_is_refused_by_name(runtime: Runtime, tmp_path: Path) -> None:
    """A power cut leaves such a file, and the library takes it for an empty model."""
    path = tmp_path / "broken.tflite"
    path.write_bytes(GOOD[:8] + bytes(len(GOOD)))
    with pytest.raises(EngineFailed, match=r"broken\.tflite"):
        Interpreter(Model(runtime, path))


def test_a_missing_file_is_refused_by_name(runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match=r"absent\.tflite: cannot be read: No such file"):
        Model(runtime, tmp_path / "absent.tflite")


def test_a_folder_is_refused(runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match="cannot be read"):
        Model(runtime, tmp_path)


def test_a_file_far_too_large_is_not_read_into_memory(runtime: Runtime, tmp_path: Path) -> None:
    path = tmp_path / "film.tflite"
    with path.open("wb") as file:
        file.truncate(MAX_MODEL_BYTES + 1)
    with pytest.raises(EngineFailed, match="larger than 16777216 bytes"):
        Model(runtime, path)


def test_nobody_waits_for_a_pipe(runtime: Runtime, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tflite")
    with pytest.raises(EngineFailed, match=r"pipe\.tflite: cannot be read: not a file, but a named pipe"):
        Model(runtime, tmp_path / "pipe.tflite")


def test_a_model_does_not_need_its_file_any_more(runtime: Runtime, tmp_path: Path) -> None:
    """A watched folder's files are replaced and truncated while streams run."""
    path = tmp_path / "word.tflite"
    path.write_bytes(GOOD)
    interpreter = Interpreter(Model(runtime, path))
    path.write_bytes(b"")
    interpreter.invoke()
    interpreter.close()


def test_an_interpreter_works_on_after_its_model_is_closed(model: Model) -> None:
    interpreter = Interpreter(model)
    interpreter.invoke()
    score = interpreter.output.array.copy()
    model.close()
    model.close()
    interpreter.invoke()
    assert interpreter.output.array == score
    interpreter.close()


def test_a_closed_model_gives_no_interpreter(model: Model) -> None:
    model.close()
    with pytest.raises(EngineFailed, match="closed"):
        Interpreter(model)


def test_a_closed_interpreter_does_not_run(model: Model) -> None:
    interpreter = Interpreter(model)
    interpreter.close()
    interpreter.close()
    with pytest.raises(EngineFailed, match="closed"):
        interpreter.invoke()


def test_another_kind_of_model_is_told_by_its_shapes_and_types(model: Model) -> None:
    interpreter = Interpreter(model)
    interpreter.expect((1, 16, 96), (1, 1))
    with pytest.raises(EngineFailed, match=r"okay_nabu\.tflite: another kind of model: input of shape \(1, 16, 96\)"):
        interpreter.expect((1, 76, 32, 1), (1, 1))
    with pytest.raises(EngineFailed, match=r"type float32, expected \(1, 16, 96\) and 8-bit integers"):
        interpreter.expect((1, 16, 96), (1, 1), quantized=True)
    interpreter.close()


def test_input_that_a_model_cannot_take_is_refused(model: Model) -> None:
    with pytest.raises(EngineFailed, match="okay_nabu"):
        Interpreter(model, input_shape=(1, 7, 5))


def test_xnnpack_gives_what_the_plain_library_gives(runtime: Runtime) -> None:
    model = Model(runtime, PACKAGE / "models" / "embedding_model.tflite")
    plain, fast = Interpreter(model), Interpreter(model, xnnpack=True)
    mels = np.random.default_rng(1).normal(size=(1, 76, 32, 1)).astype(np.float32)
    for interpreter in (plain, fast):
        interpreter.input.array[:] = mels
        interpreter.invoke()
    np.testing.assert_allclose(fast.output.array, plain.output.array, atol=1e-3)
    for interpreter in (plain, fast):
        interpreter.close()


def test_a_file_that_is_no_library_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "lib" / "libtensorflowlite_c.so"
    path.parent.mkdir()
    path.write_bytes(b"not ELF")
    with pytest.raises(EngineUnavailable, match="cannot load the TensorFlow Lite library"):
        Runtime.of_package(tmp_path)


def test_a_package_without_library_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="built for another platform"):
        Runtime.of_package(tmp_path)


def test_a_package_that_is_not_installed_says_what_to_do() -> None:
    with pytest.raises(EngineUnavailable, match="no_such_package is not installed; pip install it"):
        Package("no_such_package", "pip install it").folder()
