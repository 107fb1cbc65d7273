"""The scripts of examples/ do what they say."""

import asyncio
import subprocess
import sys
import wave
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from irene_wyoming.app.asr import asr_server
from irene_wyoming.app.front import front_server
from irene_wyoming.app.wake import wake_server
from irene_wyoming.audio.format import SPEECH
from irene_wyoming.config.model import Config
from tests.conftest import SPEECH_DIR, read_wav
from tests.examples.installed import EXAMPLES
from tests.servers.clients import converted

WAIT_S = 60
PIECE_S = 0.04


async def test_the_satellite_hears_a_word_and_prints_the_command(configured: Callable[..., Config]) -> None:
    config = configured(ASR__ENDPOINTING__ENABLED="true")
    quiet = bytes(SPEECH.frame_bytes * SPEECH.rate)
    word = read_wav(SPEECH_DIR / "wake" / "okay_nabu_rms.wav").pcm
    command = read_wav(SPEECH_DIR / "asr" / "set_a_timer_for_five_minutes.wav").pcm
    async with AsyncExitStack() as stack:
        wake = await stack.enter_async_context(wake_server(config))
        asr = await stack.enter_async_context(asr_server(config))
        front = await stack.enter_async_context(front_server(config, {"wake": wake.address, "asr": asr.address}))
        satellite = await asyncio.create_subprocess_exec(
            sys.executable, EXAMPLES / "satellite.py", front.address.uri, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert satellite.stdin is not None
        assert satellite.stdout is not None
        speaking = asyncio.create_task(speak(satellite.stdin, quiet + word + quiet))
        async with asyncio.timeout(WAIT_S):
            assert await satellite.stdout.readline() == b"heard okay_nabu\n"
            await speaking
            await speak(satellite.stdin, command + 2 * quiet)
            assert await satellite.stdout.readline() == b"set a timer for five minutes\n"
            satellite.stdin.close()
            assert await satellite.wait() == 0


async def speak(stdin: asyncio.StreamWriter, pcm: bytes) -> None:
    """Write audio at the pace of speech."""
    step = round(PIECE_S * SPEECH.rate) * SPEECH.frame_bytes
    for start in range(0, len(pcm), step):
        stdin.write(pcm[start : start + step])
        await stdin.drain()
        await asyncio.sleep(PIECE_S)


def test_a_folder_is_converted(tmp_path: Path) -> None:
    source, target = tmp_path / "from", tmp_path / "to"
    source.mkdir()
    recording = converted(read_wav(SPEECH_DIR / "wake" / "okay_nabu_rms.wav"), 44_100, 2, 2)
    with wave.open(str(source / "word.wav"), "wb") as out:
        out.setparams((2, 2, 44_100, 0, "NONE", ""))
        out.writeframes(recording.pcm)
    command = [sys.executable, str(EXAMPLES / "convert_folder.py"), str(source), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"word.wav: {recording.seconds:.2f} s\n"
    made = read_wav(target / "word.wav")
    assert made.format == SPEECH
    assert abs(made.seconds - recording.seconds) < 0.001
