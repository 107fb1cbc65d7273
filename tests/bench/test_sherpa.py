"""sherpa-onnx with the model of guided, as something to compare with."""

import pytest

from irene_wyoming.bench import sherpa
from irene_wyoming.bench.mixing import Condition
from irene_wyoming.bench.people import Folder, Spoken
from tests.conftest import SPEECH_DIR, read_wav

pytest.importorskip("sherpa_onnx", reason="sherpa-onnx is not installed")


COMMAND = "set a timer for five minutes"


def test_it_writes_down_what_is_said() -> None:
    pcm = read_wav(SPEECH_DIR / "asr" / f"{COMMAND.replace(' ', '_')}.wav").pcm
    row, (answer,) = sherpa.measure(Folder("one", (Spoken("timer", pcm, COMMAND),)), Condition())
    assert answer.heard is not None
    assert "five minutes" in answer.heard.text
    assert (row.recordings, row.failed) == (1, 0)
    assert row.rtf is not None
    assert 0 < row.rtf < 10
    assert row.memory_mb is not None
