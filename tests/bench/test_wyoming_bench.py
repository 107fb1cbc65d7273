"""The neutral bench of PyPI's wyoming-bench understands our server in both of its modes."""

import asyncio
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from irene_wyoming.app.asr import asr_server
from irene_wyoming.config.model import Config
from irene_wyoming.wire.client import describe
from tests.conftest import SPEECH_DIR
from tests.models import VOSK, sherpa, whisper

COMMAND = "set a timer for five minutes"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    shutil.copy(SPEECH_DIR / "asr" / f"{COMMAND.replace(' ', '_')}.wav", tmp_path)
    (tmp_path / f"{COMMAND.replace(' ', '_')}.txt").write_text(COMMAND)
    return tmp_path


async def bench(config: Config, corpus: Path, *more: str) -> str:
    """Run the bench on a server in both modes, and return its output."""
    async with asr_server(config) as service:
        await describe(service.address)
        server = f"{service.address.host}:{service.address.port}"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "ignore", "-m", "wyoming_bench.cli", "stt", server, "--corpus", str(corpus),
            "--mode", "both", "--rounds", "1", "--warmup", "1", *more,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        printed = (await process.communicate())[0].decode()
    assert process.returncode == 0, printed
    return printed


async def test_the_default_engine_gets_the_right_transcripts_in_both_modes(
    configured: Callable[..., Config], corpus: Path
) -> None:
    printed = await bench(configured(), corpus)
    for mode in ("non_streaming", "streaming"):
        assert f"[{mode}] ok=1 fail=0" in printed, printed
    assert printed.count("WER=0.0%  CER=0.0%  SAR=100.0%") == 2, printed


async def test_so_does_every_other_engine(configured: Callable[..., Config], corpus: Path) -> None:
    models = {"sherpa": sherpa("streaming-transducer-en"), "vosk": VOSK, "whisper": whisper()}
    for name in ("sherpa_onnx", "vosk", "faster_whisper"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    settings = {
        f"ASR__PROVIDERS__{name.upper()}": f"{{enabled: true, process: false, model: '{folder}'}}"
        for name, folder in models.items()
    }
    printed = await bench(configured(**settings), corpus, "--programs", ",".join(models))
    for mode in ("non_streaming", "streaming"):
        assert printed.count(f"[{mode}] ok=1 fail=0") == len(models), printed
    assert printed.count("WER=0.0%  CER=0.0%  SAR=100.0%") == 2 * len(models), printed
