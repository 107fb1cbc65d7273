"""The field's neutral bench, PyPI wyoming-bench, understands our speech-to-text server."""

import asyncio
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from irene_wyoming.app.asr import asr_server
from irene_wyoming.config.model import Config
from tests.conftest import SPEECH_DIR

COMMAND = "set a timer for five minutes"


async def test_it_gets_the_right_transcripts(tmp_path: Path, configured: Callable[..., Config]) -> None:
    shutil.copy(SPEECH_DIR / "asr" / f"{COMMAND.replace(' ', '_')}.wav", tmp_path)
    (tmp_path / f"{COMMAND.replace(' ', '_')}.txt").write_text(COMMAND)
    async with asr_server(configured()) as service:
        server = f"{service.address.host}:{service.address.port}"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "ignore", "-m", "wyoming_bench.cli", "stt", server, "--corpus", str(tmp_path),
            "--rounds", "1",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        printed = (await process.communicate())[0].decode()
    assert process.returncode == 0, printed
    assert "[non_streaming] ok=1 fail=0" in printed, printed
    assert "WER=0.0%  CER=0.0%  SAR=100.0%" in printed, printed
