"""The facts that the server knows about the engine before it is loaded."""

from collections.abc import Mapping
from typing import Any

from irene_wyoming.engines.base import AsrEngine, EngineContext, EngineSpec, Option
from irene_wyoming.errors import EngineUnavailable


def words(value: Any) -> tuple[str, ...]:
    """A program and its arguments."""
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) and word for word in value):
        raise ValueError("expected a list of words, e.g. [whisper-cli, -m, base.bin, -nt, -np]")
    return tuple(value)


def create(values: Mapping[str, Any], context: EngineContext) -> AsrEngine:
    """:raises EngineUnavailable: there is no such program."""
    import shutil

    from command_engine.engine import CommandEngine

    program = shutil.which(values["run"][0])
    if program is None:
        raise EngineUnavailable(f"command: there is no program {values['run'][0]!r}; install it, or name another")
    return CommandEngine([program, *values["run"][1:]], context.language)


SPEC = EngineSpec(
    name="command",
    kind="asr",
    summary="Any program that takes a wav file as its last argument and prints what it says.",
    url="https://example.org/command-engine",
    author="you",
    requires=(),
    install="",
    create=create,
    options={
        "run": Option((), words, "the program and its arguments, e.g. [whisper-cli, -m, base.bin, -nt]", needed=True),
    },
)
