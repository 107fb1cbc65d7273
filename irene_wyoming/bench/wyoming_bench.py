"""Prints results of ``bench asr`` in the form of PyPI's ``wyoming-bench``, for comparison.

Only recordings with a known text are in it. As there, numbers in figures count as mistakes.
"""

import io
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from irene_wyoming.bench.asr import Answer
from irene_wyoming.errors import AudioError

MODE = "non_streaming"


def require() -> None:
    """Raise AudioError where wyoming-bench is not installed, before minutes of measuring."""
    if find_spec("wyoming_bench") is None:
        raise AudioError("--wyoming-bench: wyoming-bench is not installed: pip install 'irene-wyoming[bench]'")


def report(answers: Mapping[str, Sequence[Answer]]) -> str:
    """Format the report.

    :param answers: answers by the name of their program.
    """
    reporting = import_module("wyoming_bench.stt.reporting")
    measured = {name: [measurement(name, a) for a in some if a.spoken.text] for name, some in answers.items()}
    printed = io.StringIO()
    with redirect_stdout(printed):
        for name, some in measured.items():
            reporting.print_stt_server_report(name, some)
        reporting.print_stt_summary(list(measured), measured)
    return printed.getvalue().strip("\n")


def measurement(name: str, answer: Answer) -> Any:
    """One recording's result in wyoming-bench's form."""
    heard, reference = answer.heard, answer.spoken.text or ""
    made = import_module("wyoming_bench.stt.reporting").SttMeasurement(name, MODE, answer.spoken.name)
    made.reference, made.audio_duration_s = reference, answer.seconds
    if heard is None:
        made.error = "no transcript"
        return made
    accuracy = import_module("wyoming_bench.stt.accuracy")
    words, characters = accuracy.word_accuracy(heard.text, reference), accuracy.char_accuracy(heard.text, reference)
    made.ok, made.hypothesis, made.t_end = True, heard.text, heard.took_s
    made.sub, made.ins, made.del_, made.n_ref_words = (words[key] for key in ("sub", "ins", "del", "n_ref"))
    made.wer, made.exact = words["wer"], words["exact"]
    made.char_errors, made.n_ref_chars, made.cer = (characters[key] for key in ("errors", "n_ref", "cer"))
    return made
